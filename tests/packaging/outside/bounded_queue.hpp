// A bounded queue for many producers and consumers, after Dmitry Vyukov's. It knows the standard library and nothing else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

template <class T, std::size_t size>
class bounded_queue {
  static_assert((size & (size - 1)) == 0, "a power of two");

 public:
  bounded_queue() {
    for (std::size_t i = 0; i < size; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  bool push(T value) {
    std::size_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      cell& c = cells_[at % size];
      const auto ahead = static_cast<std::intptr_t>(c.turn.load(std::memory_order_acquire) - at);
      if (ahead < 0) return false;  // full
      if (ahead > 0) {
        at = tail_.load(std::memory_order_relaxed);
      } else if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
        c.value = value;
        c.turn.store(at + 1, std::memory_order_release);
        return true;
      }
    }
  }

  bool pop(T& value) {
    std::size_t at = head_.load(std::memory_order_relaxed);
    for (;;) {
      cell& c = cells_[at % size];
      const auto ahead = static_cast<std::intptr_t>(c.turn.load(std::memory_order_acquire) - (at + 1));
      if (ahead < 0) return false;  // empty
      if (ahead > 0) {
        at = head_.load(std::memory_order_relaxed);
      } else if (head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
        value = c.value;
        c.turn.store(at + size, std::memory_order_release);
        return true;
      }
    }
  }

 private:
  struct cell {
    std::atomic<std::size_t> turn;
    T value;
  };
  cell cells_[size];
  std::atomic<std::size_t> head_{0}, tail_{0};
};
