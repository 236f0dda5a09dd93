// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/throttle.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <iostream>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::steady_deadline;
using acqrel::throttle;
using acqrel::testing::fake_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 300;
#else
constexpr int rounds = 3'000;
#endif

// What was called, counted by the caller.
struct tally {
  bool note(const std::optional<std::uint64_t>& answer) {
    ++calls;
    if (!answer) return false;
    ++allowed;
    told += *answer;
    return true;
  }
  tally& operator+=(const tally& other) {
    calls += other.calls, allowed += other.allowed, told += other.told;
    return *this;
  }
  std::uint64_t calls = 0, allowed = 0, told = 0;
};

// A clock that shows each thread something else each time; `seen` is what this thread read last.
thread_local steady_deadline seen;
class wrong_clock final : public acqrel::time_source {
 public:
  steady_deadline now() noexcept override {
    thread_local std::minstd_rand random(
        static_cast<unsigned>(std::hash<std::thread::id>()(std::this_thread::get_id())));
    const auto right = right_.now();
    switch (random() % 4) {
      case 0: return seen = right - std::chrono::seconds(random() % 100);
      case 1: return seen = right + std::chrono::seconds(random() % 100);
      default: return seen = right;
    }
  }
  bool park_until(const acqrel::park_word&, std::uint32_t, steady_deadline) noexcept override { return false; }
  void advance(std::chrono::seconds by) noexcept { right_.advance(by); }

 private:
  fake_clock right_;
};

// ---- semantics ----

// T1
TEST(throttle, allows_the_first_call_whatever_the_clock_shows) {
  for (const auto start : {steady_deadline::min(), steady_deadline(-1h), steady_deadline(), steady_deadline(1ns),
                           steady_deadline::max() - 1ns, steady_deadline::max()}) {
    fake_clock clock(start);
    throttle one(1min, clock);
    EXPECT_EQ(one.allow(), 0U) << start.time_since_epoch().count();
    EXPECT_FALSE(one.allow());
  }
}

// T2, T9
TEST(throttle, allows_the_next_exactly_an_interval_later) {
  fake_clock clock;
  throttle one(1min, clock);
  for (int minute = 0; minute != 3; ++minute) {
    EXPECT_TRUE(one.allow());
    clock.advance(1min - 1ns);
    EXPECT_FALSE(one.allow());
    clock.advance(1ns);
  }
  clock.advance(1h + 1s);
  EXPECT_TRUE(one.allow());
  clock.advance(1min - 1ns);
  EXPECT_FALSE(one.allow()) << "the interval begins with the call that was allowed";
}

// T4, T8
TEST(throttle, tells_who_is_allowed_how_many_were_not) {
  fake_clock clock;
  throttle one(1s, clock);
  EXPECT_EQ(one.allow(), 0U);
  for (int i = 0; i != 5; ++i) EXPECT_FALSE(one.allow());
  clock.advance(1s);
  EXPECT_EQ(one.allow(), 5U);
  clock.advance(1s);
  EXPECT_EQ(one.allow(), 0U);
  for (int i = 0; i != 3; ++i) EXPECT_FALSE(one.allow());
  EXPECT_EQ(one.take_skipped(), 3U);
  EXPECT_EQ(one.take_skipped(), 0U);
  EXPECT_FALSE(one.allow());
  clock.advance(1s);
  EXPECT_EQ(one.allow(), 1U);
  EXPECT_EQ(one.skipped(), 9U);
}

// T5, T6
TEST(throttle, waits_for_a_clock_that_was_set_back) {
  fake_clock clock;
  throttle one(1min, clock);
  const auto start = clock.now();
  EXPECT_TRUE(one.allow());
  clock.set(start - 1h);
  EXPECT_FALSE(one.allow());
  clock.set(start + 1min - 1ns);
  EXPECT_FALSE(one.allow());
  clock.advance(1ns);
  EXPECT_TRUE(one.allow());
}

// T6
TEST(throttle, takes_a_time_that_is_given_for_a_reason_to_refuse_only) {
  fake_clock clock;
  throttle one(10s, clock);
  const auto start = clock.now();
  EXPECT_TRUE(one.allow(start));
  EXPECT_FALSE(one.allow(start + 24h)) << "a bad reading";
  EXPECT_FALSE(one.allow(steady_deadline::max()));
  clock.advance(10s);
  EXPECT_FALSE(one.allow(start)) << "old";
  EXPECT_FALSE(one.allow(steady_deadline::min()));
  clock.advance(10s);
  EXPECT_TRUE(one.allow(start + 10s)) << "old, but late enough";
  EXPECT_FALSE(one.allow(start + 20s)) << "allowed by the clock: that was now";
  clock.advance(10s);
  EXPECT_TRUE(one.allow(start + 30s));
  EXPECT_EQ(one.skipped(), 5U);
}

TEST(throttle, believes_its_own_clock) {
  fake_clock clock;
  throttle one(1min, clock);
  const auto start = clock.now();
  clock.set(start + 24h);
  EXPECT_TRUE(one.allow());
  clock.set(start + 24h + 1min - 1ns);
  EXPECT_FALSE(one.allow());
  clock.advance(1ns);
  EXPECT_TRUE(one.allow());
}

// T7
TEST(throttle, allows_every_call_without_an_interval) {
  fake_clock clock;
  throttle one(0s, clock);
  for (int i = 0; i != 5; ++i) EXPECT_EQ(one.allow(), 0U);
  clock.set(steady_deadline::min());
  EXPECT_EQ(one.allow(), 0U);
  EXPECT_EQ(one.skipped(), 0U);
}

// T7
TEST(throttle, refuses_a_negative_interval) {
  EXPECT_THROW(throttle(-1ns), std::invalid_argument);
  EXPECT_THROW(throttle(std::chrono::duration<double>(-1e-12)), std::invalid_argument);
  EXPECT_THROW(throttle(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())),
               std::invalid_argument);
  EXPECT_THROW(throttle(std::chrono::hours::min()), std::invalid_argument);
}

TEST(throttle, rounds_its_interval_up) {
  fake_clock clock;
  throttle one(std::chrono::duration<double, std::nano>(0.1), clock);
  EXPECT_TRUE(one.allow());
  EXPECT_FALSE(one.allow());
  clock.advance(1ns);
  EXPECT_TRUE(one.allow());
}

TEST(throttle, allows_once_only_if_the_interval_reaches_beyond_the_clock) {
  for (const auto start : {steady_deadline::min(), steady_deadline(1h)}) {
    fake_clock clock(start);
    throttle one(std::chrono::hours::max(), clock);
    EXPECT_TRUE(one.allow());
    clock.set(steady_deadline::max());
    EXPECT_EQ(one.allow().has_value(), start == steady_deadline::min()) << "just 2^63 - 1 ns later";
    EXPECT_FALSE(one.allow());
  }
}

TEST(throttle, stands_ready_before_main) {
  static constinit throttle one(1min);
  EXPECT_TRUE(one.allow());
  EXPECT_FALSE(one.allow());
  EXPECT_FALSE(one.allow(std::chrono::steady_clock::now()));
  static_assert(!std::is_copy_constructible_v<throttle> && !std::is_move_constructible_v<throttle>);
}

// ---- stress ----

// T3. All threads stand at one time, and call together. One is allowed, and told of all who were not the time before.
TEST(throttle_stress, allows_one_of_all_who_call_at_one_time) {
  for (const int threads : {1, 2, 4}) {
    fake_clock clock;
    throttle one(1s, clock);
    std::vector<tally> tallies(static_cast<std::size_t>(threads));
    std::atomic<int> winners{0};
    std::barrier together(threads, [&]() noexcept {
      EXPECT_EQ(winners.exchange(0), clock.now() == steady_deadline(1h) ? 0 : 1);
      clock.advance(1s);
    });
    std::vector<std::thread> callers;
    for (auto& mine : tallies) {
      callers.emplace_back([&] {
        for (int round = 0; round != rounds; ++round) {
          together.arrive_and_wait();
          if (mine.note(one.allow())) ++winners;
        }
        together.arrive_and_wait();
      });
    }
    for (auto& caller : callers) caller.join();
    tally all;
    for (const auto& one_of_them : tallies) all += one_of_them;
    EXPECT_EQ(all.allowed, static_cast<std::uint64_t>(rounds));
    EXPECT_EQ(all.allowed + one.skipped(), all.calls);        // T4
    EXPECT_EQ(all.told + one.take_skipped(), one.skipped());  // T8
  }
}

// T2, T4, T8. While others call, one thread moves the clock and one takes the numbers. By the readings of those who were
// allowed, all are an interval apart, though no two threads read the same. Each refusal is told once.
TEST(throttle_stress, keeps_the_interval_by_clocks_that_disagree) {
  for (const int threads : {1, 3}) {
    wrong_clock clock;
    throttle one(10s, clock);
    std::vector<tally> tallies(static_cast<std::size_t>(threads));
    std::vector<std::vector<steady_deadline>> allowed(static_cast<std::size_t>(threads));
    std::vector<std::thread> callers;
    for (std::size_t i = 0; i != tallies.size(); ++i) {
      callers.emplace_back([&, i] {
        for (int call = 0; call != 10 * rounds; ++call) {
          clock.advance(1s);
          const auto given = clock.now();
          if (tallies[i].note(call % 2 == 0 ? one.allow() : one.allow(given))) allowed[i].push_back(seen);
        }
      });
    }
    std::uint64_t told = 0, before = 0;
    for (int look = 0; look != rounds; ++look) {
      const auto now = one.skipped();
      EXPECT_LE(before, now);
      before = now;
      told += one.take_skipped();
    }
    for (auto& caller : callers) caller.join();
    tally all;
    for (const auto& one_of_them : tallies) all += one_of_them;
    EXPECT_EQ(all.allowed + one.skipped(), all.calls);
    EXPECT_EQ(all.told + told + one.take_skipped(), one.skipped());
    std::vector<steady_deadline> times;
    for (const auto& some : allowed) times.insert(times.end(), some.begin(), some.end());
    std::sort(times.begin(), times.end());
    EXPECT_GT(times.size(), static_cast<std::size_t>(rounds) / 10);
    for (std::size_t i = 1; i < times.size(); ++i) ASSERT_GE(times[i] - times[i - 1], 10s);
  }
}

// By the real clock. However slow the machine: readings that lie an interval apart between the start and the end.
TEST(throttle_stress, lets_two_busy_threads_through_once_a_millisecond) {
  throttle one(1ms);
  const auto start = std::chrono::steady_clock::now(), end = start + 50ms;
  std::atomic<std::uint64_t> allowed{0};
  std::vector<std::thread> callers;
  for (int i = 0; i != 2; ++i) {
    callers.emplace_back([&] {
      while (std::chrono::steady_clock::now() < end) allowed += one.allow().has_value();
    });
  }
  for (auto& caller : callers) caller.join();
  const auto longest = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - start) / 1ms) + 1;
  EXPECT_LE(allowed, longest);
  EXPECT_GE(allowed, 1U);
}

}  // namespace
