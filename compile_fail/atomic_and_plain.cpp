// A variable is written atomically and read as if it were not.
//
// Document  Pitfalls, "atomic plus plain reads"
// Refused   by the checker
// Saying    data race
// Instead   std::atomic<int>: then there is no other way to read it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#if defined(WRONG)
struct flag {
  void raise() { std::atomic_ref(raised).store(1, std::memory_order_release); }
  bool is_raised() const { return raised == 1; }
  int raised = 0;
};
#else
struct flag {
  void raise() { raised.store(1, std::memory_order_release); }
  bool is_raised() const { return raised.load(std::memory_order_acquire) == 1; }
  std::atomic<int> raised{0};
};
#endif

MODEL(anti_pattern, atomic_and_plain) {
  flag one;
  int data = 0;
  std::thread reader([&] {
    if (one.is_raised()) {
      EXPECT_EQ(data, 1);
    }
  });
  data = 1;
  one.raise();
  reader.join();
}
