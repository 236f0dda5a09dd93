// Moving the clock publishes what was done before.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/fake_clock.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace std::chrono_literals;

MODEL(fake_clock, shows_what_was_done_before_it_moved, .shows = {"clock.now"}) {
  acqrel::testing::fake_clock clock;
  const auto start = clock.now();
  int alarm = 0, noon = 0;
  std::thread test([&] {
    alarm = 1;
    clock.advance(1h);
    noon = 1;
    clock.set(start + 12h);
  });
  const auto now = clock.now();
  if (now >= start + 1h) {
    EXPECT_EQ(alarm, 1);
  }
  if (now >= start + 12h) {
    EXPECT_EQ(noon, 1);
  }
  test.join();
}

}  // namespace
