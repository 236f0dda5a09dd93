// A worker says in a plain bool that it is busy, and others read it.
//
// Document  M.2
// Refused   by the checker
// Saying    data race
// Instead   std::atomic<bool>, or a lock around all that belongs together.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#if defined(WRONG)
struct worker {
  void begin() { busy = true; }
  bool is_busy() const { return busy; }
  bool busy = false;
};
#else
struct worker {
  void begin() { busy.store(true, std::memory_order_relaxed); }
  bool is_busy() const { return busy.load(std::memory_order_relaxed); }
  std::atomic<bool> busy{false};
};
#endif

MODEL(anti_pattern, plain_flag) {
  worker one;
  bool seen = false;
  std::thread other([&] { seen = one.is_busy(); });
  one.begin();
  other.join();
  EXPECT_TRUE(one.is_busy() || !seen);
}
