// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>
#include <acqrel/task/worker_pool.hpp>

#include "../checked_value.hpp"
#include "../signal/asleep.hpp"

#include <sys/resource.h>

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

using namespace std::chrono_literals;
using acqrel::event;
using acqrel::stop_mode;
using acqrel::task_result;
using acqrel::worker_pool;

constexpr acqrel::steady_deadline long_ago = acqrel::steady_deadline::min();

// Keeps a worker busy from the moment it is there until let go.
struct hold {
  auto job() {
    return [this] {
      begun.notify();
      go.wait();
    };
  }
  event begun, go;
};

// ---- semantics ----

TEST(worker_pool, runs_jobs_and_hands_back_their_values) {  // W12 W13
  worker_pool pool(2);
  int before = 1, written = 0;
  auto sum = pool.submit([&] {
    written = before + 1;
    return std::string("sum");
  });
  auto nothing = pool.submit([] {});
  static_assert(std::is_same_v<decltype(nothing), task_result<void>>);
  EXPECT_TRUE(sum);
  EXPECT_EQ(sum.get(), "sum");
  EXPECT_EQ(written, 2);
  EXPECT_FALSE(sum);
  EXPECT_THROW(sum.get(), acqrel::job_refused) << "once";
  nothing.get();
}

TEST(worker_pool, takes_and_returns_what_can_only_be_moved) {
  worker_pool pool(1);
  auto moved = pool.submit([five = std::make_unique<int>(5)]() mutable { return std::move(five); });
  EXPECT_EQ(*moved.get(), 5);
  static_assert(!std::is_copy_constructible_v<task_result<int>> && !std::is_copy_constructible_v<worker_pool>);
}

TEST(worker_pool, of_nobody_is_refused) {  // W11
  EXPECT_THROW(worker_pool(0), std::invalid_argument);
  try {
    worker_pool none(0);
    FAIL();
  } catch (const std::invalid_argument& refused) {
    EXPECT_NE(std::string(refused.what()).find("give it 1 or more"), std::string::npos) << refused.what();
  }
}

TEST(worker_pool, gives_an_exception_to_its_owner_with_its_type) {  // W9
  worker_pool pool(1);
  struct mine {
    int code;
  };
  auto failed = pool.submit([]() -> int { throw mine{7}; });
  try {
    failed.get();
    FAIL();
  } catch (const mine& caught) {
    EXPECT_EQ(caught.code, 7);
  }
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1) << "the worker goes on";
  EXPECT_EQ(pool.failures(), 0U);
}

TEST(worker_pool, gives_an_exception_without_an_owner_to_the_handler) {  // W9
  std::string said;
  {
    worker_pool pool(1, {.on_exception = [&](std::exception_ptr thrown) {
                       try {
                         std::rethrow_exception(thrown);
                       } catch (const std::exception& error) {
                         said = error.what();
                       }
                     }});
    EXPECT_TRUE(pool.post([] { throw std::runtime_error("disk full"); }));
    pool.stop();
    EXPECT_EQ(pool.failures(), 1U);
  }
  EXPECT_EQ(said, "disk full");
  worker_pool silent(1);
  EXPECT_TRUE(silent.post([] { throw 1; }));
  silent.stop();
  EXPECT_EQ(silent.failures(), 1U);
}

TEST(worker_pool, drains) {  // W1 W2 W5
  worker_pool pool(2);
  std::array<int, 100> ran{};
  for (int& each : ran) EXPECT_TRUE(pool.post([&each] { each += 1; }));
  const auto end = pool.stop(stop_mode::drain);
  EXPECT_TRUE(end.ended);
  EXPECT_TRUE(end.undone.empty());
  for (const int each : ran) EXPECT_EQ(each, 1);
}

TEST(worker_pool, discards_and_says_what) {  // W5 W7
  worker_pool pool(1);
  hold held;
  int ran = 0;
  EXPECT_TRUE(pool.post(held.job()));
  held.begun.wait();
  EXPECT_TRUE(pool.post([&] { ran = 1; }));
  auto kept = pool.submit([&] { return ran = 2; });
  auto dropped = pool.submit([&] { return ran = 3; });
  auto end = pool.stop(stop_mode::discard, long_ago);
  EXPECT_FALSE(end.ended);
  EXPECT_EQ(end.running, 1U);
  held.go.notify();
  ASSERT_EQ(end.undone.size(), 3U);
  EXPECT_TRUE(pool.stop().ended);
  EXPECT_TRUE(pool.stop().undone.empty()) << "each once";
  EXPECT_EQ(ran, 0);
  end.undone[1]();
  EXPECT_EQ(kept.get(), 2) << "run by who stopped the pool";
  EXPECT_FALSE(dropped.done().is_set());
  end.undone.clear();
  EXPECT_THROW(dropped.get(), acqrel::job_dropped);
  EXPECT_EQ(ran, 2);
}

TEST(worker_pool, begins_no_job_once_it_discards) {  // W7
  worker_pool pool(1);
  hold held;
  int ran = 0;
  EXPECT_TRUE(pool.post(held.job()));
  held.begun.wait();
  EXPECT_TRUE(pool.post([&] { ran = 1; }));
  std::size_t undone = 0;
  sleeper stopper([&] { undone = pool.stop(stop_mode::discard).undone.size(); });
  stopper.until_asleep();
  held.go.notify();
  stopper.join();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(undone, 1U);
}

TEST(worker_pool, cuts_a_drain_at_its_deadline) {  // W5 W14
  worker_pool pool(1);
  hold held;
  bool asked = false;
  EXPECT_TRUE(pool.post([&](const std::stop_token& stop) {
    held.begun.notify();
    (void)held.go.wait(stop);
    asked = stop.stop_requested();
  }));
  held.begun.wait();
  EXPECT_TRUE(pool.post([] {}));
  const auto now = std::chrono::steady_clock::now();
  const auto end = pool.stop(stop_mode::drain, now + 5ms);
  EXPECT_GE(std::chrono::steady_clock::now(), now + 5ms);
  EXPECT_EQ(end.undone.size(), 1U);
  EXPECT_TRUE(pool.stop().ended);
  EXPECT_TRUE(asked) << "jobs see the stop";
}

TEST(worker_pool, does_not_ask_jobs_to_stop_while_it_drains) {
  worker_pool pool(1);
  bool asked = true;
  EXPECT_TRUE(pool.post([&](const std::stop_token& stop) { asked = stop.stop_requested(); }));
  pool.stop(stop_mode::drain);
  EXPECT_FALSE(asked);
}

TEST(worker_pool, refuses_what_comes_after_a_stop) {  // W6
  worker_pool pool(1);
  EXPECT_FALSE(pool.is_stopped());
  EXPECT_TRUE(pool.stop().ended) << "before the first job";
  EXPECT_TRUE(pool.is_stopped());
  EXPECT_FALSE(pool.post([] {}));
  auto refused = pool.submit([] { return 1; });
  EXPECT_FALSE(refused);
  EXPECT_THROW(refused.get(), acqrel::job_refused);
}

TEST(worker_pool, is_stopped_by_a_job_that_does_not_wait_for_itself) {  // W4
  worker_pool pool(2);
  int later = 0;
  worker_pool::stopped own;
  auto stopper = pool.submit([&] {
    EXPECT_TRUE(pool.post([&] { later = 1; })) << "taken before the stop";
    own = pool.stop(stop_mode::drain);
  });
  stopper.get();
  EXPECT_FALSE(own.ended);
  EXPECT_GE(own.running, 1U);
  EXPECT_TRUE(pool.stop().ended);
  EXPECT_EQ(later, 1);
}

TEST(worker_pool, stops_with_a_token_and_tells_the_owners) {  // W15
  std::stop_source parent;
  worker_pool pool(1, {.stop = parent.get_token()});
  hold held;
  EXPECT_TRUE(pool.post(held.job()));
  held.begun.wait();
  auto dropped = pool.submit([] {});
  EXPECT_TRUE(pool.post([] {}));
  parent.request_stop();
  EXPECT_THROW(dropped.get(), acqrel::job_dropped) << "nobody has called stop()";
  EXPECT_EQ(pool.dropped(), 2U);
  EXPECT_TRUE(pool.token().stop_requested());
  EXPECT_FALSE(pool.post([] {}));
  held.go.notify();
  EXPECT_TRUE(pool.stop().ended);
  EXPECT_TRUE(worker_pool(1, {.stop = parent.get_token()}).is_stopped()) << "one that was requested before";
}

TEST(worker_pool, does_not_stop_its_parent) {  // W15
  std::stop_source parent;
  worker_pool pool(1, {.stop = parent.get_token()});
  pool.stop(stop_mode::discard);
  EXPECT_FALSE(parent.stop_requested());
}

// A worker of the pool waits for the event, and asks for the end.
TEST(worker_pool, stops_with_an_event) {
  for (const auto how : {stop_mode::drain, stop_mode::discard}) {
    event closing;
    worker_pool pool(2);
    EXPECT_TRUE(pool.post([&, how](const std::stop_token& stop) {
      if (closing.wait(stop)) pool.stop(how);
    }));
    hold held;
    EXPECT_TRUE(pool.post([&](const std::stop_token& stop) {
      held.begun.notify();
      if (how == stop_mode::drain) return held.go.wait();
      EXPECT_FALSE(held.go.wait(stop)) << "those that run are asked to stop";
    }));
    held.begun.wait();
    auto last = pool.submit([] { return 1; });
    closing.notify();
    if (how == stop_mode::drain) {
      EXPECT_EQ(last.get(), 1) << "what was taken runs";
      held.go.notify();
    } else {
      EXPECT_THROW(last.get(), acqrel::job_dropped) << "its owner is told";
    }
    EXPECT_TRUE(pool.stop().ended);
    EXPECT_FALSE(pool.post([] {}));
  }
}

TEST(worker_pool, ends_without_the_event_that_would_have_stopped_it) {  // W10
  const event never;
  worker_pool pool(1);
  EXPECT_TRUE(pool.post([&](const std::stop_token& stop) {
    if (never.wait(stop)) pool.stop();
  }));
}

TEST(worker_pool, stops_with_a_cancellation) {  // W15
  const acqrel::cancel_source request;
  const acqrel::cancel_token token = request.token();
  worker_pool pool(1, {.stop = token.stop_token()});
  event begun;
  EXPECT_TRUE(pool.post([&](const std::stop_token& stop) {
    begun.notify();
    const event never;
    EXPECT_FALSE(never.wait(stop));
  }));
  begun.wait();
  auto dropped = pool.submit([] {});
  request.cancel();
  EXPECT_THROW(dropped.get(), acqrel::job_dropped);
  EXPECT_FALSE(pool.post([] {}));
  EXPECT_TRUE(pool.stop().ended);
}

TEST(worker_pool, has_a_queue_with_an_end) {
  worker_pool pool(1, {.queue = 1});
  hold held;
  EXPECT_TRUE(pool.post(held.job()));
  held.begun.wait();
  EXPECT_TRUE(pool.try_post([] {}));
  EXPECT_FALSE(pool.try_post([] {}));
  EXPECT_FALSE(pool.try_submit([] {}));
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(pool.post([] {}, acqrel::patience(now + 3ms)));
  EXPECT_GE(std::chrono::steady_clock::now(), now + 3ms);
  sleeper producer([&] { EXPECT_TRUE(pool.post([] {})); });
  producer.until_asleep();
  held.go.notify();
  producer.join();
  EXPECT_TRUE(pool.stop().ended);
}

TEST(worker_pool, refuses_who_waits_for_room_when_it_stops) {  // W6
  worker_pool pool(1, {.queue = 0});
  hold held;
  EXPECT_TRUE(pool.post(held.job()));
  held.begun.wait();
  sleeper producer([&] { EXPECT_FALSE(pool.post([] {})); });
  producer.until_asleep();
  EXPECT_FALSE(pool.stop(stop_mode::drain, long_ago).ended);
  producer.join();
  held.go.notify();
}

TEST(worker_pool, takes_what_its_jobs_add_even_where_there_is_no_room) {
  worker_pool pool(1, {.queue = 0});
  int ran = 0;
  pool.submit([&] {
        for (int n = 0; n != 10; ++n) EXPECT_TRUE(pool.post([&] { ++ran; }));
      })
      .get();
  pool.stop();
  EXPECT_EQ(ran, 10);
}

TEST(worker_pool, discards_and_joins_when_it_is_destroyed) {  // W10
  int done = 0;
  task_result<int> dropped;
  {
    worker_pool pool(1);
    hold held;
    EXPECT_TRUE(pool.post([&](const std::stop_token& stop) {
      held.begun.notify();
      (void)held.go.wait(stop);
      done = 1;
    }));
    held.begun.wait();
    dropped = pool.submit([&] { return done = 2; });
  }
  EXPECT_EQ(done, 1);
  EXPECT_THROW(dropped.get(), acqrel::job_dropped);
}

TEST(worker_pool, drops_what_has_not_begun_before_it_waits_for_who_waits_for_that) {  // W10
  task_result<void> never;
  event begun, there;
  {
    worker_pool pool(1);
    EXPECT_TRUE(pool.post([&] {
      begun.notify();
      there.wait();
      never.done().wait();
    }));
    begun.wait();
    never = pool.submit([] {});
    there.notify();
  }
  EXPECT_THROW(never.get(), acqrel::job_dropped);
}

// What a worker's thread does when it ends, after its last job.
struct farewell {
  ~farewell() {
    go.wait();
    gone = 1;
  }
  static inline event go;
  static inline int gone = 0;
};

TEST(worker_pool, has_seen_its_workers_off_when_any_of_five_stops_returns) {  // W3
  worker_pool pool(1);
  pool.submit([] { [[maybe_unused]] static thread_local const farewell last; }).get();
  std::deque<sleeper> stops;
  for (int n = 0; n != 5; ++n) {
    stops.emplace_back([&] {
      EXPECT_TRUE(pool.stop().ended);
      EXPECT_EQ(farewell::gone, 1);
    });
  }
  for (const sleeper& each : stops) each.until_asleep();
  farewell::go.notify();
}

TEST(worker_pool, destroys_what_a_job_had_captured_before_its_owner_goes_on) {
  worker_pool pool(1);
  auto captured = std::make_shared<int>(1);
  pool.submit([captured] {}).get();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(worker_pool, uses_no_time_when_there_is_nothing_to_do) {  // W8
  const auto used = [] {
    rusage now{};
    getrusage(RUSAGE_SELF, &now);
    return std::chrono::seconds(now.ru_utime.tv_sec + now.ru_stime.tv_sec) +
           std::chrono::microseconds(now.ru_utime.tv_usec + now.ru_stime.tv_usec);
  };
  const auto rests = [&] {
    const auto before = used();
    std::this_thread::sleep_for(200ms);  // what is measured is a time without events
    EXPECT_LT(used() - before, 50ms);
  };
  worker_pool pool(4);
  hold held[4], last;
  for (auto& each : held) EXPECT_TRUE(pool.post(each.job()));
  for (auto& each : held) each.begun.wait();
  for (auto& each : held) each.go.notify();
  pool.submit([] {}).get();
  rests();
  EXPECT_TRUE(pool.post(last.job()));
  last.begun.wait();
  sleeper stopper([&] { EXPECT_TRUE(pool.stop().undone.empty()); });
  stopper.until_asleep();
  rests();  // closed, with a job that goes on
  last.go.notify();
}

TEST(worker_pool_death, says_what_is_wrong_with_being_destroyed_by_a_job) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto destroy = [] {
    auto* const pool = new worker_pool(1);
    pool->submit([pool] { delete pool; }).get();
  };
  EXPECT_DEATH(destroy(), "destroyed by a job of its own");
}

// ---- stress ----

// The oracle: each job counts itself; all that were taken are either counted, or left, once.
TEST(worker_pool_stress, every_job_taken_runs_once_or_is_left_once) {  // W3 W5 W6
  for (long round = 0; round != 200 / fewer_when_sanitized; ++round) {
    const bool discard = round % 2 == 0;
    worker_pool pool(2, {.queue = round % 3 == 0 ? std::size_t{4} : acqrel::crew::any_number});
    constexpr std::size_t each = 200;
    std::array<std::atomic<int>, 2 * each> ran{};
    std::array<int, 2 * each> taken{};
    std::array<std::size_t, 2> left{};
    std::vector<std::thread> threads;
    for (std::size_t me = 0; me != 2; ++me) {
      threads.emplace_back([&, me] {
        for (std::size_t n = me * each; n != (me + 1) * each; ++n) {
          taken[n] = pool.post([&ran, n] { ran[n].fetch_add(1, std::memory_order_relaxed); }) ? 1 : 0;
        }
      });
      threads.emplace_back([&, me] {
        if (round % 5 != 0) std::this_thread::yield();
        const auto end = pool.stop(discard ? stop_mode::discard : stop_mode::drain);
        EXPECT_TRUE(end.ended);
        left[me] = end.undone.size();
      });
    }
    for (auto& thread : threads) thread.join();
    std::size_t lost = 0;
    for (std::size_t n = 0; n != ran.size(); ++n) {
      const int times = ran[n].load(std::memory_order_relaxed);
      ASSERT_LE(times, taken[n]);
      lost += static_cast<std::size_t>(taken[n] - times);
    }
    ASSERT_EQ(lost, left[0] + left[1]);
    if (!discard) {
      ASSERT_EQ(lost, 0U);
    }
  }
}

// Workers fall asleep and are called again and again; every result comes, without a time limit that would hide a lost call.
TEST(worker_pool_stress, a_job_for_sleeping_workers_is_run) {
  worker_pool pool(3);
  for (long n = 0; n != 20'000 / fewer_when_sanitized; ++n) {
    auto one = pool.submit([n] { return n; });
    auto two = pool.submit([n] { return -n; });
    ASSERT_TRUE(woken(one.done()));
    ASSERT_TRUE(woken(two.done()));
    ASSERT_EQ(one.get() + two.get(), 0);
  }
}

}  // namespace
