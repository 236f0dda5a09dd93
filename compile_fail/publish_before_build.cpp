// The thread is started before what it works with is finished: two-phase initialisation.
//
// Document  M.4
// Refused   by the checker
// Saying    data race
// Instead   build first, start second; a constructor that takes all it needs leaves no second phase.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

struct service {
  int config = 0;
  void run() const { EXPECT_TRUE(config == 0 || config == 7); }
};

#if defined(WRONG)
void start() {
  service one;
  std::thread worker([&] { one.run(); });
  one.config = 7;
  worker.join();
}
#else
void start() {
  service one{.config = 7};
  std::thread worker([&] { one.run(); });
  worker.join();
}
#endif

MODEL(anti_pattern, publish_before_build) { start(); }
