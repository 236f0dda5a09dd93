// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/generation.hpp>

#include "../checked_value.hpp"
#include "asleep.hpp"

#include <gtest/gtest.h>

#include "../counted_allocations.hpp"

#include <cstdlib>
#include <new>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::generation;

// ---- semantics ----

TEST(generation, is_eight_bytes_constant_initialised_and_stays_where_it_is) {
  static constinit generation here(3);
  EXPECT_EQ(here.current(), 3U);
  static_assert(sizeof(generation) == 8);
  static_assert(!std::is_copy_constructible_v<generation> && !std::is_move_constructible_v<generation>);
  static_assert(noexcept(here.fire())&& noexcept(here.current()));
}

TEST(generation, ends_one_at_a_time) {  // GL1
  generation flushes;
  for (std::uint64_t n = 0; n != 10; ++n) {
    EXPECT_EQ(flushes.current(), n);
    EXPECT_FALSE(flushes.wait_for(n, 0s));
    EXPECT_EQ(flushes.fire(), n + 1);
    flushes.wait(n);
  }
  flushes.wait(0);
  EXPECT_TRUE(flushes.wait_for(3, -1s));
}

TEST(generation, waits_in_every_form) {  // GL1 GL3
  generation flushes(5);
  std::stop_source stop;
  const auto now = std::chrono::steady_clock::now();
  EXPECT_TRUE(flushes.wait(4, stop.get_token()));
  EXPECT_TRUE(flushes.wait_for(4, 1ms, stop.get_token()));
  EXPECT_TRUE(flushes.wait_until(4, now));
  EXPECT_TRUE(flushes.wait_until(4, now, stop.get_token()));
  EXPECT_FALSE(flushes.wait_for(5, 1ms));
  EXPECT_FALSE(flushes.wait_for(5, 1ms, stop.get_token()));
  EXPECT_FALSE(flushes.wait_until(5, now + 3ms));
  EXPECT_GE(std::chrono::steady_clock::now(), now + 3ms);
  stop.request_stop();
  EXPECT_FALSE(flushes.wait(6, stop.get_token()));
  EXPECT_FALSE(flushes.wait_for(6, long_enough, stop.get_token()));
  EXPECT_FALSE(flushes.wait_until(UINT64_MAX, now + long_enough, stop.get_token()));
}

TEST(generation, lets_go_at_the_right_fire_and_not_earlier) {  // GL4
  generation flushes;
  std::atomic<bool> gone{false};
  sleeper waiter([&] {
    EXPECT_TRUE(woken(flushes, 3U));
    gone = true;
  });
  for (int n = 0; n != 3; ++n) {
    waiter.until_asleep();
    flushes.fire();
  }
  waiter.until_asleep();
  EXPECT_FALSE(gone) << "generation 3 has not fired";
  flushes.fire();
  waiter.join();
  EXPECT_TRUE(gone);
}

TEST(generation, counts_past_32_bits) {
  constexpr std::uint64_t edge = std::uint64_t{1} << 32;
  generation flushes(edge - 2);
  flushes.wait(edge - 3);
  sleeper waiter([&] { EXPECT_TRUE(woken(flushes, edge + 1)); });
  for (std::uint64_t n = edge - 2; n != edge + 2; ++n) {
    waiter.until_asleep();
    EXPECT_EQ(flushes.fire(), n + 1);
  }
}

// The document's leak (ERRATA 2.13): a wait that was given up kept a channel for ever.
TEST(generation, keeps_nothing_of_a_wait_that_was_given_up) {  // GL3
  generation flushes;
  const long before = allocations;
  for (std::uint64_t number = 0; number != 1000; ++number) ASSERT_FALSE(flushes.wait_for(number, 0s));
  flushes.fire();
  flushes.wait(0);
  EXPECT_EQ(allocations, before);
}

// ---- stress ----

TEST(generation_stress, ends_as_many_as_were_fired) {
  const std::uint64_t rounds = 200'000 / static_cast<std::uint64_t>(fewer_when_sanitized);
  generation flushes;
  const auto fire = [&] {
    for (std::uint64_t n = 0, last = 0; n != rounds; ++n) {
      const std::uint64_t now = flushes.fire();
      ASSERT_GT(now, last);
      last = now;
    }
  };
  std::thread other(fire);
  fire();
  other.join();
  EXPECT_EQ(flushes.current(), 2 * rounds);
}

// Two fire; what each wrote before is seen by who waits for its number, and the number has counted on by then.
TEST(generation_stress, who_is_woken_sees_the_number_and_what_came_before) {  // GL1 GL2 GL4
  const std::uint64_t rounds = 10'000 / static_cast<std::uint64_t>(fewer_when_sanitized);
  generation flushes((std::uint64_t{1} << 32) - rounds);
  const std::uint64_t first = flushes.current();
  std::vector<std::atomic<std::uint64_t>> written(2);
  std::vector<std::thread> threads;
  for (std::size_t me = 0; me != 2; ++me) {
    threads.emplace_back([&, me] {
      for (std::uint64_t n = 0; n != rounds; ++n) {
        written[me].store(n + 1, std::memory_order_relaxed);
        flushes.fire();
        std::this_thread::yield();  // or all is over before anybody waits
      }
    });
  }
  for (std::uint64_t step : {1U, 13U, 500U}) {
    threads.emplace_back([&, step] {
      for (std::uint64_t n = step; n <= 2 * rounds; n += step) {
        const std::uint64_t number = first + n - 1;
        ASSERT_TRUE(woken(flushes, number));
        ASSERT_GT(flushes.current(), number);
        // n fires have been: so many writes must be seen
        ASSERT_GE(written[0].load(std::memory_order_relaxed) + written[1].load(std::memory_order_relaxed), n);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(flushes.current(), first + 2 * rounds);
}

}  // namespace
