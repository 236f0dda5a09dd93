// acqrel/base/waitable_word.hpp - a 63-bit value that threads may wait on, for conditions too wide for one park word.
//
//   acqrel::waitable_word tickets;                                                // 0
//   tickets.change([](std::uint64_t n) { return n + 1; });                        // any thread; wakes who waits
//   (void)tickets.await(patience, [](std::uint64_t n) { return n >= 3; });        // false: patience ran out first
//
// Publishes  what the callers of change() did before it.
// Edges      waitable_word.value  change() -> value(), await()   the value, and what led to each change up to it
//            waitable_word.bell   ring -> await()                that the value has changed
// Progress   value() wait-free; change() lock-free; await() blocking: it spins a little, then parks.
// Memory     8 bytes, and 8 KiB for all words of the process: threads park on 64 shared words, the bells, since no
//            system parks on 64 bits. They are never destroyed.
// Threads    all from any. Whoever saw a change, by value() or await(), may destroy the word while the change() that
//            made it is still on its way: it touches nothing of the word any more.
// Errors     none. A thread that stalls between its last look and its sleep while its bell rings exactly 2^32 times, a
//            system call each, sleeps until it rings again.
// Cost       value() one acquire load, change() one compare-exchange; with waiters also a system call, which wakes those
//            of other words on the same bell for nothing. Bench generation/fire.
// Model      tests/base/waitable_word_model.cpp.
// Not for    conditions of 31 bits: patience::await (waitable.hpp) does with a word of their own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

namespace acqrel {

class waitable_word {
 public:
  /// Values are below 2^63.
  constexpr explicit waitable_word(std::uint64_t value = 0) noexcept : word_(value << 1) {}
  waitable_word(const waitable_word&) = delete;
  waitable_word& operator=(const waitable_word&) = delete;

  [[nodiscard]] std::uint64_t value() const noexcept {
    // edge waitable_word.value: acquire
    return word_.load(std::memory_order_acquire) >> 1;
  }

  /// Replaces the value by next(value), and wakes who waits if wakes(new value) says so. Nothing happens where next
  /// returns what it was given. Returns the value found. `next` may run more than once.
  template <class Next, class Wakes>
  std::uint64_t change(Next next, Wakes wakes) noexcept {
    // plain: only a guess, which the compare-exchange confirms
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t old = seen >> 1;
      const std::uint64_t made = next(old);
      if (made == old) return old;
      const bool rings = (seen & awaited) != 0 && wakes(made);
      const std::uint64_t wanted = made << 1 | (rings ? 0 : seen & awaited);
      // edge waitable_word.value: acq_rel / plain  a value to try again with
      if (word_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel, std::memory_order_relaxed)) {
        if (rings) ring(this);
        return old;
      }
    }
  }
  /// The same, where every change may be what somebody waits for.
  template <class Next>
  std::uint64_t change(Next next) noexcept {
    return change(next, [](std::uint64_t) { return true; });
  }

  /// Returns true once done(value), or false when patience ran out and it still is not so.
  template <class Done>
  [[nodiscard]] bool await(const patience& patience, Done done) const {
    spinner spin;
    do {
      if (done(value())) return true;
    } while (spin.spin());
    for (;;) {
      // plain: asks to be woken and publishes nothing
      word_.fetch_or(awaited, std::memory_order_relaxed);
      const park_word& bell = bell_of(this);
      // edge waitable_word.bell: acquire  whoever has heard it finds, in the next line, what it rang for
      const std::uint32_t heard = bell.load(std::memory_order_acquire);
      // edge waitable_word.value: acquire
      const std::uint64_t seen = word_.load(std::memory_order_acquire);
      if (done(seen >> 1)) return true;
      // Without the bit, the next change would ring for nobody: it was taken since, so ask again.
      if ((seen & awaited) != 0 && !patience.park(bell, heard)) return done(value());
    }
  }

 private:
  static constexpr std::uint64_t awaited = 1;  // somebody wants the bell rung

  // By address only: the word may be gone.
  [[gnu::cold]] static void ring(const void* word) noexcept;
  [[gnu::cold]] static const park_word& bell_of(const void* word) noexcept;

  mutable std::atomic<std::uint64_t> word_;  // value << 1 | awaited
};

static_assert(sizeof(waitable_word) == 8 && std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace acqrel
