// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace std::chrono_literals;
using acqrel::testing::fake_clock;

// ---- semantics ----

TEST(fake_clock, stands_until_it_is_moved) {
  fake_clock clock;
  const auto before = clock.now();
  EXPECT_EQ(clock.now(), before);
  clock.advance(90min);
  EXPECT_EQ(clock.now() - before, 90min);
  clock.advance(-1h);
  EXPECT_EQ(clock.now() - before, 30min);
  clock.set(before);
  EXPECT_EQ(clock.now(), before);
}

TEST(fake_clock, wakes_who_sleeps_until_a_time_it_has_reached) {
  fake_clock clock;
  const acqrel::park_word word{0};
  const auto in_an_hour = clock.now() + 1h;
  std::thread sleeper([&] {
    EXPECT_FALSE(clock.park_until(word, 0, in_an_hour));
    EXPECT_GE(clock.now(), in_an_hour);
  });
  clock.advance(59min);
  std::this_thread::sleep_for(2ms);
  clock.advance(1min);
  sleeper.join();
}

TEST(fake_clock, wakes_who_sleeps_when_the_word_changes) {
  fake_clock clock;
  acqrel::park_word word{0};
  std::thread sleeper([&] { EXPECT_TRUE(clock.park_until(word, 0, acqrel::steady_deadline::max())); });
  word.store(1, std::memory_order_release);
  acqrel::unpark_all(word);
  sleeper.join();
}

TEST(fake_clock, sees_a_change_also_when_the_time_is_over) {
  fake_clock clock;
  const acqrel::park_word word{1};
  EXPECT_TRUE(clock.park_until(word, 0, clock.now() - 1s));
  EXPECT_FALSE(clock.park_until(word, 1, clock.now() - 1s));
}

TEST(steady_time_source, is_the_steady_clock) {
  acqrel::time_source& time = acqrel::time_source::steady();
  const auto before = std::chrono::steady_clock::now();
  const auto now = time.now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, std::chrono::steady_clock::now());
  const acqrel::park_word word{1};
  EXPECT_TRUE(time.park_until(word, 0, acqrel::steady_deadline::max()));
  EXPECT_FALSE(time.park_until(word, 1, now + 1ms));
  EXPECT_GE(time.now(), now + 1ms);
}

}  // namespace
