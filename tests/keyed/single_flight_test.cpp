// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/single_flight.hpp>
#include <acqrel/signal/event.hpp>

#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include "../counted_allocations.hpp"

#include <array>
#include <barrier>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::event;
using acqrel::flight_dropped;
using acqrel::flight_job;
using acqrel::single_flight;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 300;
#else
constexpr int rounds = 3'000;
#endif

using flights = single_flight<int, int>;
static constinit flights before_main;  // constant initialised

struct failure : std::runtime_error {
  explicit failure(int n) : std::runtime_error("failed"), number(n) {}
  int number;
};

const auto not_this_one = [](int) -> int {
  ADD_FAILURE() << "it is under way already";
  return -1;
};
const auto past = acqrel::steady_deadline::min();

// Work of a key that has begun, on a thread of its own, and ends when it is told to.
class under_way {
 public:
  template <class... Limits>
  under_way(flights& where, int key, int result, Limits... limits)
      : runner_([=, this, &where] {
          outcome_ = where.run(key, limits..., [=, this](int) {
            began_.notify();
            end_.wait();
            return result;
          });
        }) {
    began_.wait();
  }
  ~under_way() { end(); }
  flights::outcome end() {
    end_.notify();
    if (runner_.joinable()) runner_.join();
    return outcome_;
  }

 private:
  event began_, end_;
  flights::outcome outcome_;
  std::thread runner_;
};

// An executor that keeps its jobs until they are asked for.
struct shelf {
  void operator()(flight_job job) const {
    const std::lock_guard lock(*mutex);
    jobs->push_back(std::move(job));
  }
  void run_one() const {
    std::optional<flight_job> job;
    {
      const std::lock_guard lock(*mutex);
      job = std::move(jobs->front());
      jobs->pop_front();
    }
    (*job)();
  }
  void drop_all() const {
    std::deque<flight_job> dropped;
    const std::lock_guard lock(*mutex);
    dropped.swap(*jobs);
  }
  std::size_t size() const {
    const std::lock_guard lock(*mutex);
    return jobs->size();
  }
  std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>();
  std::shared_ptr<std::deque<flight_job>> jobs = std::make_shared<std::deque<flight_job>>();
};

// ---- semantics ----

TEST(single_flight, runs_the_work_of_the_key) {
  flights some;
  const auto got = some.run(7, [](int key) { return 2 * key; });
  EXPECT_EQ(*got, 14);
  EXPECT_FALSE(got.shared);
  EXPECT_EQ(*before_main.run(7, [](int key) { return 3 * key; }), 21);
  EXPECT_EQ(*before_main.run(7, [](int key) { return 4 * key; }), 28) << "nothing is kept";
}

// SF1, SF9
TEST(single_flight, gives_one_result_to_all_who_come_meanwhile) {
  flights some;
  under_way first(some, 1, 5);
  std::array<flights::outcome, 3> got;
  {
    std::deque<sleeper> waiters;
    for (auto& mine : got) waiters.emplace_back([&] { mine = some.run(1, not_this_one); });
    for (auto& each : waiters) each.until_asleep();
    const auto firsts = first.end();
    EXPECT_TRUE(firsts.shared);
    EXPECT_EQ(*firsts, 5);
  }
  for (auto& each : got) {
    EXPECT_EQ(*each, 5);
    EXPECT_TRUE(each.shared);
    EXPECT_EQ(each.value, got[0].value) << "the same object";
  }
}

// SF2, SF3, X4
TEST(single_flight, throws_what_the_work_threw_in_all_who_wait) {
  flights some;
  event began, end;
  std::array<std::exception_ptr, 4> kept;
  const auto call = [&](std::exception_ptr& mine) {
    EXPECT_THROW(
        {
          try {
            some.run(1, [&](int) -> int {
              began.notify();
              end.wait();
              throw failure(42);
            });
          } catch (const failure& error) {
            EXPECT_EQ(error.number, 42);
            mine = std::current_exception();
            throw;
          }
        },
        failure);
  };
  std::deque<sleeper> callers;
  callers.emplace_back([&] { call(kept[0]); });
  began.wait();
  for (int i = 1; i != 4; ++i) callers.emplace_back([&, i] { call(kept[static_cast<std::size_t>(i)]); });
  for (auto& each : callers) each.until_asleep();
  end.notify();
  for (auto& each : callers) each.join();
  for (const auto& each : kept) EXPECT_EQ(each, kept[0]) << "one execution, one exception";
  EXPECT_EQ(*some.run(1, [](int) { return 6; }), 6) << "SF4: a failure is not kept";
}

// SF5. Each work waits until the other has begun; and calls whatever it likes.
TEST(single_flight, lets_keys_alone_and_locks_nothing_while_work_runs) {
  flights some;
  std::barrier both(2);
  std::thread other([&] {
    some.run(1, [&](int) {
      both.arrive_and_wait();
      return 1;
    });
  });
  some.run(2, [&](int) {
    both.arrive_and_wait();
    EXPECT_TRUE(some.is_current(2));
    EXPECT_FALSE(some.forget(4));
    return *some.run(3, [](int key) { return key; });
  });
  other.join();
}

// SF8. Whoever is given no time, or asked to stop, leaves; the work goes on for the rest.
TEST(single_flight, lets_a_waiter_leave_when_its_patience_ends) {
  flights some;
  under_way first(some, 1, 5);
  std::stop_source stop;
  EXPECT_FALSE(some.run_for(1, 0s, not_this_one));
  EXPECT_FALSE(some.run_for(1, 1ms, stop.get_token(), not_this_one));
  EXPECT_FALSE(some.run_until(1, past, not_this_one));
  EXPECT_FALSE(some.run_until(1, past, stop.get_token(), not_this_one));
  EXPECT_FALSE(some.run(1, acqrel::patience(past), not_this_one));
  flights::outcome stopped{std::make_shared<int>(1)};
  {
    sleeper waiter([&] { stopped = some.run(1, stop.get_token(), not_this_one); });
    waiter.until_asleep();
    stop.request_stop();
  }
  EXPECT_FALSE(stopped);
  flights::outcome waited;
  {
    sleeper waiter([&] { waited = some.run_for(1, long_enough, not_this_one); });
    waiter.until_asleep();
    EXPECT_EQ(*first.end(), 5);
  }
  EXPECT_EQ(*waited, 5);
}

TEST(single_flight, begins_the_work_of_who_has_no_time) {
  flights some;
  EXPECT_EQ(*some.run_until(1, past, [](int) { return 5; }), 5) << "it is its thread that the work is done on";
}

// SF10
TEST(single_flight, begins_anew_after_forget_while_the_old_goes_on) {
  flights some;
  EXPECT_FALSE(some.forget(1));
  under_way old(some, 1, 5);
  flights::outcome waited;
  sleeper waiter([&] { waited = some.run(1, not_this_one); });
  waiter.until_asleep();
  EXPECT_TRUE(some.forget(1));
  EXPECT_FALSE(some.forget(1));
  under_way young(some, 1, 6);
  EXPECT_EQ(*old.end(), 5);
  waiter.join();
  EXPECT_EQ(*waited, 5) << "who waited already has what it waited for";
  EXPECT_FALSE(some.run_until(1, past, not_this_one)) << "the end of the old is not the end of the new";
  EXPECT_EQ(*young.end(), 6);
}

// SF6, as far as it is ours: the work learns that it must not store its result.
TEST(single_flight, tells_its_work_that_it_was_forgotten) {
  flights some;
  EXPECT_FALSE(some.is_current(1));
  some.run(1, [&](int key) {
    EXPECT_TRUE(some.is_current(key));
    std::thread([&] { EXPECT_FALSE(some.is_current(key)) << "another thread's"; }).join();
    EXPECT_TRUE(some.forget(key));
    EXPECT_FALSE(some.is_current(key));
    some.run(key, [&](int) {
      EXPECT_TRUE(some.is_current(key)) << "the new one";
      return 0;
    });
    EXPECT_FALSE(some.is_current(key));
    return 0;
  });
}

// SF7
TEST(single_flight, throws_where_work_would_wait_for_itself) {
  flights some;
  EXPECT_THROW(some.run(1, [&](int) { return *some.run(1, not_this_one); }), std::logic_error);
  EXPECT_THROW(some.run(1, [&](int) { return *some.run_for(1, 1ms, not_this_one); }), std::logic_error);
  EXPECT_THROW(some.run(1, [&](int) { return *some.run(2, [&](int) { return *some.run(1, not_this_one); }); }),
               std::logic_error);
  EXPECT_EQ(*some.run(1, [](int) { return 5; }), 5);
}

// SF7: a needs b, b needs c, c needs a, each on a thread of its own; two of them by way of another single_flight.
TEST(single_flight, throws_where_threads_would_wait_for_each_other) {
  flights one;
  single_flight<std::string, int> two;
  std::barrier all(3);
  std::atomic<int> thrown{0};
  const auto needs = [&](auto next) {
    return [&, next](const auto&) {
      all.arrive_and_wait();
      try {
        return *next();
      } catch (const std::logic_error&) {
        ++thrown;
        throw;
      }
    };
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    EXPECT_THROW(one.run(1, needs([&] { return two.run("b", [](const auto&) { return 0; }); })), std::logic_error);
  });
  threads.emplace_back([&] {
    EXPECT_THROW(two.run("b", needs([&] { return two.run("c", [](const auto&) { return 0; }); })), std::logic_error);
  });
  threads.emplace_back(
      [&] { EXPECT_THROW(two.run("c", needs([&] { return one.run(1, [](int) { return 0; }); })), std::logic_error); });
  for (auto& each : threads) each.join();
  EXPECT_EQ(thrown, 3) << "one closed the ring; the others had its exception";
}

// Two who need the same third do not need each other.
TEST(single_flight, sees_no_ring_where_there_is_none) {
  flights some;
  under_way third(some, 3, 5);
  std::deque<sleeper> both;
  for (const int key : {1, 2}) {
    both.emplace_back([&some, key] { EXPECT_EQ(*some.run(key, [&](int) { return *some.run(3, not_this_one); }), 5); });
  }
  for (auto& each : both) each.until_asleep();
  third.end();
}

// SF11: the first was asked to stop, and then the second; the work is when both were.
TEST(single_flight, asks_work_to_stop_when_the_last_caller_has_left) {
  flights some;
  event began, stopped;
  std::atomic<bool> may_stop{false};
  std::stop_source first_stops, second_stops;
  flights::outcome first, second{std::make_shared<int>(1)};
  sleeper runner([&] {
    first = some.run(1, first_stops.get_token(), [&](int, const std::stop_token& stop) {
      began.notify();
      const std::stop_callback notice(stop, [&] {
        EXPECT_TRUE(may_stop) << "somebody waits";
        stopped.notify();
      });
      stopped.wait();
      return 5;
    });
  });
  began.wait();
  sleeper waiter([&] { second = some.run(1, second_stops.get_token(), not_this_one); });
  waiter.until_asleep();
  first_stops.request_stop();
  EXPECT_FALSE(stopped.is_set());
  EXPECT_FALSE(some.run_until(1, past, not_this_one)) << "it is not cancelled, and joined";
  EXPECT_FALSE(stopped.is_set());
  may_stop = true;
  second_stops.request_stop();
  waiter.join();
  EXPECT_FALSE(second);
  runner.join();
  EXPECT_EQ(*first, 5) << "it was there, though late";
}

TEST(single_flight, begins_anew_rather_than_join_what_was_cancelled) {
  flights some;
  event began, end;
  std::stop_source stop;
  std::thread runner([&] {
    EXPECT_EQ(*some.run(1, stop.get_token(),
                        [&](int key, const std::stop_token& asked) {
                          began.notify();
                          end.wait();
                          EXPECT_TRUE(asked.stop_requested());
                          EXPECT_FALSE(some.is_current(key));
                          return 5;
                        }),
              5);
  });
  began.wait();
  stop.request_stop();
  EXPECT_EQ(*some.run(1, [](int) { return 6; }), 6);
  end.notify();
  runner.join();
}

TEST(single_flight, joins_work_that_cannot_be_stopped) {
  flights some;
  std::stop_source stop;
  under_way first(some, 1, 5, stop.get_token());
  stop.request_stop();
  EXPECT_FALSE(some.run_until(1, past, not_this_one));
  EXPECT_FALSE(some.run_until(1, past, not_this_one));
  EXPECT_EQ(*first.end(), 5);
}

// By the real clock: however slow the machine, the work ends only when it is asked to.
TEST(single_flight, asks_work_to_stop_at_the_deadline_of_who_runs_it) {
  for (const auto time : {0ms, 5ms}) {
    flights some;
    event stopped;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(some.run_for(1, time, [&](int, const std::stop_token& stop) {
      const std::stop_callback notice(stop, [&] { stopped.notify(); });
      stopped.wait();
      return 5;
    }));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, time);
  }
}

TEST(single_flight, has_an_executor_run_the_work) {
  const shelf jobs;
  flights some(jobs);
  flights::outcome got;
  const std::thread::id here = std::this_thread::get_id();
  sleeper caller([&] {
    got = some.run(1, [=](int key) {
      EXPECT_EQ(std::this_thread::get_id(), here);
      return key + 4;
    });
  });
  caller.until_asleep();
  jobs.run_one();
  caller.join();
  EXPECT_EQ(*got, 5);
  EXPECT_FALSE(got.shared);
}

// SF8: with an executor the first caller leaves as well as any; SF11
TEST(single_flight, lets_the_first_leave_where_an_executor_runs_the_work) {
  const shelf jobs;
  flights some(jobs);
  EXPECT_FALSE(some.run_until(1, past, [](int) { return 5; }));
  EXPECT_EQ(jobs.size(), 1U);
  flights::outcome got;
  sleeper second([&] { got = some.run(1, not_this_one); });
  second.until_asleep();
  jobs.run_one();
  second.join();
  EXPECT_EQ(*got, 5);
  EXPECT_TRUE(got.shared);
  EXPECT_EQ(jobs.size(), 0U);

  bool asked = false;
  EXPECT_FALSE(some.run_until(2, past, [&](int, const std::stop_token& stop) {
    asked = stop.stop_requested();
    return 6;
  }));
  EXPECT_FALSE(some.run_until(2, past, [](int) { return 7; })) << "afresh";
  EXPECT_EQ(jobs.size(), 2U);
  jobs.run_one();
  EXPECT_TRUE(asked);
  jobs.run_one();
}

// SF3
TEST(single_flight, throws_in_all_who_wait_for_a_job_that_was_dropped) {
  const shelf jobs;
  flights some(jobs);
  std::deque<sleeper> waiters;
  for (int i = 0; i != 2; ++i) {
    waiters.emplace_back([&] { EXPECT_THROW(some.run(1, [](int) { return 5; }), flight_dropped); });
    waiters.back().until_asleep();
  }
  jobs.drop_all();
  waiters.clear();
  flights refusing([](flight_job) {});
  EXPECT_THROW(refusing.run(1, [](int) { return 5; }), flight_dropped);
}

TEST(single_flight, passes_on_what_the_executor_throws) {
  flights some([](const flight_job&) { throw failure(7); });
  EXPECT_THROW(some.run(1, [](int) { return 5; }), failure);
  EXPECT_THROW(some.run(1, [](int) { return 5; }), failure) << "nothing is left of the first";
}

TEST(single_flight, runs_a_job_once_and_lets_the_work_die_before_its_waiters_go_on) {
  struct bomb {
    std::shared_ptr<int> alive;
    int operator()(int) const { return 5; }
  };
  const auto alive = std::make_shared<int>(0);
  flights some([&](flight_job job) {
    flight_job moved = std::move(job);
    moved();
    EXPECT_EQ(alive.use_count(), 1);
    moved();
  });
  EXPECT_EQ(*some.run(1, bomb{alive}), 5);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(single_flight, waits_at_its_end_for_the_jobs_that_are_left) {
  const shelf jobs;
  std::atomic<bool> ran{false};
  std::optional<sleeper> owner;
  event left;
  owner.emplace([&] {
    flights some(jobs);
    EXPECT_FALSE(some.run_until(1, past, [&](int) {
      ran = true;
      return 5;
    }));
    EXPECT_FALSE(some.run_until(2, past, [](int) { return 5; }));
    left.notify();
  });
  left.wait();
  owner->until_asleep();
  jobs.run_one();
  EXPECT_TRUE(ran);
  jobs.drop_all();  // dropped is as good
  owner.reset();
}

TEST(single_flight, takes_types_that_move_only_and_values_that_do_not_move) {
  struct stays {
    explicit stays(int n) : number(n) {}
    stays(const stays&) = delete;
    int number;
  };
  struct hash {
    std::size_t operator()(const std::unique_ptr<int>& key) const { return static_cast<std::size_t>(*key); }
  };
  struct equal {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const { return *a == *b; }
  };
  single_flight<std::unique_ptr<int>, stays, hash, equal> some(
      [own = std::make_unique<int>(1)](flight_job job) { job(); });
  const auto got =
      some.run(std::make_unique<int>(1),
               [own = std::make_unique<int>(4)](const std::unique_ptr<int>& key) { return stays(*own + *key); });
  EXPECT_EQ(got->number, 5);
}

TEST(single_flight, lets_values_outlive_it) {
  std::shared_ptr<const std::string> kept;
  {
    single_flight<std::string, std::string> some;
    kept = some.run("a", [](const std::string& key) { return key + "b"; }).value;
  }
  EXPECT_EQ(*kept, "ab");
}

// With one hash for all, and while the lists grow and shrink.
TEST(single_flight, tells_keys_apart_by_more_than_their_hash) {
  struct constant {
    std::size_t operator()(int) const noexcept { return 3; }
  };
  single_flight<int, int, constant> same_hash;
  flights spread;
  const auto nest = [](auto& some, auto&& self, int key) -> int {
    if (key == 100) return 0;
    return 1 + *some.run(key, [&](int) { return self(some, self, key + 1); });
  };
  EXPECT_EQ(nest(same_hash, nest, 0), 100);
  EXPECT_EQ(nest(spread, nest, 0), 100);
  EXPECT_FALSE(spread.forget(7));
}

TEST(single_flight, allocates_once_a_flight) {
  flights some;
  EXPECT_EQ(*some.run(1, [](int) { return 5; }), 5);
  const long before = allocations;
  for (int i = 0; i != 10; ++i) (void)some.run(i, [](int key) { return key; });
  EXPECT_EQ(allocations - before, 10);
}

// ---- stress ----

// SF1, SF2, SF9. Callers of a few keys, who wait for ever or for some microseconds, and work that throws now and then. Oracle: at
// most one execution of a key runs at a time (its count is plain); every value is whole, of its key, and of a later execution
// than any whose value somebody had before its caller came.
TEST(single_flight_stress, runs_no_two_of_a_key_and_gives_everyone_a_result_of_its_time) {
  struct result {
    int key = 0;
    std::uint64_t ended = 0;
    std::uint64_t check = 0;
  };
  constexpr std::size_t keys = 3;
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  for (const bool by_executor : {false, true}) {
    std::atomic<std::uint64_t> time{1};
    std::array<std::atomic<std::uint64_t>, keys> had{};  // the latest result that somebody had
    std::array<int, keys> running{};                     // plain: two at a time are a race
    std::atomic<int> values{0}, failures{0}, left{0};
    std::optional<single_flight<int, result>> some;
    if (by_executor) {
      some.emplace([](flight_job job) { std::thread([job = std::move(job)]() mutable { job(); }).detach(); });
    } else {
      some.emplace();
    }
    std::vector<std::thread> callers;
    for (unsigned i = 0; i != 3; ++i) {
      callers.emplace_back([&, i] {
        std::minstd_rand random(seed + i);
        const int calls = by_executor ? rounds / 3 : 3 * rounds;
        for (int call = 0; call != calls; ++call) {
          const int key = static_cast<int>(random() % keys);
          const bool fails = random() % 4 == 0;
          const auto known = had[static_cast<std::size_t>(key)].load();
          const auto work = [&, fails](int mine) {
            auto& count = running[static_cast<std::size_t>(mine)];
            EXPECT_EQ(++count, 1);
            if (fails) std::this_thread::yield();
            --count;
            if (fails) throw failure(mine);
            const auto now = ++time;
            return result{mine, now, now * 3};
          };
          try {
            const auto got = random() % 3 == 0 ? some->run_for(key, std::chrono::microseconds(random() % 20), work)
                                               : some->run(key, work);
            if (!got) {
              ++left;
              continue;
            }
            ++values;
            EXPECT_EQ(got->key, key);
            EXPECT_EQ(got->check, got->ended * 3);
            EXPECT_GT(got->ended, known);
            auto& last = had[static_cast<std::size_t>(key)];
            for (auto seen = last.load(); seen < got->ended && !last.compare_exchange_weak(seen, got->ended);) {
            }
          } catch (const failure&) {
            ++failures;
          }
        }
      });
    }
    for (auto& each : callers) each.join();
    some.reset();
    EXPECT_GT(values, 0);
    EXPECT_GT(failures, 0);
  }
}

// Each caller leaves at once, and comes again as others leave. Oracle: an execution whose stop was requested is joined by nobody who
// came later, so a caller with patience never gets a cancelled result, which is 0.
TEST(single_flight_stress, nobody_joins_a_cancelled_flight) {
  const shelf jobs;
  std::atomic<bool> over{false};
  std::thread worker([&] {
    while (!over || jobs.size() != 0) {
      if (jobs.size() != 0) jobs.run_one();
      std::this_thread::yield();
    }
  });
  for (const int threads : {1, 2}) {  // one leaves nobody behind
    flights some(jobs);
    const auto work = [](int, const std::stop_token& stop) {
      for (int i = 0; i != 50 && !stop.stop_requested(); ++i) std::this_thread::yield();  // callers spin for less
      return stop.stop_requested() ? 0 : 1;
    };
    std::vector<std::thread> callers;
    for (int i = 0; i != threads; ++i) {
      callers.emplace_back([&] {
        for (int round = 0; round != rounds / 3; ++round) {
          (void)some.run_until(1, past, work);
          EXPECT_EQ(*some.run(1, work), 1);
        }
      });
    }
    for (auto& each : callers) each.join();
  }
  over = true;
  worker.join();
}

}  // namespace
