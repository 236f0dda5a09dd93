// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable.hpp>

#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::patience;
using acqrel::steady_deadline;
using std::chrono::steady_clock;

constexpr std::uint32_t is_open = 1;
constexpr std::uint32_t has_waiters = 2;

struct door : acqrel::waitable<door> {
  void open() noexcept {
    if ((state.exchange(is_open, std::memory_order_release) & has_waiters) != 0) acqrel::unpark_all(state);
  }
  bool await(const patience& how_long) const noexcept {
    return how_long.await(state, has_waiters,
                          [this] { return (state.load(std::memory_order_acquire) & is_open) != 0; });
  }
  mutable acqrel::park_word state{0};
};

// Waits for a number of openings: the word counts in steps of 4.
struct turnstile : acqrel::waitable_for<turnstile, std::uint32_t> {
  void turn() noexcept {
    const std::uint32_t before = state.load(std::memory_order_relaxed);
    if ((state.exchange((before & ~3U) + 4, std::memory_order_release) & has_waiters) != 0) acqrel::unpark_all(state);
  }
  bool await(std::uint32_t turns, const patience& how_long) const noexcept {
    return how_long.await(state, has_waiters, [&] { return state.load(std::memory_order_acquire) >> 2 >= turns; });
  }
  mutable acqrel::park_word state{0};
};

struct box : acqrel::waitable<box> {
  const int* await(const patience& how_long) const noexcept { return closed.await(how_long) ? &content : nullptr; }
  door closed;
  int content = 7;
};

// ---- semantics ----

TEST(waitable, waits_in_every_form_for_what_is_there_already) {
  door open;
  open.open();
  const std::stop_source stop;
  const auto past = steady_clock::now() - 1h;
  open.wait();
  EXPECT_TRUE(open.wait(stop.get_token()));
  EXPECT_TRUE(open.wait_for(-1s));
  EXPECT_TRUE(open.wait_for(0s, stop.get_token()));
  EXPECT_TRUE(open.wait_until(past));
  EXPECT_TRUE(open.wait_until(past, stop.get_token())) << "what holds wins over a deadline that has passed";
}

TEST(waitable, gives_up_in_every_form_but_wait) {
  const door shut;
  std::stop_source stop;
  const auto soon = steady_clock::now() + 5ms;
  EXPECT_FALSE(shut.wait_until(soon));
  EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
  EXPECT_FALSE(shut.wait_for(1ms));
  EXPECT_FALSE(shut.wait_for(1ms, stop.get_token()));
  EXPECT_FALSE(shut.wait_until(steady_deadline::min()));
  stop.request_stop();
  EXPECT_FALSE(shut.wait(stop.get_token()));
  EXPECT_FALSE(shut.wait_for(long_enough, stop.get_token()));
  EXPECT_FALSE(shut.wait_until(steady_deadline::max(), stop.get_token()));
}

// Each look finds the word changed since the one before, and still not what is waited for.
TEST(waitable, gives_up_in_time_though_the_word_keeps_changing) {
  acqrel::park_word busy{0};
  const auto never = [&] {
    busy.fetch_add(4, std::memory_order_relaxed);
    return false;
  };
  const auto soon = steady_clock::now() + 5ms;
  EXPECT_FALSE(patience(soon).await(busy, has_waiters, never));
  EXPECT_GE(steady_clock::now(), soon);
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  const std::stop_token token = stop.get_token();
  EXPECT_FALSE(patience(token).await(busy, has_waiters, never));
  stopper.join();
}

TEST(waitable, takes_the_longest_times_there_are) {
  door later;
  std::thread opener([&] { later.open(); });
  EXPECT_TRUE(later.wait_for(std::chrono::hours::max()));
  EXPECT_TRUE(later.wait_until(std::chrono::time_point<steady_clock, std::chrono::hours>::max()));
  opener.join();
}

TEST(waitable, wakes_all_who_wait) {
  door later;
  int value = 0;
  std::vector<std::unique_ptr<sleeper>> waiters;
  for (int i = 0; i != 4; ++i) {
    waiters.push_back(std::make_unique<sleeper>([&] {
      EXPECT_TRUE(woken(later));
      EXPECT_EQ(value, 5);
    }));
  }
  for (const auto& waiter : waiters) waiter->until_asleep();
  value = 5;
  later.open();
}

TEST(waitable, waits_for_what_is_asked) {
  turnstile gate;
  std::thread visitors([&] {
    for (int i = 0; i != 3; ++i) {
      std::this_thread::sleep_for(1ms);
      gate.turn();
    }
  });
  EXPECT_FALSE(gate.wait_for(4, 1us));
  gate.wait(3);
  EXPECT_TRUE(gate.wait_until(2, steady_clock::now()));
  EXPECT_FALSE(gate.wait_for(4, 1ms));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(gate.wait(3, stop.get_token()));
  EXPECT_FALSE(gate.wait(4, stop.get_token()));
  EXPECT_FALSE(gate.wait_for(4, long_enough, stop.get_token()));
  EXPECT_FALSE(gate.wait_until(4, steady_deadline::max(), stop.get_token()));
  visitors.join();
}

TEST(waitable, gives_a_reference_where_the_type_awaits_a_pointer) {
  box full;
  full.closed.open();
  static_assert(std::is_same_v<decltype(full.wait()), const int&>);
  static_assert(std::is_same_v<decltype(full.wait_for(1s)), const int*>);
  static_assert(std::is_void_v<decltype(full.closed.wait())>);
  EXPECT_EQ(full.wait(), 7);
  EXPECT_EQ(*full.wait_for(1s), 7);
  const box empty;
  EXPECT_EQ(empty.wait_for(1us), nullptr);
}

// ---- stress ----

// The waiter owns the door and destroys it at once; the sanitizers watch.
TEST(waitable_stress, the_waiter_may_destroy_what_it_waited_for) {
  for (int round = 0; round != 2000; ++round) {
    auto* const one = new door;
    std::thread opener([one] { one->open(); });
    one->wait();
    delete one;
    opener.join();
  }
}

}  // namespace
