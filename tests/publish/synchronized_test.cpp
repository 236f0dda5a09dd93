// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/synchronized.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using acqrel::may_refer;
using acqrel::synchronized;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int fewer_when_sanitized = 10;
#else
constexpr int fewer_when_sanitized = 1;
#endif

static_assert(!std::is_copy_constructible_v<synchronized<int>> && !std::is_move_constructible_v<synchronized<int>>);
static_assert(!std::is_copy_assignable_v<synchronized<int>>);
static_assert(sizeof(synchronized<long>) <= 32);
constinit synchronized<int> made_before_main;

// What refers into the value does not leave; each line would, without the rule.
struct task {
  struct promise_type {};
};
static_assert(may_refer<int&> && may_refer<const int&> && may_refer<int&&> && may_refer<int*> &&
              may_refer<const char*>);
static_assert(may_refer<std::vector<int>::iterator> && may_refer<std::map<int, int>::const_iterator>);
static_assert(may_refer<std::string_view> && may_refer<std::span<int>> && may_refer<std::reference_wrapper<int>>);
static_assert(may_refer<std::pair<std::map<int, int>::iterator, bool>> && may_refer<std::tuple<int, int&>>);
static_assert(may_refer<std::optional<std::string_view>> && may_refer<std::vector<int*>> && may_refer<task>);
static_assert(!may_refer<void> && !may_refer<int> && !may_refer<std::string> && !may_refer<void (*)()>);
static_assert(!may_refer<std::vector<std::pair<int, std::string>>> && !may_refer<std::map<std::string, int>>);
static_assert(!may_refer<std::unique_ptr<int>> && !may_refer<std::shared_ptr<const int>> &&
              !may_refer<std::optional<int>>);
static_assert(!may_refer<std::function<int(int&)>> && !may_refer<std::integral_constant<int, 1>>);

int increment(int& n) { return ++n; }

// ---- semantics ----

TEST(synchronized, gives_the_value_to_one_function_after_the_other) {
  synchronized<int> cell(5);
  EXPECT_EQ(cell.with_lock([](int& n) { return ++n; }), 6);
  EXPECT_EQ(cell.with_lock(increment), 7);
  cell.with_lock([](int& n) { n = 1; });
  const auto& same = cell;
  static_assert(std::is_same_v<decltype(same.with_lock(
                                   [](auto& n) { return std::is_const_v<std::remove_reference_t<decltype(n)>>; })),
                               bool>);
  EXPECT_TRUE(same.with_lock([](auto& n) { return std::is_const_v<std::remove_reference_t<decltype(n)>>; }));
  EXPECT_EQ(same.with_lock([](const int& n) { return n; }), 1);
  EXPECT_EQ(made_before_main.with_lock(increment), 1);
}

TEST(synchronized, holds_what_moves_only) {
  synchronized<std::unique_ptr<int>> cell(std::make_unique<int>(1));
  std::unique_ptr<int> out = cell.with_lock([](auto& p) { return std::exchange(p, std::make_unique<int>(2)); });
  EXPECT_EQ(*out, 1);
  out = *cell.try_with_lock_for(1s, [](auto& p) { return std::move(p); });
  EXPECT_EQ(*out, 2);
  synchronized<std::vector<int>> built(std::in_place, 3U, 7);
  EXPECT_EQ(built.with_lock([](auto& v) { return v; }), (std::vector{7, 7, 7}));
  cell.with_lock([in = std::make_unique<int>(3)](auto& p) mutable { p = std::move(in); });
  EXPECT_EQ(cell.with_lock([](auto& p) { return *p; }), 3);
}

TEST(synchronized, runs_in_every_form_when_nobody_is_inside) {
  synchronized<int> cell;
  const std::stop_source stop;
  const auto token = stop.get_token();
  const auto past = steady_clock::now() - 1h;
  EXPECT_EQ(cell.try_with_lock(increment), 1);
  EXPECT_EQ(cell.with_lock(token, increment), 2);
  EXPECT_EQ(cell.try_with_lock_for(-1s, increment), 3);
  EXPECT_EQ(cell.try_with_lock_for(0s, token, increment), 4);
  EXPECT_EQ(cell.try_with_lock_until(past, increment), 5);
  EXPECT_EQ(cell.try_with_lock_until(past, token, increment), 6);
  const auto positive = [](const int& n) { return n > 0; };
  EXPECT_EQ(cell.with_lock_when(positive, increment), 7);
  EXPECT_EQ(cell.with_lock_when(token, positive, increment), 8);
  EXPECT_EQ(cell.try_with_lock_when_for(0s, positive, increment), 9);
  EXPECT_EQ(cell.try_with_lock_when_for(0s, token, positive, increment), 10);
  EXPECT_EQ(cell.try_with_lock_when_until(past, positive, increment), 11);
  EXPECT_EQ(cell.try_with_lock_when_until(past, token, positive, increment), 12);
  static_assert(std::is_same_v<decltype(cell.try_with_lock([](int&) {})), bool>);
  EXPECT_TRUE(cell.try_with_lock([](int&) {}));
}

TEST(synchronized, gives_up_in_every_form_that_may_while_another_is_inside) {
  synchronized<int> cell;
  cell.with_lock([&](int&) {
    std::thread([&] {
      std::stop_source stop;
      const auto token = stop.get_token();
      const auto soon = steady_clock::now() + 5ms;
      EXPECT_FALSE(cell.try_with_lock_until(soon, increment));
      EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
      EXPECT_FALSE(cell.try_with_lock(increment));
      EXPECT_FALSE(cell.try_with_lock_for(1ms, increment));
      EXPECT_FALSE(cell.try_with_lock_for(1ms, token, increment));
      stop.request_stop();
      EXPECT_FALSE(cell.with_lock(token, increment));
      EXPECT_FALSE(cell.try_with_lock_for(long_enough, token, increment));
      EXPECT_FALSE(cell.try_with_lock_until(acqrel::steady_deadline::max(), token, increment));
    }).join();
  });
  EXPECT_EQ(cell.with_lock(increment), 1) << "none of them ran";
}

TEST(synchronized, gives_up_in_every_form_that_may_when_the_condition_does_not_hold) {
  synchronized<int> cell;
  std::stop_source stop;
  const auto token = stop.get_token();
  const auto never = [](const int& n) { return n == 99; };
  const auto soon = steady_clock::now() + 5ms;
  EXPECT_FALSE(cell.try_with_lock_when_until(soon, never, increment));
  EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
  EXPECT_FALSE(cell.try_with_lock_when_for(1ms, never, increment));
  EXPECT_FALSE(cell.try_with_lock_when_for(1ms, token, never, increment));
  EXPECT_FALSE(cell.try_with_lock_when_until(acqrel::steady_deadline::min(), token, never, increment));
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(cell.with_lock_when(token, never, increment));
  EXPECT_EQ(cell.with_lock(increment), 1) << "none of them ran, and none holds the lock";
}

TEST(synchronized, waits_until_a_condition_holds) {
  synchronized<std::vector<int>> queue;
  std::thread consumer([&] {
    for (int wanted = 0; wanted != 100; ++wanted) {
      const int got = queue.with_lock_when([](const auto& q) { return !q.empty(); },
                                           [](auto& q) {
                                             const int first = q.front();
                                             q.erase(q.begin());
                                             return first;
                                           });
      EXPECT_EQ(got, wanted);
    }
  });
  for (int n = 0; n != 100; ++n) queue.with_lock([&](auto& q) { q.push_back(n); });
  consumer.join();
}

TEST(synchronized, wakes_all_whose_condition_may_hold) {
  synchronized<int> cell;
  std::vector<std::thread> waiters;
  for (int n = 1; n <= 4; ++n) {
    waiters.emplace_back([&, n] {  // each waits for the one before
      EXPECT_TRUE(cell.try_with_lock_when_for(
          long_enough, [&](const int& now) { return now == n; }, increment));
    });
  }
  cell.with_lock(increment);
  for (auto& waiter : waiters) waiter.join();
  EXPECT_EQ(cell.with_lock([](int& n) { return n; }), 5);
}

TEST(synchronized, lets_a_throw_pass_and_the_lock_go) {
  synchronized<int> cell;
  std::thread waiter([&] { cell.with_lock_when([](const int& n) { return n == 7; }, increment); });
  EXPECT_THROW(cell.with_lock([](int& n) {
    n = 7;  // a change all the same: who waits for it looks
    throw std::runtime_error("after the change");
  }),
               std::runtime_error);
  waiter.join();
  EXPECT_THROW(cell.with_lock_when([](const int&) -> bool { throw std::runtime_error("condition"); }, increment),
               std::runtime_error);
  EXPECT_EQ(cell.with_lock([](int& n) { return n; }), 8);
}

TEST(synchronized, throws_when_called_inside_itself_instead_of_hanging) {
  synchronized<int> cell, other;
  cell.with_lock([&](int&) {
    EXPECT_THROW(cell.with_lock(increment), std::logic_error);
    EXPECT_THROW((void)cell.try_with_lock_for(1h, increment), std::logic_error);
    EXPECT_THROW(cell.with_lock_when([](const int&) { return true; }, increment), std::logic_error);
    EXPECT_FALSE(cell.try_with_lock(increment));
    EXPECT_EQ(other.with_lock(increment), 1) << "another object is no trouble";
  });
  EXPECT_EQ(cell.with_lock(increment), 1);
}

// ---- stress ----

// Transfers between two accounts keep their sum; whoever looks sees it whole. The oracle is the sum.
TEST(synchronized_stress, every_function_sees_a_whole_value) {
  struct accounts {
    long one = 1000, two = -1000;
  };
  synchronized<accounts> bank;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed != 3; ++seed) {
    threads.emplace_back([&, seed] {
      std::minstd_rand random(seed + 1);
      for (int n = 0; n != 200'000 / fewer_when_sanitized; ++n) {
        const long amount = static_cast<long>(random() % 9) - 4;
        const bool moved = bank.try_with_lock_for(std::chrono::microseconds(random() % 100), [&](accounts& a) {
          a.one += amount;
          a.two -= amount;
        });
        if (!moved) continue;
        EXPECT_EQ(bank.with_lock([](const accounts& a) { return a.one + a.two; }), 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// Two players pass a turn, each waiting for its own; a lost wake-up hangs.
TEST(synchronized_stress, loses_no_change) {
  synchronized<int> turn;
  const int rounds = 10'000 / fewer_when_sanitized;
  const auto play = [&](int parity) {
    for (int n = 0; n != rounds; ++n) turn.with_lock_when([&](const int& t) { return t % 2 == parity; }, increment);
  };
  std::thread odd(play, 1);
  play(0);
  odd.join();
  EXPECT_EQ(turn.with_lock([](int& t) { return t; }), 2 * rounds);
}

// The waiter destroys what it waited for at once; the sanitizers watch.
TEST(synchronized_stress, may_be_destroyed_by_who_waited) {
  for (int round = 0; round != 3000 / fewer_when_sanitized; ++round) {
    auto* const cell = new synchronized<int>;
    std::thread maker([cell] { cell->with_lock(increment); });
    cell->with_lock_when([](const int& n) { return n == 1; }, [](int&) {});
    delete cell;
    maker.join();
  }
}

}  // namespace
