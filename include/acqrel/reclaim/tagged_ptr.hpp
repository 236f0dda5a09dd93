// acqrel/reclaim/tagged_ptr.hpp - a pointer and a generation, compared and exchanged as one.
//
//   acqrel::atomic_tagged_ptr<node> top;
//   acqrel::tagged_ptr<node> seen = top.load();                    // any thread
//   do mine->below = seen.pointer;
//   while (!top.compare_exchange(seen, mine));                     // fails, too, if the same address came back
//   acqrel::atomic_packed_ptr<node> small;                         // 8 bytes, but every 65,536th is taken for the same
//
// Publishes  what the pointer points to, from compare_exchange() to load() or compare_exchange().
// Edges      packed_ptr.value   compare_exchange -> load, compare_exchange
//            The double width names none: each of its operations is sequentially consistent.
// Progress   lock-free; load() of the double width is a locked operation, too, and may write.
// Memory     16 bytes; packed 8. Nothing is allocated or retired.
// Threads    any, for all of it; destruction needs exclusive access.
// Errors     packed: std::range_error for an address of more than 48 bits. The double width ends
//            the program, saying so, on an x86-64 processor without cmpxchg16b.
// Cost       compare_exchange one locked operation. Bench tagged_ptr/exchange.
// Model      tests/reclaim/tagged_ptr_model.cpp: nodes used again; without generations one is lost.
// Not for    memory that is freed: whoever follows the pointer before comparing reads freed memory.
//            hazard.hpp protects it, and needs no generations.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace acqrel {

/// A pointer, and how many exchanges there were before it: modulo 2^64, packed modulo 2^16.
template <class T>
struct tagged_ptr {
  T* pointer = nullptr;
  std::uint64_t generation = 0;
  bool operator==(const tagged_ptr&) const noexcept = default;
};

[[noreturn, gnu::cold]] void refuse_address(std::uint64_t address);

/// Two words that one processor instruction compares and exchanges.
struct alignas(16) double_word {
  std::uint64_t low, high;
  bool operator==(const double_word&) const noexcept = default;
};
/// What `at` held; if that was `expected`, it holds `desired` now.
double_word exchange_double_word(double_word& at, double_word expected, double_word desired) noexcept;

template <class T>
class atomic_tagged_ptr {
 public:
  constexpr atomic_tagged_ptr() noexcept = default;
  explicit atomic_tagged_ptr(T* first) noexcept : held_{reinterpret_cast<std::uintptr_t>(first), 0} {}
  atomic_tagged_ptr(const atomic_tagged_ptr&) = delete;
  atomic_tagged_ptr& operator=(const atomic_tagged_ptr&) = delete;

  [[nodiscard]] tagged_ptr<T> load() const noexcept { return unpack(exchange_double_word(held_, {}, {})); }

  /// Puts `desired` in, of the next generation, if it holds `expected`; else `expected` is what it holds.
  [[nodiscard]] bool compare_exchange(tagged_ptr<T>& expected, T* desired) noexcept {
    const tagged_ptr<T> found =
        unpack(exchange_double_word(held_, pack(expected), pack({desired, expected.generation + 1})));
    if (found == expected) return true;
    expected = found;
    return false;
  }

 private:
  static double_word pack(tagged_ptr<T> p) noexcept {
    return {reinterpret_cast<std::uintptr_t>(p.pointer), p.generation};
  }
  static tagged_ptr<T> unpack(double_word w) noexcept {
    return {reinterpret_cast<T*>(static_cast<std::uintptr_t>(w.low)), w.high};
  }

  mutable double_word held_{};  // touched by exchange_double_word only
};

/// The same in one word: 48 bits of address, 16 of generation. A thread that is held up between load() and compare_exchange()
/// for exactly a multiple of 65,536 exchanges is not told that the address came back.
template <class T>
class atomic_packed_ptr {
 public:
  constexpr atomic_packed_ptr() noexcept = default;
  explicit atomic_packed_ptr(T* first) : held_(pack({first, 0})) {}
  atomic_packed_ptr(const atomic_packed_ptr&) = delete;
  atomic_packed_ptr& operator=(const atomic_packed_ptr&) = delete;

  [[nodiscard]] tagged_ptr<T> load() const noexcept {
    // edge packed_ptr.value: acquire
    return unpack(held_.load(std::memory_order_acquire));
  }

  /// Puts `desired` in, of the next generation, if it holds `expected`; else `expected` is what it holds.
  [[nodiscard]] bool compare_exchange(tagged_ptr<T>& expected, T* desired) {
    std::uint64_t found = pack(expected);
    const std::uint64_t next = pack({desired, expected.generation + 1});
    // edge packed_ptr.value: acq_rel / acquire
    if (held_.compare_exchange_strong(found, next, std::memory_order_acq_rel, std::memory_order_acquire)) return true;
    expected = unpack(found);
    return false;
  }

 private:
  static std::uint64_t pack(tagged_ptr<T> p) {
    const std::uint64_t address = reinterpret_cast<std::uintptr_t>(p.pointer);
    if (address >> 48 != 0) [[unlikely]]
      refuse_address(address);
    return p.generation << 48 | address;
  }
  static tagged_ptr<T> unpack(std::uint64_t w) noexcept {
    return {reinterpret_cast<T*>(static_cast<std::uintptr_t>(w << 16 >> 16)), w >> 48};
  }

  std::atomic<std::uint64_t> held_{0};
};

}  // namespace acqrel
