// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/countdown.hpp>

#include "../checked_value.hpp"
#include "asleep.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::countdown;

// ---- semantics ----

TEST(countdown, is_eight_bytes_constant_initialised_and_stays_where_it_is) {
  static constinit countdown here(2);
  EXPECT_EQ(here.remaining(), 2U);
  static_assert(sizeof(countdown) == 8);
  static_assert(!std::is_copy_constructible_v<countdown> && !std::is_move_constructible_v<countdown>);
  static_assert(!std::is_default_constructible_v<countdown> && !std::is_convertible_v<int, countdown>);
  static_assert(noexcept(here.down())&& noexcept(here.is_open()));
}

TEST(countdown, of_zero_is_open) {  // GL7
  countdown none(0);
  EXPECT_TRUE(none.is_open());
  none.wait();
  EXPECT_TRUE(none.wait_for(0s));
}

TEST(countdown, of_three_needs_three) {  // X7 GL6
  countdown parts(3);
  for (int n = 0; n != 3; ++n) {
    EXPECT_FALSE(parts.is_open());
    EXPECT_FALSE(parts.wait_for(1ms));
    EXPECT_TRUE(parts.down());
  }
  EXPECT_TRUE(parts.is_open());
  parts.wait();
}

TEST(countdown, refuses_to_go_below_zero) {  // GL8
  countdown parts(1);
  EXPECT_TRUE(parts.down());
  EXPECT_FALSE(parts.down());
  EXPECT_FALSE(parts.down());
  EXPECT_EQ(parts.remaining(), 0U);
  EXPECT_FALSE(countdown(0).down());
}

TEST(countdown, takes_all_steps_or_none) {  // GL10
  countdown parts(5);
  EXPECT_FALSE(parts.down(6));
  EXPECT_FALSE(parts.down(UINT64_MAX));
  EXPECT_EQ(parts.remaining(), 5U);
  EXPECT_TRUE(parts.down(0));
  EXPECT_TRUE(parts.down(3));
  EXPECT_FALSE(parts.down(3));
  EXPECT_EQ(parts.remaining(), 2U);
  EXPECT_TRUE(parts.down(2));
  EXPECT_TRUE(parts.is_open());
}

TEST(countdown, counts_down_from_the_largest) {
  countdown parts(countdown::max);
  EXPECT_TRUE(parts.down(countdown::max - 1));
  EXPECT_FALSE(parts.wait_for(1us));
  EXPECT_TRUE(parts.down());
  parts.wait();
  EXPECT_TRUE(parts.reset(countdown::max));
  EXPECT_EQ(parts.remaining(), countdown::max);
}

TEST(countdown, says_what_is_wrong_with_a_count_too_large) {
  EXPECT_THROW(countdown(countdown::max + 1), std::invalid_argument);
  countdown open(0);
  EXPECT_THROW((void)open.reset(countdown::max + 1), std::invalid_argument);
  EXPECT_TRUE(open.is_open());
  try {
    const int spoiled = -1;
    const countdown parts(static_cast<std::uint64_t>(spoiled));
    FAIL();
  } catch (const std::invalid_argument& refused) {
    EXPECT_NE(std::string(refused.what()).find("-1 if it was signed"), std::string::npos) << refused.what();
  }
}

TEST(countdown, is_reset_when_it_is_open_and_only_then) {  // GL9
  countdown parts(1);
  EXPECT_FALSE(parts.reset(5));
  EXPECT_EQ(parts.remaining(), 1U);
  {
    sleeper waiter([&] { parts.wait(); });
    waiter.until_asleep();
    EXPECT_FALSE(parts.reset(5)) << "somebody waits";
    parts.down();
  }
  EXPECT_TRUE(parts.reset(2));
  EXPECT_FALSE(parts.wait_for(1ms)) << "a new count";
  EXPECT_TRUE(parts.down(2));
  parts.wait();
  EXPECT_TRUE(parts.reset(0));
  parts.wait();
}

TEST(countdown, waits_in_every_form) {
  countdown parts(1);
  std::stop_source stop;
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(parts.wait_until(now + 3ms));
  EXPECT_GE(std::chrono::steady_clock::now(), now + 3ms);
  EXPECT_FALSE(parts.wait_for(1ms, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(parts.wait(stop.get_token()));
  EXPECT_FALSE(parts.wait_until(now + long_enough, stop.get_token()));
  parts.down();
  EXPECT_TRUE(parts.wait(stop.get_token()));
  EXPECT_TRUE(parts.wait_for(-1s));
  EXPECT_TRUE(parts.wait_until(now));
  EXPECT_TRUE(parts.wait_until(now, stop.get_token()));
}

// They sleep in the first round; it is opened and shut again before most of them can look.
TEST(countdown, lets_out_behind_a_reset_who_waited_before) {  // GL9
  countdown parts(1);
  for (int round = 0; round != 20; ++round) {
    const auto wait = [&] { EXPECT_TRUE(woken(parts)); };
    std::array<sleeper, 3> waiters{sleeper(wait), sleeper(wait), sleeper(wait)};
    for (auto& waiter : waiters) waiter.until_asleep();
    ASSERT_TRUE(parts.down());
    ASSERT_TRUE(parts.reset(1));
  }
  EXPECT_EQ(parts.remaining(), 1U);
}

// ---- stress ----

// Workers and a foreman, round after round, on countdowns that are reset: the foreman sees what all wrote. A worker that
// sets out for a round has left the wait before it, so the foreman may shut that one again.
TEST(countdown_stress, every_round_shows_the_work_of_all) {  // GL6 GL9
  constexpr std::size_t workers = 3;
  const std::size_t rounds = 10'000 / static_cast<std::size_t>(fewer_when_sanitized);
  countdown done(workers);
  countdown go[2] = {countdown(1), countdown(1)};
  std::array<std::size_t, workers> work{};
  std::vector<std::thread> crew;
  for (std::size_t me = 0; me != workers; ++me) {
    crew.emplace_back([&, me] {
      for (std::size_t round = 1; round <= rounds; ++round) {
        work[me] = round;
        ASSERT_TRUE(done.down());
        ASSERT_TRUE(woken(go[round % 2]));
      }
    });
  }
  for (std::size_t round = 1; round <= rounds; ++round) {
    ASSERT_TRUE(woken(done));
    for (const std::size_t each : work) ASSERT_EQ(each, round);
    ASSERT_TRUE(done.reset(workers));
    ASSERT_EQ(go[(round + 1) % 2].reset(1), round != 1) << "the first round finds it shut";
    ASSERT_TRUE(go[round % 2].down());
  }
  for (auto& worker : crew) worker.join();
}

// More steps are tried than there are: as many succeed as there are.
TEST(countdown_stress, as_many_steps_succeed_as_there_are) {  // GL8 GL10
  const std::uint64_t count = 60'000 / static_cast<std::uint64_t>(fewer_when_sanitized);
  countdown parts(count);
  std::array<std::uint64_t, 3> taken{};
  std::vector<std::thread> crew;
  for (std::size_t me = 0; me != taken.size(); ++me) {
    crew.emplace_back([&, me] {
      for (std::uint64_t n = 0, step = me + 1; n != count; ++n) {
        if (parts.down(step)) taken[me] += step;
      }
    });
  }
  parts.wait();
  for (auto& thread : crew) thread.join();
  EXPECT_EQ(taken[0] + taken[1] + taken[2], count);
  EXPECT_TRUE(parts.is_open());
}

}  // namespace
