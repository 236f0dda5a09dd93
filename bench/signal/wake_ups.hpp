// SPDX-License-Identifier: Apache-2.0
// bench/signal/wake_ups.hpp - lanes on which one thread wakes another: the system call, the standard's ways, acqrel::event.
#pragma once

#include <acqrel/signal/event.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <memory>
#include <mutex>

namespace bench {

// wake() and sleep() take turns: the wake after next comes only once the sleeper has said, on another way, that it is up.

/// One store and one system call each.
struct futex_lane {
  void wake(std::uint64_t) {
    word.store(1, std::memory_order_release);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
  void sleep(std::uint64_t) {
    while (word.load(std::memory_order_acquire) == 0)
      syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    word.store(0, std::memory_order_relaxed);
  }
  std::atomic<std::uint32_t> word{0};
};

struct standard_atomic_lane {
  void wake(std::uint64_t) {
    word.store(1, std::memory_order_release);
    word.notify_one();
  }
  void sleep(std::uint64_t) {
    word.wait(0, std::memory_order_acquire);
    word.store(0, std::memory_order_relaxed);
  }
  std::atomic<std::uint32_t> word{0};
};

struct condition_variable_lane {
  void wake(std::uint64_t) {
    const std::lock_guard lock(mutex);
    happened = true;
    changed.notify_one();
  }
  void sleep(std::uint64_t) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return happened; });
    happened = false;
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool happened = false;
};

/// An event happens once: two in turns, each made anew by who waited for it.
struct event_lane {
  void wake(std::uint64_t n) { events[n % 2].notify(); }
  void sleep(std::uint64_t n) {
    acqrel::event& now = events[n % 2];
    now.wait();
    std::destroy_at(&now);
    std::construct_at(&now);
  }
  acqrel::event events[2];
};

}  // namespace bench
