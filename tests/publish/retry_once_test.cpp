// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/retry_once.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::retry_once;
using acqrel::steady_deadline;
using acqrel::testing::fake_clock;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails

constinit retry_once at_namespace_scope;  // no dynamic initialisation

struct failure : std::runtime_error {
  explicit failure(int n) : std::runtime_error("attempt failed"), attempt(n) {}
  int attempt;
};

std::chrono::nanoseconds a_second_each(std::uint32_t failures) noexcept { return failures * 1s; }
std::chrono::nanoseconds for_ever(std::uint32_t) noexcept { return std::chrono::nanoseconds::max(); }
std::chrono::nanoseconds before_now(std::uint32_t) noexcept { return -1h; }

// Exceptions that are looked at are kept until the threads have ended: ThreadSanitizer does not see how libstdc++ counts
// who has them, and takes the end of one for a race with the look.

// The exception that a call throws, or null.
template <class F>
const failure* failure_of(retry_once& it, F&& f) {
  try {
    it.call(f);
  } catch (const failure& error) {
    return &error;
  }
  return nullptr;
}

// Fails until it has run so many times.
struct fails {
  int times;
  int runs = 0;
  void operator()() {
    if (++runs <= times) throw failure(runs);
  }
};

// ---- semantics ----

TEST(retry_once, runs_once_more_than_it_fails_and_then_never) {  // R1 R2
  fails three{.times = 3};
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(at_namespace_scope.attempts(), static_cast<unsigned>(i - 1));
    const failure* const error = failure_of(at_namespace_scope, three);
    ASSERT_NE(error, nullptr);
    EXPECT_FALSE(at_namespace_scope.done());
  }
  for (int i = 0; i != 3; ++i) EXPECT_EQ(failure_of(at_namespace_scope, three), nullptr);
  EXPECT_TRUE(at_namespace_scope.done());
  EXPECT_EQ(three.runs, 4);
  EXPECT_EQ(at_namespace_scope.attempts(), 4U);
}

TEST(retry_once, is_neither_copied_nor_moved) {
  static_assert(!std::is_copy_constructible_v<retry_once> && !std::is_move_constructible_v<retry_once>);
}

// Ten callers, a slow function that fails, and a clock that stands: the document's version took ten times as long for the
// last of them, for each tried in turn.
TEST(retry_once, gives_a_failure_to_all_who_waited_for_it) {  // R4, shared
  fake_clock clock;
  retry_once retry(a_second_each, clock);
  std::latch all_have_started(10);
  int runs = 0;
  std::vector<const failure*> seen(10);
  std::vector<std::thread> callers;
  for (auto& mine : seen) {
    callers.emplace_back([&] {
      all_have_started.count_down();
      mine = failure_of(retry, [&] {
        all_have_started.wait();
        throw failure(++runs);
      });
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(runs, 1);
  ASSERT_NE(seen[0], nullptr);
  for (const auto* each : seen) EXPECT_EQ(each, seen[0]) << "the same exception";
}

TEST(retry_once, does_not_try_in_turn_without_a_backoff_either) {
  retry_once retry;
  std::latch running(1), may_end(1);
  std::atomic<int> runs{0};
  const auto slow = [&] {
    if (runs.fetch_add(1) == 0) running.count_down();
    may_end.wait();
    throw failure(1);
  };
  std::vector<const failure*> seen(10);
  std::vector<std::thread> callers;
  for (auto& mine : seen) callers.emplace_back([&] { mine = failure_of(retry, slow); });
  running.wait();
  std::this_thread::sleep_for(20ms);  // most of them wait by now; who comes late tries for itself
  may_end.count_down();
  for (auto& caller : callers) caller.join();
  for (const auto* each : seen) EXPECT_NE(each, nullptr);
  EXPECT_LT(runs.load(), 8);
}

// One who waited for the first attempt hears of the first, though the second has failed when it wakes up.
TEST(retry_once, gives_each_the_failure_of_its_own_attempt) {
  std::exception_ptr kept[2];
  retry_once retry;
  std::latch running(1), may_end(1);
  int waited_for = 0;
  std::thread first([&] {
    (void)failure_of(retry, [&] {
      running.count_down();
      may_end.wait();
      throw failure(1);
    });
  });
  running.wait();
  std::thread waiter([&] {
    try {
      retry.call([] { throw failure(3); });
    } catch (const failure& error) {
      waited_for = error.attempt;
      kept[0] = std::current_exception();
    }
  });
  std::this_thread::sleep_for(5ms);
  may_end.count_down();
  first.join();
  try {
    retry.call([] { throw failure(2); });
    FAIL() << "it throws";
  } catch (const failure& error) {
    EXPECT_NE(error.attempt, 1) << "a call that begins later does not hear of an attempt that has ended";
    kept[1] = std::current_exception();
  }
  waiter.join();
  EXPECT_NE(waited_for, 2);
  EXPECT_NE(waited_for, 0);
}

TEST(retry_once, throws_the_last_failure_at_once_until_the_backoff_is_over) {
  fake_clock clock;
  retry_once retry(a_second_each, clock);
  fails two{.times = 2};
  const failure* const first = failure_of(retry, two);
  clock.advance(1s - 1ns);
  EXPECT_EQ(failure_of(retry, two), first);
  EXPECT_EQ(two.runs, 1);
  EXPECT_THROW((void)retry.call_for(0s, two), failure) << "a refusal is not a time-out";
  clock.advance(1ns);
  EXPECT_NE(failure_of(retry, two), nullptr);
  EXPECT_EQ(two.runs, 2);
  clock.advance(2s - 1ns);
  EXPECT_NE(failure_of(retry, two), nullptr) << "the second failure is followed by two seconds";
  EXPECT_EQ(two.runs, 2);
  clock.advance(1ns);
  EXPECT_EQ(failure_of(retry, two), nullptr);
  EXPECT_EQ(two.runs, 3);
  EXPECT_EQ(retry.attempts(), 3U);
}

TEST(retry_once, takes_any_backoff_there_is) {
  fake_clock clock;
  fails many{.times = 100};
  retry_once never_again(for_ever, clock);
  ASSERT_NE(failure_of(never_again, many), nullptr);
  clock.advance(24h * 365 * 100);
  ASSERT_NE(failure_of(never_again, many), nullptr);
  EXPECT_EQ(many.runs, 1);
  retry_once at_once(before_now, clock);
  ASSERT_NE(failure_of(at_once, many), nullptr);
  ASSERT_NE(failure_of(at_once, many), nullptr);
  EXPECT_EQ(many.runs, 3);
  retry_once by_the_steady_clock(for_ever);
  ASSERT_NE(failure_of(by_the_steady_clock, many), nullptr);
  ASSERT_NE(failure_of(by_the_steady_clock, many), nullptr);
  EXPECT_EQ(many.runs, 4);
}

TEST(retry_once, a_waiter_gives_up_and_the_attempt_goes_on) {  // R5
  retry_once retry;
  std::latch running(1), may_end(1);
  std::thread runner([&] {
    retry.call([&] {
      running.count_down();
      may_end.wait();
    });
  });
  running.wait();
  std::stop_source stop;
  const auto not_this_one = [] { FAIL() << "two at a time"; };
  EXPECT_FALSE(retry.call_for(1ms, not_this_one));
  EXPECT_FALSE(retry.call_until(steady_deadline::min(), not_this_one));
  EXPECT_FALSE(retry.call_for(1ms, stop.get_token(), not_this_one));
  stop.request_stop();
  EXPECT_FALSE(retry.call(stop.get_token(), not_this_one));
  EXPECT_FALSE(retry.call_until(steady_deadline::max(), stop.get_token(), not_this_one));
  EXPECT_FALSE(retry.done());
  may_end.count_down();
  EXPECT_TRUE(retry.call_for(long_enough, not_this_one));
  EXPECT_TRUE(retry.done());
  EXPECT_EQ(retry.attempts(), 1U);
  runner.join();
}

TEST(retry_once, asked_for_from_within_throws_instead_of_hanging) {
  retry_once retry;
  EXPECT_THROW(retry.call([&] { retry.call([] {}); }), std::logic_error);
  EXPECT_FALSE(retry.done());
  retry.call([] {});
  EXPECT_TRUE(retry.done());
}

// The exception of the last attempt dies with the retry_once, that of the one before when nobody looks at it.
TEST(retry_once, lets_exceptions_go) {
  struct counted {
    counted() { ++live(); }
    counted(const counted&) { ++live(); }
    ~counted() { --live(); }
    static int& live() {
      static int count = 0;
      return count;
    }
  };
  {
    retry_once retry;
    for (int i = 0; i != 3; ++i) {
      EXPECT_THROW(retry.call([] { throw counted(); }), counted);
      EXPECT_EQ(counted::live(), 1);
    }
    retry.call([] {});
    EXPECT_EQ(counted::live(), 0);
  }
  EXPECT_EQ(counted::live(), 0);
}

// ---- stress ----

// `runs` and `value` are plain: two functions at a time are a data race. A failure is one of those that were thrown, and
// after them all see what the one that did not throw wrote.
TEST(retry_once_stress, one_runs_at_a_time_and_success_publishes) {  // R1 R3 R6
  const long rounds = 1000 / fewer_when_sanitized;
  constexpr int failures = 3;
  for (long round = 0; round != rounds; ++round) {
    retry_once retry;
    int runs = 0;
    long value = 0;
    std::vector<std::exception_ptr> kept[3];
    std::vector<std::thread> callers;
    for (auto& mine : kept) {
      callers.emplace_back([&] {
        int last = 0;
        for (;;) {
          try {
            retry.call([&] {
              if (++runs <= failures) throw failure(runs);
              value = round;
            });
            break;
          } catch (const failure& error) {
            EXPECT_GT(error.attempt, last) << "no failure is heard of twice";
            last = error.attempt;
            mine.push_back(std::current_exception());
          }
        }
        EXPECT_EQ(value, round);
        EXPECT_TRUE(retry.done());
      });
    }
    for (auto& caller : callers) caller.join();
    ASSERT_EQ(runs, failures + 1);
    ASSERT_EQ(retry.attempts(), static_cast<unsigned>(runs));
  }
}

// The sanitizers watch.
TEST(retry_once_stress, whoever_saw_it_done_may_destroy_it) {
  const long rounds = 2000 / fewer_when_sanitized;
  for (long round = 0; round != rounds; ++round) {
    auto* const retry = new retry_once;
    bool mine = false;
    std::thread other([retry] { retry->call([] {}); });
    retry->call([&] { mine = true; });
    if (mine) other.join();
    delete retry;
    if (!mine) other.join();
  }
}

}  // namespace
