// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/monotonic_clock.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::monotonic_clock;
using acqrel::steady_deadline;
using acqrel::testing::fake_clock;
using std::chrono::nanoseconds;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int calls = 5'000;
#else
constexpr int calls = 50'000;
#endif

nanoseconds shown(monotonic_clock& clock) { return clock.now().time_since_epoch(); }
nanoseconds shown(fake_clock& clock) { return clock.now().time_since_epoch(); }

// ---- semantics ----

TEST(monotonic_clock, shows_what_its_source_shows) {
  fake_clock source;
  monotonic_clock clock(source);
  for (const nanoseconds passed : {1ns, nanoseconds(5ms), nanoseconds(1h)}) {
    EXPECT_GE(shown(clock), shown(source));
    source.advance(passed + 1ns);
    EXPECT_EQ(shown(clock), shown(source));
  }
  EXPECT_EQ(clock.drift(), 0ns);
}

TEST(monotonic_clock, is_near_the_wall_clock) {
  static constinit monotonic_clock clock;
  const auto before = std::chrono::system_clock::now();
  const auto now = clock.now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

// MC1, MC4
TEST(monotonic_clock, adds_a_nanosecond_for_each_call_while_its_source_stands) {
  fake_clock source;
  monotonic_clock clock(source);
  const auto start = shown(source);
  for (int i = 0; i != 1000; ++i) EXPECT_EQ(shown(clock), start + nanoseconds(i));
  source.advance(500ns);
  EXPECT_EQ(shown(clock), start + 1000ns) << "still ahead";
  source.advance(501ns);
  EXPECT_EQ(shown(clock), start + 1001ns);
  source.advance(1us);
  EXPECT_EQ(shown(clock), shown(source)) << "caught up";
}

// MC3
TEST(monotonic_clock, passes_as_fast_as_its_source_after_that_was_set_back) {
  fake_clock source;
  monotonic_clock clock(source);
  auto last = shown(clock);
  for (int i = 1; i != 4; ++i) {
    source.advance(-1h);
    EXPECT_EQ(shown(clock), last + 1ns);
    EXPECT_EQ(clock.drift(), i * nanoseconds(1h));
    source.advance(1000s);
    EXPECT_EQ(shown(clock), last + 1000s) << "the document's would show 1,000 ns more";
    last += 1000s;
  }
  source.advance(1h);
  EXPECT_EQ(shown(clock), last + 1h) << "a step forward is followed";
  EXPECT_EQ(clock.drift(), 3h);
}

// MC3
TEST(monotonic_clock, makes_up_for_small_steps) {
  fake_clock source;
  monotonic_clock clock(source);
  const auto start = shown(clock);
  source.advance(-monotonic_clock::step);
  EXPECT_EQ(shown(clock), start + 1ns);
  EXPECT_EQ(clock.drift(), 0ns);
  source.advance(monotonic_clock::step + 2ns);
  EXPECT_EQ(shown(clock), start + 2ns);
  source.advance(-monotonic_clock::step - 1ns);
  EXPECT_EQ(shown(clock), start + 3ns);
  EXPECT_EQ(clock.drift(), monotonic_clock::step + 1ns);
}

// MC4. However often it is called while the source stands, it is ahead of source and drift by a step at most, and of the
// source alone by a nanosecond for each call.
TEST(monotonic_clock, is_never_ahead_by_more_than_a_step) {
  fake_clock source;
  monotonic_clock clock(source);
  const auto start = shown(source);
  for (int i = 0; i != 2'100'000; ++i) {
    const auto now = shown(clock);
    ASSERT_LE(now - start - clock.drift(), monotonic_clock::step + 1ns);
    ASSERT_EQ(now - start, nanoseconds(i));
  }
  EXPECT_GT(clock.drift(), 2 * monotonic_clock::step);
}

// MC5
TEST(monotonic_clock, stands_at_its_end) {
  constexpr auto end = nanoseconds::max();
  fake_clock source(steady_deadline::max() - 2ns);
  monotonic_clock clock(source);
  for (const auto expected : {end - 2ns, end - 1ns, end, end, end}) EXPECT_EQ(shown(clock), expected);
  source.set(steady_deadline::min());
  EXPECT_EQ(shown(clock), end);
  source.advance(1h);
  EXPECT_EQ(shown(clock), end);
  EXPECT_EQ(clock.drift(), end) << "as far as a duration goes";
}

TEST(monotonic_clock, begins_anywhere) {
  for (const auto start : {steady_deadline::min(), steady_deadline(-1h), steady_deadline()}) {
    fake_clock source(start);
    monotonic_clock clock(source);
    const auto first = shown(clock);
    EXPECT_LE(first - shown(source), 1ns);
    EXPECT_GT(shown(clock), first);
    source.set(steady_deadline::max() - 1h);
    EXPECT_EQ(shown(clock), shown(source));
    source.set(start);
    EXPECT_EQ(shown(clock), nanoseconds::max() - 1h + 1ns);
    source.advance(1s);
    EXPECT_EQ(shown(clock), nanoseconds::max() - 1h + 1s);
  }
  static_assert(!std::is_copy_constructible_v<monotonic_clock>);
}

// ---- stress ----

// MC1, MC2. All threads call while one sets the source forth and back: the times of each increase, and no two of all are
// equal. They are ahead of the source by what it was set back, by its greatest step forward and by the calls; no step is
// counted twice, though all threads find it at once.
TEST(monotonic_clock_stress, gives_each_time_once) {
  for (const std::size_t threads : {1U, 2U, 4U}) {
    fake_clock source;
    monotonic_clock clock(source);
    const auto start = shown(source);
    std::vector<std::vector<nanoseconds>> times(threads);
    std::atomic<std::size_t> left{threads};
    std::vector<std::thread> callers;
    for (auto& mine : times) {
      callers.emplace_back([&] {
        mine.reserve(calls);
        for (int i = 0; i != calls; ++i) mine.push_back(shown(clock));
        --left;
      });
    }
    std::minstd_rand random(1);
    nanoseconds forward{0}, back{0};
    while (left != 0) {
      const auto by = std::chrono::milliseconds(random() % 100);
      source.advance(by);
      forward += by;
      if (random() % 4 == 0) {
        source.advance(-1h);
        back += 1h;
      }
      std::this_thread::yield();
    }
    for (auto& caller : callers) caller.join();
    std::vector<nanoseconds> all;
    for (const auto& some : times) {
      ASSERT_TRUE(std::is_sorted(some.begin(), some.end()));
      all.insert(all.end(), some.begin(), some.end());
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
    EXPECT_LE(clock.drift(), back + nanoseconds(all.size()));
    EXPECT_LE(all.back(), start + forward + nanoseconds(all.size()));
  }
}

// MC1. By the real clock, from one thread to the other and back.
TEST(monotonic_clock_stress, increases_from_thread_to_thread) {
  monotonic_clock clock;
  std::atomic<std::int64_t> ball{0};
  const auto play = [&](bool first) {
    for (int i = 0; i != calls / 50; ++i) {
      std::int64_t seen = 0;
      while (((seen = ball.load(std::memory_order_acquire)) & 1) != (first ? 0 : 1)) std::this_thread::yield();
      const auto now = shown(clock).count();
      EXPECT_GT(now, seen >> 1);
      ball.store(now << 1 | (first ? 1 : 0), std::memory_order_release);
    }
  };
  std::thread other([&] { play(false); });
  play(true);
  other.join();
}

}  // namespace
