// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/time_source.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using acqrel::time_source;

// ---- semantics ----

TEST(time_source, shows_the_steady_clock) {
  const auto before = std::chrono::steady_clock::now(), now = time_source::steady().now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, std::chrono::steady_clock::now());
}

TEST(time_source, shows_it_as_of_the_last_tick_if_coarse) {
  for (int i = 0; i != 1000; ++i) {
    const auto tick = time_source::coarse().now();
    ASSERT_LE(tick, std::chrono::steady_clock::now()) << "never ahead";
    ASSERT_LE(tick, time_source::coarse().now());
  }
}

TEST(time_source, sleeps_until_the_clock_it_shows_has_come_there) {
  const acqrel::park_word word{0};
  for (time_source* const time : {&time_source::steady(), &time_source::coarse()}) {
    const auto deadline = std::chrono::steady_clock::now() + 3ms;
    EXPECT_FALSE(time->park_until(word, 0, deadline));
    EXPECT_GE(time->now(), deadline);
    EXPECT_TRUE(time->park_until(word, 1, deadline)) << "the word differs";
    EXPECT_FALSE(time->park_until(word, 0, acqrel::steady_deadline::min()));
  }
}

}  // namespace
