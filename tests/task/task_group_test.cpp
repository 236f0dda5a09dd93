// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>
#include <acqrel/task/task_group.hpp>

#include "../checked_value.hpp"
#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

using namespace std::chrono_literals;
using acqrel::event;
using acqrel::task_group;

struct failure {
  int code;
};

// ---- semantics ----

TEST(task_group, sees_what_all_tasks_wrote) {  // E3
  task_group group;
  std::array<int, 10> wrote{};
  for (int& each : wrote) EXPECT_TRUE(group.spawn([&each] { each = 1; }));
  group.wait();
  for (const int each : wrote) EXPECT_EQ(each, 1);
  static_assert(!std::is_copy_constructible_v<task_group>);
}

TEST(task_group, takes_what_can_only_be_moved) {
  task_group group;
  int seen = 0;
  EXPECT_TRUE(group.spawn([&seen, five = std::make_unique<int>(5)] { seen = *five; }));
  group.wait();
  EXPECT_EQ(seen, 5);
}

TEST(task_group, with_a_limit_of_zero_is_refused) { EXPECT_THROW(task_group(0), std::invalid_argument); }

TEST(task_group, throws_the_first_failure_and_keeps_the_rest) {  // E1 E2 E6
  task_group group;
  event first, second;
  EXPECT_TRUE(group.spawn([&] {
    first.notify();
    second.wait();
    throw failure{1};
  }));
  EXPECT_TRUE(group.spawn([&](const std::stop_token& stop) {
    first.wait();
    second.notify();
    const event never;
    EXPECT_FALSE(never.wait(stop)) << "the first failure asks to stop";
    throw failure{2};
  }));
  for (int again = 0; again != 2; ++again) {
    try {
      group.wait();
      FAIL();
    } catch (const failure& thrown) {
      EXPECT_EQ(thrown.code, 1);
    }
    EXPECT_TRUE(group.token().stop_requested());
  }
  EXPECT_EQ(group.failures().size(), 2U);
  EXPECT_THROW((void)group.wait_for(0s), failure);
}

TEST(task_group, refuses_what_comes_after_a_failure) {
  task_group group;
  EXPECT_TRUE(group.spawn([] { throw failure{1}; }));
  const event never;
  EXPECT_FALSE(never.wait(group.token()));
  EXPECT_FALSE(group.spawn([] { FAIL(); }));
  EXPECT_THROW(group.wait(), failure);
}

TEST(task_group, is_stopped_when_a_wait_is_over) {  // E4
  task_group group;
  EXPECT_TRUE(group.spawn([] {}));
  EXPECT_FALSE(group.token().stop_requested());
  group.wait();
  EXPECT_TRUE(group.token().stop_requested());
  EXPECT_TRUE(group.failures().empty());
  EXPECT_FALSE(group.spawn([] { FAIL(); }));
  EXPECT_FALSE(group.try_spawn([] { FAIL(); }));
  group.wait();
}

TEST(task_group, refuses_others_but_not_its_tasks_once_a_wait_has_begun) {
  task_group group(1);
  event begun, go;
  int inner = 0;
  EXPECT_TRUE(group.spawn([&] {
    begun.notify();
    go.wait();
    EXPECT_TRUE(group.spawn([&] { inner = 1; }));
  }));
  begun.wait();
  EXPECT_FALSE(group.wait_for(1ms));
  EXPECT_FALSE(group.spawn([] { FAIL(); }));
  EXPECT_FALSE(group.token().stop_requested());
  go.notify();
  EXPECT_TRUE(woken(group));
  EXPECT_EQ(inner, 1);
}

TEST(task_group, waits_in_every_form) {
  task_group group;
  event go;
  EXPECT_TRUE(group.spawn([&] { go.wait(); }));
  std::stop_source stop;
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(group.wait_until(now + 3ms));
  EXPECT_GE(std::chrono::steady_clock::now(), now + 3ms);
  EXPECT_FALSE(group.wait_for(1ms, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(group.wait(stop.get_token()));
  go.notify();
  EXPECT_TRUE(woken(group));
}

TEST(task_group, says_that_there_is_no_room) {  // E5
  task_group group(1);
  event begun, go;
  EXPECT_TRUE(group.spawn([&] {
    begun.notify();
    go.wait();
  }));
  begun.wait();
  EXPECT_FALSE(group.try_spawn([] { FAIL(); }));
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(group.spawn([] { FAIL(); }, acqrel::patience(now + 3ms)));
  EXPECT_GE(std::chrono::steady_clock::now(), now + 3ms);
  int ran = 0;
  sleeper other([&] { EXPECT_TRUE(group.spawn([&] { ran = 1; })); });
  other.until_asleep();
  go.notify();
  other.join();
  group.wait();
  EXPECT_EQ(ran, 1);
}

TEST(task_group, refuses_who_waits_for_room_when_a_task_fails) {
  task_group group(1);
  event begun, go;
  EXPECT_TRUE(group.spawn([&] {
    begun.notify();
    go.wait();
    throw failure{1};
  }));
  begun.wait();
  sleeper other([&] { EXPECT_FALSE(group.spawn([] { FAIL(); })); });
  other.until_asleep();
  go.notify();
  other.join();
  EXPECT_THROW(group.wait(), failure);
}

TEST(task_group, runs_what_tasks_add_when_there_is_no_room) {
  task_group group(2);
  std::atomic<int> ran{0};
  struct tree {
    void operator()() const {
      ran.fetch_add(1, std::memory_order_relaxed);
      if (depth == 0) return;
      EXPECT_TRUE(group.spawn(tree{group, ran, depth - 1}));
      EXPECT_TRUE(group.spawn(tree{group, ran, depth - 1}));
    }
    task_group& group;
    std::atomic<int>& ran;
    int depth;
  };
  EXPECT_TRUE(group.spawn(tree{group, ran, 6}));
  group.wait();
  EXPECT_EQ(ran.load(std::memory_order_relaxed), 127);
}

TEST(task_group, runs_what_was_taken_before_a_stop) {
  int ran = 0;
  bool asked = false;
  task_group group(1);
  EXPECT_TRUE(group.spawn([&] {
    EXPECT_TRUE(group.spawn([&](const std::stop_token& stop) {
      ran = 1;
      asked = stop.stop_requested();
    }));
    group.request_stop();
    EXPECT_FALSE(group.spawn([] { FAIL(); }));
  }));
  group.wait();
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(asked);
}

TEST(task_group, follows_its_parent_and_not_the_other_way_round) {  // W15
  const acqrel::cancel_source request;
  const acqrel::cancel_token token = request.token();
  task_group follower(4, token.stop_token()), loner(4, token.stop_token());
  event begun;
  EXPECT_TRUE(follower.spawn([&](const std::stop_token& stop) {
    begun.notify();
    const event never;
    EXPECT_FALSE(never.wait(stop));
  }));
  begun.wait();
  loner.request_stop();
  EXPECT_FALSE(token.cancelled());
  EXPECT_FALSE(follower.token().stop_requested());
  request.cancel();
  EXPECT_TRUE(woken(follower));
  EXPECT_FALSE(follower.spawn([] { FAIL(); }));
}

TEST(task_group, stops_and_joins_when_it_is_destroyed) {
  int ended = 0;
  {
    task_group group;
    EXPECT_TRUE(group.spawn([&](const std::stop_token& stop) {
      const event never;
      EXPECT_FALSE(never.wait(stop));
      ended = 1;
      throw failure{1};
    }));
  }
  EXPECT_EQ(ended, 1);
  const task_group unused;
}

TEST(task_group, says_what_is_wrong_with_a_task_that_waits_for_its_own_group) {
  task_group group;
  EXPECT_TRUE(group.spawn([&] { group.wait(); }));
  try {
    group.wait();
    FAIL();
  } catch (const std::logic_error& wrong) {
    EXPECT_NE(std::string(wrong.what()).find("let the group's owner wait"), std::string::npos) << wrong.what();
  }
}

// ---- stress ----

// The oracle counts who runs at once, and that each task ran once.
TEST(task_group_stress, never_more_than_the_limit_run_at_once) {  // E5
  for (const int limit : {1, 2, 3}) {
    task_group group(static_cast<std::size_t>(limit));
    std::atomic<int> now{0}, most{0}, ran{0};
    const int tasks = 6'000 / static_cast<int>(fewer_when_sanitized);
    for (int n = 0; n != tasks; ++n) {
      ASSERT_TRUE(group.spawn([&] {
        const int here = now.fetch_add(1, std::memory_order_relaxed) + 1;
        int seen = most.load(std::memory_order_relaxed);
        while (seen < here && !most.compare_exchange_weak(seen, here, std::memory_order_relaxed)) {
        }
        ran.fetch_add(1, std::memory_order_relaxed);
        std::this_thread::yield();
        now.fetch_sub(1, std::memory_order_relaxed);
      }));
    }
    group.wait();
    EXPECT_EQ(ran.load(std::memory_order_relaxed), tasks);
    EXPECT_LE(most.load(std::memory_order_relaxed), limit);
  }
}

// Two add while tasks fail: who was told that a task was taken finds that it ran, and the wait throws.
TEST(task_group_stress, every_task_taken_runs_also_when_one_fails) {  // E1 E3
  for (int round = 0; round != 100 / fewer_when_sanitized; ++round) {
    constexpr std::size_t each = 50;
    task_group group(3);
    std::array<int, 2 * each> taken{}, ran{};
    std::vector<std::thread> spawners;
    for (std::size_t me = 0; me != 2; ++me) {
      spawners.emplace_back([&, me] {
        for (std::size_t n = me * each; n != (me + 1) * each; ++n) {
          taken[n] = group.spawn([&ran, n] {
            ran[n] += 1;
            if (n % 50 == 30) throw failure{static_cast<int>(n)};
          })
                         ? 1
                         : 0;
        }
      });
    }
    for (auto& spawner : spawners) spawner.join();
    EXPECT_THROW(group.wait(), failure);
    EXPECT_EQ(taken, ran);
    EXPECT_GE(group.failures().size(), 1U);
    EXPECT_LE(group.failures().size(), 2U);
  }
}

}  // namespace
