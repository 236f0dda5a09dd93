// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/one_shot.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::one_shot;
using std::chrono::steady_clock;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails

constinit one_shot<std::string> constant_initialised;

// Throws while it is told to.
struct fussy {
  explicit fussy(bool refuse, int n = 0) : number(n) {
    if (refuse) throw std::runtime_error("refused");
  }
  int number;
};

// ---- semantics ----

TEST(one_shot, is_empty_until_something_is_published) {  // G2
  one_shot<std::string> cell;
  EXPECT_EQ(cell.get(), nullptr);
  EXPECT_TRUE(cell.publish("first"));
  ASSERT_NE(cell.get(), nullptr);
  EXPECT_EQ(*cell.get(), "first");
  EXPECT_EQ(constant_initialised.get(), nullptr);
}

TEST(one_shot, leaves_the_value_with_who_came_second) {
  one_shot<std::unique_ptr<int>> cell;
  EXPECT_TRUE(cell.publish(std::make_unique<int>(1)));
  auto late = std::make_unique<int>(2);
  EXPECT_FALSE(cell.publish(std::move(late)));  // S3
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(*late, 2);
  EXPECT_FALSE(cell.emplace(std::move(late)));
  EXPECT_NE(late, nullptr);
  EXPECT_EQ(**cell.get(), 1);
}

TEST(one_shot, is_empty_again_after_a_throwing_constructor) {
  one_shot<fussy> cell;
  EXPECT_THROW(cell.emplace(true), std::runtime_error);
  EXPECT_EQ(cell.get(), nullptr);
  EXPECT_TRUE(cell.emplace(false, 7));
  EXPECT_EQ(cell.get()->number, 7);
  EXPECT_FALSE(cell.emplace(true)) << "a loser's T is not even built";
}

TEST(one_shot, keeps_waiters_waiting_through_a_throwing_constructor) {
  one_shot<fussy> cell;
  std::thread waiter([&] { EXPECT_EQ(cell.wait().number, 3); });
  std::this_thread::sleep_for(1ms);
  EXPECT_THROW(cell.emplace(true), std::runtime_error);
  EXPECT_EQ(cell.wait_for(1ms), nullptr);
  EXPECT_TRUE(cell.emplace(false, 3));
  waiter.join();
}

TEST(one_shot, tells_a_second_publisher_only_when_the_first_has_finished_or_thrown) {
  for (const bool first_throws : {false, true}) {
    struct slow {
      slow(std::latch& building, std::latch& go_on, bool refuse) : number(1) {
        building.count_down();
        go_on.wait();
        if (refuse) throw std::runtime_error("refused");
      }
      explicit slow(int n) : number(n) {}
      int number;
    };
    one_shot<slow> cell;
    std::latch building(1), go_on(1);
    std::thread first([&] {
      if (first_throws)
        EXPECT_THROW(cell.emplace(building, go_on, true), std::runtime_error);
      else
        EXPECT_TRUE(cell.emplace(building, go_on, false));
    });
    building.wait();
    EXPECT_EQ(cell.get(), nullptr) << "what is still being built is not shown";
    std::thread second([&] {
      EXPECT_EQ(cell.emplace(2), first_throws);
      ASSERT_NE(cell.get(), nullptr) << "a publish has returned, so there is a value";
      EXPECT_EQ(cell.get()->number, first_throws ? 2 : 1);
    });
    std::this_thread::sleep_for(1ms);
    go_on.count_down();
    first.join();
    second.join();
  }
}

TEST(one_shot, is_waited_for_in_every_form) {  // S2 S6
  one_shot<int> cell;
  std::stop_source stop;
  const auto soon = steady_clock::now() + 5ms;
  EXPECT_EQ(cell.wait_until(soon), nullptr);
  EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
  EXPECT_EQ(cell.wait_for(-1s), nullptr);
  stop.request_stop();
  EXPECT_EQ(cell.wait(stop.get_token()), nullptr);
  EXPECT_EQ(cell.wait_for(long_enough, stop.get_token()), nullptr);
  cell.publish(4);
  EXPECT_EQ(cell.wait(), 4);
  EXPECT_EQ(*cell.wait(stop.get_token()), 4);
  EXPECT_EQ(*cell.wait_for(-1s), 4);
  EXPECT_EQ(*cell.wait_until(steady_clock::time_point::min()), 4);
}

TEST(one_shot, wakes_all_who_wait) {  // S1 S5
  one_shot<checked> cell;
  int before = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i != 4; ++i) {
    waiters.emplace_back([&] {
      EXPECT_TRUE(cell.wait().whole());
      EXPECT_EQ(before, 5);
    });
  }
  std::this_thread::sleep_for(1ms);
  before = 5;
  EXPECT_TRUE(cell.emplace(1));
  for (auto& waiter : waiters) waiter.join();
}

template <class Cell, class Value>
concept publishes = requires(Cell& cell, Value&& value) {
  cell.publish(std::forward<Value>(value));
};
template <class Cell>
concept gives_from_a_temporary = requires {
  Cell().get();
};

TEST(one_shot, gives_const_access_only_and_takes_what_the_caller_gives_up) {  // G5
  static_assert(std::is_same_v<decltype(std::declval<one_shot<int>&>().get()), const int*>);
  static_assert(std::is_same_v<decltype(std::declval<one_shot<int>&>().wait()), const int&>);
  static_assert(std::is_same_v<decltype(std::declval<one_shot<int>&>().wait_for(1s)), const int*>);
  static_assert(!publishes<one_shot<std::string>, std::string&> && publishes<one_shot<std::string>, std::string>);
  static_assert(!gives_from_a_temporary<one_shot<int>>);
  static_assert(!std::is_copy_constructible_v<one_shot<int>> && !std::is_move_constructible_v<one_shot<int>>);
  static_assert(noexcept(std::declval<one_shot<int>&>().get()));
  static_assert(sizeof(one_shot<int>) == sizeof(int) + 4);
  SUCCEED();
}

TEST(one_shot, destroys_the_value_once) {
  const long before = checked::live;
  {
    one_shot<checked> full, empty;
    full.emplace(1);
    EXPECT_FALSE(full.emplace(2));
    EXPECT_EQ(checked::live, before + 1);
  }
  EXPECT_EQ(checked::live, before);
}

// ---- stress ----

// Each publisher's value carries its number; all readers see one whole value, that of the one that won.
TEST(one_shot_stress, one_publisher_wins_and_all_see_its_whole_value) {  // S4 S8 G1
  for (long round = 0; round != 2000 / fewer_when_sanitized; ++round) {
    one_shot<checked> cell;
    std::atomic<long> winner{-1}, winners{0};
    std::vector<std::thread> threads;
    std::latch go(4);
    for (long t = 0; t != 2; ++t) {
      threads.emplace_back([&, t] {
        go.arrive_and_wait();
        if (cell.emplace(t)) {
          winner = t;
          ++winners;
        }
        EXPECT_NE(cell.get(), nullptr);
      });
    }
    std::vector<long> seen(2);
    for (auto& mine : seen) {
      threads.emplace_back([&] {
        go.arrive_and_wait();
        const checked& value = cell.wait();
        EXPECT_TRUE(value.whole());
        mine = value.number;
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(winners, 1);
    for (const long number : seen) ASSERT_EQ(number, winner);
  }
}

// Half of the constructors throw; whatever the order, one value comes out and nobody hangs.
TEST(one_shot_stress, some_publisher_succeeds_though_others_throw) {
  for (long round = 0; round != 2000 / fewer_when_sanitized; ++round) {
    one_shot<fussy> cell;
    std::atomic<int> winners{0}, throws{0};
    std::vector<std::thread> threads;
    for (int t = 0; t != 4; ++t) {
      threads.emplace_back([&, t] {
        try {
          if (cell.emplace(t % 2 == 0, t)) ++winners;
        } catch (const std::runtime_error&) {
          ++throws;
        }
      });
    }
    EXPECT_EQ(cell.wait().number % 2, 1);
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(winners, 1);
    ASSERT_LE(throws, 2);
  }
}

// The waiter owns the cell and destroys it at once; the sanitizers watch. One thread publishes for all rounds.
TEST(one_shot_stress, the_waiter_may_destroy_what_it_waited_for) {  // S7
  std::atomic<one_shot<int>*> given{nullptr};
  std::atomic<bool> over{false};
  std::thread publisher([&] {
    while (!over.load(std::memory_order_relaxed)) {
      if (auto* const cell = given.exchange(nullptr)) cell->publish(1);
    }
  });
  for (long round = 0; round != 20'000 / fewer_when_sanitized; ++round) {
    auto* const cell = new one_shot<int>;
    given.store(cell);
    ASSERT_EQ(cell->wait(), 1);
    delete cell;
  }
  over = true;
  publisher.join();
}

}  // namespace
