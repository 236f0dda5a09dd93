// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/timer_queue.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::steady_deadline;
using acqrel::timer;
using acqrel::timer_cancel;
using acqrel::timer_queue;
using acqrel::testing::fake_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int many = 10'000;
constexpr int rounds = 500;
#else
constexpr int many = 100'000;
constexpr int rounds = 5'000;
#endif

// Returns when every timer that was due has been called: one armed now comes after them.
void let_all_due_run(timer_queue& timers, fake_clock& clock) {
  timers.arm(clock.now(), [] {}).wait();
}

// ---- semantics ----

TEST(timer_queue, calls_at_the_deadline_and_never_before) {
  fake_clock clock;
  timer_queue timers(clock);
  const auto noon = clock.now() + 10min;
  steady_deadline called{};
  const timer alarm = timers.arm(noon, [&] { called = clock.now(); });
  clock.set(noon - 1ns);
  let_all_due_run(timers, clock);
  EXPECT_EQ(timers.armed(), 1U) << "a nanosecond is left";
  clock.advance(1ns);
  alarm.wait();
  EXPECT_EQ(called, noon);
  EXPECT_EQ(timers.armed(), 0U);
}

TEST(timer_queue, calls_in_the_order_of_deadlines_and_equal_ones_as_they_were_armed) {
  fake_clock clock;
  timer_queue timers(clock);
  const auto start = clock.now();
  std::vector<int> called;
  const int minutes[] = {50, 3, 7, 3, 1, 50, 7};
  std::vector<timer> all;
  for (int i = 0; i != 7; ++i) {
    all.push_back(timers.arm(start + std::chrono::minutes(minutes[i]), [&called, i] { called.push_back(i); }));
    clock.advance(1s);  // the same time is another distance by then
    let_all_due_run(timers, clock);
  }
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(called, (std::vector{4, 1, 3, 2, 6, 0, 5}));
}

TEST(timer_queue, wakes_up_for_the_first_of_those_that_are_close_together) {
  fake_clock clock;
  timer_queue timers(clock);
  const auto noon = clock.now() + 10h;
  const timer second = timers.arm(noon + 2s, [] {});
  const timer first = timers.arm(noon + 1s, [] {});
  const timer third = timers.arm(noon + 3s, [] {});
  let_all_due_run(timers, clock);  // its thread looks when to wake up
  clock.set(noon + 1s);
  EXPECT_TRUE(first.wait_for(30s)) << "by itself: nothing is armed that would wake it";
  clock.set(noon + 2s);
  EXPECT_TRUE(second.wait_for(30s));
}

TEST(timer_queue, calls_what_is_past_at_once_and_what_has_no_end_never) {
  fake_clock clock;
  timer_queue timers(clock);
  int called = 0;
  timer never = timers.arm(steady_deadline::max(), [&] { ADD_FAILURE() << "never came"; });
  timer nor = timers.arm_after(std::chrono::hours::max(), [&] { ADD_FAILURE() << "ages passed"; });
  timers.arm(steady_deadline::min(), [&] { ++called; }).wait();
  timers.arm(std::chrono::time_point<std::chrono::steady_clock, std::chrono::hours>::min(), [&] { ++called; }).wait();
  timers.arm_after(std::chrono::hours::min(), [&] { ++called; }).wait();
  timers.arm_after(-1ns, [&] { ++called; }).wait();
  timers.arm_after(0s, [&] { ++called; }).wait();
  EXPECT_EQ(called, 5);
  clock.set(steady_deadline::max());
  timers.arm(steady_deadline::max() - 1ns, [] {}).wait();
  EXPECT_EQ(never.cancel(), timer_cancel::cancelled);
  EXPECT_EQ(nor.cancel(), timer_cancel::cancelled);
}

TEST(timer_queue, keeps_time_at_both_ends_of_the_clock) {
  for (const auto start : {steady_deadline::min(), steady_deadline(-1ns), steady_deadline::max() - 4h}) {
    fake_clock clock(start);
    timer_queue timers(clock);
    std::vector<int> called;
    const timer second = timers.arm(start + 2h, [&] { called.push_back(2); });
    const timer first = timers.arm(start + 1ns, [&] { called.push_back(1); });
    const timer third = timers.arm(start + 3h, [&] { called.push_back(3); });
    clock.advance(1ns);
    first.wait();
    clock.advance(3h - 2ns);
    second.wait();
    let_all_due_run(timers, clock);
    EXPECT_EQ(called, (std::vector{1, 2}));
    clock.advance(1ns);
    third.wait();
    EXPECT_EQ(called.size(), 3U);
  }
}

TEST(timer_queue, keeps_to_a_clock_that_is_set_back) {
  fake_clock clock;
  timer_queue timers(clock);
  const auto start = clock.now();
  std::vector<int> called;
  const timer late = timers.arm(start + 3h, [&] { called.push_back(3); });
  clock.advance(2h);
  let_all_due_run(timers, clock);
  clock.set(start);
  const timer early = timers.arm(start + 1h, [&] { called.push_back(1); });
  clock.advance(1h - 1ns);
  let_all_due_run(timers, clock);
  EXPECT_TRUE(called.empty()) << "early by the clock as it is now";
  clock.advance(1ns);
  early.wait();
  clock.advance(2h - 1ns);
  let_all_due_run(timers, clock);
  EXPECT_EQ(called, (std::vector{1}));
  clock.advance(1ns);
  late.wait();
  EXPECT_EQ(called, (std::vector{1, 3}));
}

TEST(timer_queue, says_what_cancelling_came_to) {
  fake_clock clock;
  timer_queue timers(clock);
  timer none;
  EXPECT_EQ(none.cancel(), timer_cancel::gone);
  none.wait();

  timer armed = timers.arm_after(1h, [] {});
  EXPECT_FALSE(armed.wait_for(0s));
  EXPECT_EQ(armed.cancel(), timer_cancel::cancelled);
  EXPECT_EQ(armed.cancel(), timer_cancel::gone);
  armed.wait();

  std::promise<void> begun, go_on;
  timer running = timers.arm(clock.now(), [&] {
    begun.set_value();
    go_on.get_future().wait();
  });
  begun.get_future().wait();
  EXPECT_EQ(running.cancel(), timer_cancel::running);
  EXPECT_FALSE(running.wait_for(1ms));
  EXPECT_EQ(timers.armed(), 0U);
  go_on.set_value();
  EXPECT_EQ(running.cancel_and_wait(), timer_cancel::gone);
  EXPECT_EQ(running.cancel(), timer_cancel::gone);
}

TEST(timer_queue, lets_a_function_cancel_and_destroy_its_own_timer) {
  fake_clock clock;
  timer_queue timers(clock);
  std::vector<timer_cancel> said;
  std::promise<void> done;
  timer own;
  own = timers.arm(clock.now() + 1s, [&] {
    said.push_back(own.cancel());
    said.push_back(own.cancel_and_wait());
    timer(std::move(own)).swap(own);
    own = timer();
    done.set_value();
  });
  clock.advance(1s);
  done.get_future().wait();
  EXPECT_EQ(said, (std::vector{timer_cancel::running, timer_cancel::running}));
}

TEST(timer_queue, lets_a_function_arm_and_cancel_others) {
  fake_clock clock;
  timer_queue timers(clock);
  int turns = 0;
  timer other = timers.arm_after(1h, [] { ADD_FAILURE() << "cancelled by then"; });
  timer again;
  std::promise<void> done;
  std::function<void()> turn = [&] {
    if (++turns == 5) return done.set_value();
    EXPECT_EQ(other.cancel(), turns == 1 ? timer_cancel::cancelled : timer_cancel::gone);
    again = timers.arm(clock.now(), std::ref(turn));
  };
  timers.arm(clock.now(), std::ref(turn)).detach();
  done.get_future().wait();
  clock.advance(2h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(turns, 5);
}

TEST(timer_queue, destroys_each_function_once_it_is_no_longer_needed) {
  fake_clock clock;
  const auto held = std::make_shared<int>(0);
  timer called, cancelled, dropped;
  {
    timer_queue timers(clock);
    called = timers.arm(clock.now(), [held] { ++*held; });
    cancelled = timers.arm_after(1h, [held] { ++*held; });
    dropped = timers.arm_after(1h, [held] { ++*held; });
    timers.arm_after(1h, [held] { ++*held; }).detach();
    called.wait();
    EXPECT_EQ(held.use_count(), 4);
    cancelled.cancel();
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1) << "what is pending is destroyed with the queue";
  EXPECT_EQ(*held, 1) << "and not called";
  EXPECT_EQ(dropped.cancel_and_wait(), timer_cancel::gone) << "a timer may outlive its queue";
}

TEST(timer_queue, lets_a_function_own_timers_its_own_among_them) {
  fake_clock clock;
  {
    timer_queue timers(clock);
    for (const auto delay : {0s, 1s}) {
      auto own = std::make_shared<timer>(), other = std::make_shared<timer>();
      *other = timers.arm_after(1s, [] {});
      *own = timers.arm_after(delay, [own, other] {});
    }
    let_all_due_run(timers, clock);
    EXPECT_EQ(timers.armed(), 2U);
  }
}

TEST(timer_queue, cancels_when_the_timer_is_destroyed_or_assigned_to) {
  fake_clock clock;
  timer_queue timers(clock);
  bool wrong = false;
  static_cast<void>(timers.arm_after(1s, [&] { wrong = true; }));
  timer alarm = timers.arm_after(1s, [&] { wrong = true; });
  bool right = false;
  alarm = timers.arm_after(1s, [&] { right = true; });
  clock.advance(1s);
  alarm.wait();
  EXPECT_TRUE(right);
  EXPECT_FALSE(wrong);
}

TEST(timer_queue, takes_functions_that_can_only_be_moved) {
  fake_clock clock;
  timer_queue timers(clock);
  auto value = std::make_unique<int>(6);
  int seen = 0;
  timers.arm(clock.now(), [&seen, value = std::move(value)]() mutable { seen = *std::exchange(value, nullptr); })
      .wait();
  EXPECT_EQ(seen, 6);
  static_assert(!std::is_copy_constructible_v<timer> && !std::is_copy_constructible_v<timer_queue> &&
                !std::is_move_constructible_v<timer_queue>);
}

TEST(timer_queue, waits_for_the_function_that_runs_when_it_is_destroyed) {
  fake_clock clock;
  bool ended = false;
  std::promise<void> begun;
  {
    timer_queue timers(clock);
    timers
        .arm(clock.now(),
             [&] {
               begun.set_value();
               std::this_thread::sleep_for(2ms);
               ended = true;
             })
        .detach();
    begun.get_future().wait();
  }
  EXPECT_TRUE(ended);
}

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(timer_queue, has_a_thread_from_its_first_timer_to_its_end) {
  const auto before = threads_of_this_process();
  {
    timer_queue timers;
    EXPECT_EQ(threads_of_this_process(), before);
    const timer first = timers.arm_after(1h, [] {});
    const timer second = timers.arm_after(2h, [] {});
    EXPECT_EQ(threads_of_this_process(), before + 1);
  }
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST(timer_queue, keeps_to_the_steady_clock_by_itself) {
  timer_queue timers;
  const auto start = std::chrono::steady_clock::now();
  auto called = start;
  const timer later = timers.arm_after(1h, [] {});
  const timer soon = timers.arm_after(3ms, [&] { called = std::chrono::steady_clock::now(); });
  EXPECT_TRUE(soon.wait_for(30s));
  EXPECT_GE(called, start + 3ms);
}

// ---- stress ----

// Random deadlines, near and far, and random cancels, against a sorted map. Every step moves the clock; what is called
// between two steps must be what the map has between the two times, in its order.
TEST(timer_queue_stress, does_as_a_sorted_map_does) {
  const auto seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  fake_clock clock;
  timer_queue timers(clock);
  std::multimap<steady_deadline, int> expected;  // insertion order for equal keys
  std::vector<std::pair<timer, decltype(expected)::iterator>> all;
  std::vector<int> called;
  for (int step = 0; step != 200; ++step) {
    for (int i = 0; i != 50; ++i) {
      const auto delay = std::chrono::nanoseconds(static_cast<std::int64_t>(random() >> (random() % 62 + 2)));
      const auto when = steady_deadline::max() - delay < clock.now() ? steady_deadline::max() : clock.now() + delay;
      const int id = static_cast<int>(all.size());
      all.emplace_back(timers.arm(when, [&called, id] { called.push_back(id); }), expected.emplace(when, id));
    }
    for (int i = 0; i != 20; ++i) {
      auto& [victim, place] = all[random() % all.size()];
      if (victim.cancel() == timer_cancel::cancelled) expected.erase(place);
    }
    // What is due already may be running or not: let it, before the clock moves.
    let_all_due_run(timers, clock);
    clock.advance(std::chrono::nanoseconds(static_cast<std::int64_t>(random() >> (random() % 55 + 8))));
    let_all_due_run(timers, clock);
    std::vector<int> due;
    const auto end = expected.upper_bound(clock.now());
    for (auto at = expected.begin(); at != end; ++at) due.push_back(at->second);
    ASSERT_EQ(called, due) << "step " << step << ", seed " << seed;
    expected.erase(expected.begin(), end);
    called.clear();
    ASSERT_EQ(timers.armed(), expected.size());
  }
}

TEST(timer_queue_stress, holds_a_hundred_thousand_timers) {
  fake_clock clock;
  timer_queue timers(clock);
  std::mt19937_64 random(5);
  int called = 0;
  std::vector<timer> all;
  for (int i = 0; i != many; ++i) {
    all.push_back(timers.arm_after(std::chrono::nanoseconds(random() % 3'600'000'000'000), [&] { ++called; }));
  }
  EXPECT_EQ(timers.armed(), static_cast<std::size_t>(many));
  int cancelled = 0;
  for (int i = 0; i < many; i += 2) cancelled += all[static_cast<std::size_t>(i)].cancel() == timer_cancel::cancelled;
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(cancelled, many / 2);
  EXPECT_EQ(called, many / 2);
}

// Each function counts in its own place. Whoever cancels knows what came of it, and the count must agree: not one call
// more or fewer, and none before its time.
TEST(timer_queue_stress, calls_or_cancels_each_timer_exactly_once) {
  for (int threads : {1, 3}) {
    timer_queue timers;
    std::vector<std::thread> users;
    for (int user = 0; user != threads; ++user) {
      users.emplace_back([&timers, user] {
        std::minstd_rand random(static_cast<unsigned>(user + 1));
        for (int round = 0; round != rounds; ++round) {
          int calls = 0;
          bool early = false;
          const auto when = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 40);
          timer alarm = timers.arm(when, [&] {
            ++calls;
            early = std::chrono::steady_clock::now() < when;
          });
          if (random() % 4 == 0) std::this_thread::yield();
          switch (alarm.cancel_and_wait()) {
            case timer_cancel::cancelled: EXPECT_EQ(calls, 0); break;
            case timer_cancel::gone: EXPECT_EQ(calls, 1); break;
            case timer_cancel::running: ADD_FAILURE() << "after the wait"; break;
          }
          EXPECT_FALSE(early);
        }
      });
    }
    for (auto& user : users) user.join();
    EXPECT_EQ(timers.armed(), 0U);
  }
}

// The function lives in memory that is gone as soon as its timer is: the sanitizers watch.
TEST(timer_queue_stress, what_the_function_uses_may_die_with_the_timer) {
  timer_queue timers;
  for (int round = 0; round != rounds; ++round) {
    const auto bell = std::make_unique<int>(0);
    const timer alarm = timers.arm_after(std::chrono::microseconds(round % 30), [&bell] { ++*bell; });
    if (round % 3 == 0) alarm.wait();
  }
}

}  // namespace
