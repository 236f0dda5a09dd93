// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/once.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::call_once;
using acqrel::once;
using acqrel::steady_deadline;
using std::chrono::steady_clock;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails

constinit once at_namespace_scope;  // no dynamic initialisation

struct failure : std::runtime_error {
  failure() : std::runtime_error("as told") {}
};

[[noreturn]] void fail() { throw failure(); }

// A function that is running until it is told to end.
class held {
 public:
  explicit held(once& flag, bool throws = false)
      : thread_([this, &flag, throws] {
          try {
            flag.call([&] {
              running_.count_down();
              ended_.wait();
              if (throws) fail();
            });
          } catch (const failure&) {
          }
        }) {
    running_.wait();
  }
  ~held() {
    end();
    thread_.join();
  }
  void end() {
    if (!std::exchange(told_, true)) ended_.count_down();
  }

 private:
  std::latch running_{1}, ended_{1};
  bool told_ = false;
  std::thread thread_;
};

// ---- semantics ----

TEST(once, runs_the_first_function_and_no_other) {  // O1 O4
  once flag;
  int first = 0, second = 0;
  EXPECT_FALSE(flag.done());
  flag.call([&] { ++first; });
  EXPECT_TRUE(flag.done());
  for (int i = 0; i != 3; ++i) flag.call([&] { ++second; });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
}

TEST(once, is_constant_initialised_and_four_bytes) {
  static_assert(sizeof(once) == 4);
  static_assert(!std::is_copy_constructible_v<once> && !std::is_move_constructible_v<once>);
  EXPECT_FALSE(at_namespace_scope.done());
  call_once(at_namespace_scope, [] {});
  EXPECT_TRUE(at_namespace_scope.done());
}

TEST(once, passes_on_arguments_move_only_ones_too) {
  once flag;
  std::unique_ptr<int> kept;
  call_once(
      flag, [](std::unique_ptr<int>& to, std::unique_ptr<int> from) { to = std::move(from); }, kept,
      std::make_unique<int>(7));
  EXPECT_EQ(*kept, 7);
  auto stays = std::make_unique<int>(8);
  flag.call([&kept](std::unique_ptr<int> from) { kept = std::move(from); }, std::move(stays));
  EXPECT_EQ(*kept, 7);
  EXPECT_NE(stays, nullptr) << "nothing is taken for a function that does not run";
}

TEST(once, calls_a_function_object_as_it_was_given) {
  struct counts {
    void operator()() & { ++here, ++*as_lvalue; }
    void operator()() && { ++*as_rvalue; }
    int *as_lvalue, *as_rvalue;
    int here = 0;
  };
  int as_lvalue = 0, as_rvalue = 0;
  counts mine{&as_lvalue, &as_rvalue};
  once a, b;
  a.call(mine);
  EXPECT_EQ(mine.here, 1) << "itself, not a copy";
  b.call(std::move(mine));
  EXPECT_EQ(as_lvalue, 1);
  EXPECT_EQ(as_rvalue, 1);
}

TEST(once, is_callable_again_after_a_function_has_thrown) {  // O5 O6 O8
  once flag;
  for (int i = 0; i != 3; ++i) {
    EXPECT_THROW(flag.call(fail), failure);
    EXPECT_FALSE(flag.done());
  }
  int runs = 0;
  flag.call([&] { ++runs; });
  flag.call(fail);
  EXPECT_EQ(runs, 1);
}

TEST(once, lets_exactly_one_waiter_go_next_after_a_throw) {  // O6, no herd
  once flag;
  auto first = std::make_unique<held>(flag, true);
  std::atomic<int> started{0}, returned{0};
  std::latch second_may_end{1};
  std::vector<std::thread> waiters;
  for (int i = 0; i != 4; ++i) {
    waiters.emplace_back([&] {
      flag.call([&] {
        started.fetch_add(1);
        second_may_end.wait();
      });
      returned.fetch_add(1);
    });
  }
  std::this_thread::sleep_for(5ms);  // most of them are parked
  first.reset();
  while (started.load() == 0) std::this_thread::yield();
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(started.load(), 1);
  EXPECT_EQ(returned.load(), 0) << "nobody returns before it is done";  // O2
  second_may_end.count_down();
  for (auto& waiter : waiters) waiter.join();
  EXPECT_EQ(started.load(), 1);
  EXPECT_EQ(returned.load(), 4);
}

TEST(once, asked_for_from_within_throws_instead_of_hanging) {  // O9
  once flag;
  EXPECT_THROW(flag.call([&] { flag.call([] {}); }), std::logic_error);
  EXPECT_FALSE(flag.done());
  try {
    flag.call([&] { EXPECT_TRUE(flag.call_for(long_enough, [] {})); });
    FAIL() << "a timed call from within hangs as long";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("from within"), std::string::npos) << error.what();
  }
  flag.call([] {});
  EXPECT_TRUE(flag.done()) << "and leaves it callable";
}

TEST(once, asked_for_in_a_circle_of_several_throws) {  // O9
  once a, b, c;
  EXPECT_THROW(a.call([&] { b.call([&] { c.call([&] { a.call([] {}); }); }); }), std::logic_error);
  EXPECT_FALSE(a.done() || b.done() || c.done());
  a.call([&] { b.call([&] { c.call([] {}); }); });
  EXPECT_TRUE(a.done() && b.done() && c.done()) << "others may be called from within";
}

TEST(once, can_be_called_within_a_function_that_caught_such_a_throw) {
  once a, b;
  a.call([&] {
    EXPECT_THROW(b.call([&] { a.call([] {}); }), std::logic_error);
    b.call([] {});
    EXPECT_THROW(a.call([] {}), std::logic_error);
  });
  EXPECT_TRUE(a.done() && b.done());
}

TEST(once, a_waiter_gives_up_while_another_runs) {  // R5
  once flag;
  held running(flag);
  std::stop_source stop;
  const auto not_this_one = [] { FAIL() << "two at a time"; };
  const auto soon = steady_clock::now() + 2ms;
  EXPECT_FALSE(flag.call_until(soon, not_this_one));
  EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
  EXPECT_FALSE(flag.call_for(1ms, not_this_one));
  EXPECT_FALSE(flag.call_for(1ms, stop.get_token(), not_this_one));
  EXPECT_FALSE(flag.call_until(steady_deadline::min(), stop.get_token(), not_this_one));
  std::thread stops([&] {
    std::this_thread::sleep_for(2ms);
    stop.request_stop();
  });
  EXPECT_FALSE(flag.call(stop.get_token(), not_this_one));
  EXPECT_FALSE(flag.call_for(std::chrono::hours::max(), stop.get_token(), not_this_one));
  stops.join();
  EXPECT_FALSE(flag.done());
  running.end();
  EXPECT_TRUE(flag.call_until(steady_deadline::max(), not_this_one));
}

TEST(once, runs_and_is_done_whatever_the_deadline) {
  std::stop_source stop;
  stop.request_stop();
  int runs = 0;
  const auto count = [&] { ++runs; };
  once a, b, c;
  EXPECT_TRUE(a.call_until(steady_deadline::min(), count)) << "a limit is for waiting";
  EXPECT_TRUE(b.call_for(-1s, stop.get_token(), count));
  EXPECT_TRUE(c.call(stop.get_token(), count));
  EXPECT_TRUE(c.call_for(0s, fail)) << "done";
  EXPECT_EQ(runs, 3);
}

TEST(once, a_waiter_that_has_time_goes_next_after_a_throw) {
  once flag;
  held running(flag, true);
  int runs = 0;
  std::thread waiter([&] { EXPECT_TRUE(flag.call_for(long_enough, [&] { ++runs; })); });
  std::this_thread::sleep_for(2ms);
  running.end();
  waiter.join();
  EXPECT_EQ(runs, 1);
}

// ---- stress ----

// Each round some functions throw. `inside` is not atomic: two at a time are a data race, and add up wrongly. Whoever
// returns from call() reads what the function that did not throw wrote.
TEST(once_stress, one_runs_at_a_time_and_all_see_what_it_wrote) {  // O1 O2 O3 O6 O10
  const long rounds = 3000 / fewer_when_sanitized;
  constexpr int callers = 4;
  constexpr int failures = 3;
  struct cell {
    once flag;
    int inside = 0;
    long value = 0;
  };
  std::vector<cell> cells(static_cast<std::size_t>(rounds));
  std::atomic<long> thrown{0};
  std::vector<std::thread> threads;
  for (int i = 0; i != callers; ++i) {
    threads.emplace_back([&] {
      for (long round = 0; round != rounds; ++round) {
        cell& mine = cells[static_cast<std::size_t>(round)];
        for (bool again = true; again;) {
          again = false;
          try {
            mine.flag.call([&] {
              if (mine.inside++ < failures) throw failure();
              mine.value = round + 1;
            });
          } catch (const failure&) {
            thrown.fetch_add(1);
            again = true;
          }
        }
        ASSERT_EQ(mine.value, round + 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(thrown.load(), rounds * failures);
  for (const cell& each : cells) ASSERT_EQ(each.inside, failures + 1);
}

// The sanitizers watch.
TEST(once_stress, whoever_saw_it_done_may_destroy_it) {
  const long rounds = 3000 / fewer_when_sanitized;
  for (long round = 0; round != rounds; ++round) {
    auto* const flag = new once;
    bool mine = false;
    std::thread other([flag] { flag->call([] {}); });
    flag->call([&] { mine = true; });
    if (mine) other.join();
    delete flag;
    if (!mine) other.join();
  }
}

// Waiters come and go while functions throw: whoever stays is not forgotten.
TEST(once_stress, no_wake_up_is_lost_to_those_who_give_up) {
  const long rounds = 300 / fewer_when_sanitized;
  for (long round = 0; round != rounds; ++round) {
    once flag;
    std::atomic<int> runs{0};
    std::vector<std::thread> threads;
    const auto fails_first = [&] {
      std::this_thread::yield();
      if (runs.fetch_add(1) < 4) fail();
    };
    for (int i = 0; i != 6; ++i) {
      threads.emplace_back([&, i] {
        while (!flag.done()) {
          try {
            if (i % 2 != 0) {
              (void)flag.call_for(1us, fails_first);
            } else {
              flag.call(fails_first);
            }
          } catch (const failure&) {
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(runs.load(), 5);
  }
}

// ---- regressions ----

// std::call_once of libstdc++ under ThreadSanitizer: the call after one that threw never returns.
TEST(once, does_not_hang_under_a_sanitizer_after_a_throw) {  // O10
  once flag;
  EXPECT_THROW(flag.call(fail), failure);
  std::thread other([&] { flag.call([] {}); });
  other.join();
  EXPECT_TRUE(flag.done());
}

}  // namespace
