// Double-checked locking whose first look does not acquire.
//
// Document  Pattern 3; Pitfalls, "double-fetched check"
// Refused   by the checker
// Saying    data race
// Instead   lazy or once: the look, the wait and the second look are in there, and checked.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/lazy.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#if defined(WRONG)
struct service {
  int table() {
    if (!ready.load(std::memory_order_relaxed)) {
      const std::lock_guard lock(mutex);
      if (!ready.load(std::memory_order_relaxed)) {
        value = 42;
        ready.store(true, std::memory_order_release);
      }
    }
    return value;
  }
  int value = 0;
  std::atomic<bool> ready{false};
  std::mutex mutex;
};
#else
struct service {
  int table() { return value.get(); }
  static int make() { return 42; }
  acqrel::lazy<int (*)()> value{make};
};
#endif

MODEL(anti_pattern, double_checked_by_hand) {
  service one;
  std::thread other([&] { EXPECT_EQ(one.table(), 42); });
  EXPECT_EQ(one.table(), 42);
  other.join();
}
