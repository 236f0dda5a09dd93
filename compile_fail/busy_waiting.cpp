// A thread looks again and again until something is ready, and keeps a cpu busy that others could use.
//
// Document  Pitfalls, "spinning without yield"
// Refused   by the checker
// Saying    spinning.*keeps a cpu busy
// Instead   an event, or anything with wait(): it spins for as long as a sleep would cost, then sleeps.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#if defined(WRONG)
void wait_for(const acqrel::event& ready) {
  while (!ready.is_set()) {
  }
}
#else
void wait_for(const acqrel::event& ready) { ready.wait(); }
#endif

MODEL(anti_pattern, busy_waiting, .spinning_fails = true) {
  setenv("ACQREL_PARK", "futex", 1);
  acqrel::event ready;
  int answer = 0;
  std::thread other([&] {
    answer = 42;
    ready.notify();
  });
  wait_for(ready);
  EXPECT_EQ(answer, 42);
  other.join();
}
