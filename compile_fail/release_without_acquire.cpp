// The writer releases on one variable, the reader looks at another, or at the same one without acquiring.
//
// Document  M.5
// Refused   by the checker
// Saying    data race
// Instead   a release and an acquire on the same variable; or a type that has both ends, such as a snapshot_source.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#if defined(WRONG)
struct subsystem {
  void init() {
    answer = 42;
    ready.store(true, std::memory_order_release);
  }
  int look() const { return ready.load(std::memory_order_relaxed) ? answer : 0; }
  int answer = 0;
  std::atomic<bool> ready{false};
};
#else
struct subsystem {
  void init() {
    answer = 42;
    ready.store(true, std::memory_order_release);
  }
  int look() const { return ready.load(std::memory_order_acquire) ? answer : 0; }
  int answer = 0;
  std::atomic<bool> ready{false};
};
#endif

MODEL(anti_pattern, release_without_acquire) {
  subsystem one;
  int seen = 0;
  std::thread reader([&] { seen = one.look(); });
  one.init();
  reader.join();
  EXPECT_TRUE(seen == 0 || seen == 42);
}
