// Single_flight: one execution of a key at a time, its end reaches all who wait, and the last to leave stops it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/single_flight.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <thread>

namespace {

using acqrel::flight_dropped;
using acqrel::flight_job;
using acqrel::model::expect;
using flights = acqrel::single_flight<int, int>;

// How to park and whether to spin is found out before the threads start, so that nothing is explored of that.
struct futex {
  explicit futex(const char* mode = "futex") {
    setenv("ACQREL_PARK", mode, 1);
    (void)acqrel::park_mode_in_use();
    (void)acqrel::spinner::spinning_pays();
  }
};

struct failure {};

// SF1, SF9. `runs` is plain: two executions at a time, or a caller that is not behind its own, are a race.
MODEL(single_flight, shows_what_the_work_wrote_to_all_who_have_its_value, .shows = {"single_flight.landed"}) {
  const futex mode;
  flights some;
  int runs = 0;
  const auto work = [&](int) { return ++runs; };
  const auto call = [&] {
    const auto got = some.run(1, work);
    expect(*got == 1 || *got == 2, "a value");
    if (got.shared) {
      expect(runs == 1, "one for both");
    }
  };
  std::thread other(call);
  call();
  other.join();
  expect(!some.forget(1), "nothing is under way");
}

// SF2, SF3, X4
MODEL(single_flight, throws_in_all_who_wait_and_is_forgotten) {
  const futex mode;
  flights some;
  int runs = 0;
  const auto call = [&] {
    bool ran = false, threw = false;
    try {
      some.run(1, [&](int) -> int {
        ran = true;
        ++runs;
        throw failure();
      });
    } catch (const failure&) {
      threw = true;
    }
    expect(threw, "it heard of it");
    if (!ran) {
      expect(runs == 1, "the other's, and all it wrote");
    }
  };
  std::thread other(call);
  call();
  other.join();
  expect(!some.forget(1), "nothing is under way");
}

// SF8. It leaves, or it has the value; either way nothing of it is left.
MODEL(single_flight, lets_a_waiter_leave_at_any_time) {
  const futex mode;
  flights some;
  std::thread other([&] { expect(*some.run(1, [](int) { return 1; }) != 0, "a value"); });
  if (const auto got = some.run_for(1, std::chrono::seconds(1), [](int) { return 2; })) {
    expect(*got != 0, "a value");
  }
  other.join();
}

// SF10
MODEL(single_flight, forgets_at_any_time) {
  const futex mode;
  flights some;
  int first = 0, second = 0;
  std::thread other([&] { first = *some.run(1, [](int) { return 1; }); });
  const bool forgot = some.forget(1);
  second = *some.run(1, [](int) { return 2; });
  other.join();
  expect(first == 1 || (first == 2 && !forgot), "the first is not of a flight that began after the call");
  expect(second == 2 || !forgot, "nobody joins what was forgotten");
}

// SF7: a needs b and b needs a. Somebody throws, whatever the order, and nobody waits for ever.
MODEL(single_flight, leaves_no_ring_waiting) {
  const futex mode;
  flights some;
  int thrown[2] = {};
  const auto needs = [&](int key, int other, int& mine) {
    try {
      some.run(key, [&](int) { return *some.run(other, [](int) { return 5; }); });
    } catch (const std::logic_error&) {
      mine = 1;
    }
  };
  std::thread second([&] { needs(2, 1, thrown[1]); });
  needs(1, 2, thrown[0]);
  second.join();
}

// The end of a job is seen by who waits for its value, and by ~single_flight.
template <bool Runs>
void a_job() {
  const futex mode;
  int ran = 0;
  std::thread worker;
  {
    flights some([&](flight_job job) {
      worker = std::thread([job = std::move(job)]() mutable {
        if (Runs) job();
      });
    });
    bool dropped = false;
    try {
      const auto got = some.run_for(1, std::chrono::seconds(1), [&](int) { return ++ran; });
      expect(!got || (*got == 1 && ran == 1), "the value");
    } catch (const flight_dropped&) {
      dropped = true;
    }
    expect(!dropped || !Runs, "dropped only if it is");
  }
  expect(ran == (Runs ? 1 : 0), "the end of all");
  worker.join();
}
MODEL(single_flight, waits_for_a_job_that_runs, .shows = {"single_flight.landed"}) { a_job<true>(); }
MODEL(single_flight, waits_for_a_job_that_is_dropped) { a_job<false>(); }

// SF11. The first caller leaves as another comes: a patient one never has the value of work that was asked to stop.
template <class Flights>
void the_last_leaves_as_one_comes() {
  const futex mode("futex_waitv");  // sleeps until the stop, rather than looking for it every 10 ms
  Flights some;
  std::thread hasty([&] {
    std::stop_source leave;
    (void)some.run(1, leave.get_token(), [&](int, const std::stop_token& stop) {
      leave.request_stop();
      return stop.stop_requested() ? 0 : 1;
    });
  });
  const auto got = some.run(1, [](int) { return 2; });
  expect(*got != 0, "nobody joins work that is asked to stop");
  hasty.join();
}
MODEL(single_flight, the_last_leaves_as_one_comes) { the_last_leaves_as_one_comes<flights>(); }

// ---- twins

enum class mistake { none, hangs_on_a_throw, ends_what_followed, cancels_unlocked, lands_before_it_is_unlisted };

// The library's algorithm, with the mistake: a mutex, a map, and an end to wait for.
template <mistake M>
class twin {
  struct flight {
    std::atomic<std::uint32_t> landed{0};
    bool failed = false;
    int value = 0, callers = 1;
    std::stop_source stop;
  };

 public:
  struct outcome {
    int value;
    bool shared;
    int operator*() const { return value; }
  };

  template <class Work>
  outcome run(int key, Work work) {
    return run(key, std::stop_token(), work);
  }
  template <class Work>
  outcome run(int key, const std::stop_token& limit, Work work) {
    std::shared_ptr<flight> it;
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      auto& entry = under_way_[key];
      if (entry == nullptr) {
        entry = std::make_shared<flight>();
        first = true;
      } else {
        ++entry->callers;
      }
      it = entry;
    }
    if (first) {
      fly(key, *it, limit, work);
    } else {
      while (it->landed.load(std::memory_order_acquire) == 0) acqrel::park(it->landed, 0);
    }
    if (it->failed) throw failure();
    return {it->value, !first};
  }
  bool forget(int key) {
    const std::lock_guard lock(mutex_);
    return under_way_.erase(key) != 0;
  }

 private:
  template <class Work>
  void fly(int key, flight& it, const std::stop_token& limit, Work work) {
    const std::stop_callback leaves(limit, [&] {
      if (M == mistake::cancels_unlocked) {
        {
          const std::lock_guard lock(mutex_);
          if (--it.callers != 0) return;
        }
        it.stop.request_stop();
        unlist(key, it);
        return;
      }
      {
        const std::lock_guard lock(mutex_);
        if (--it.callers != 0) return;
        if (auto at = under_way_.find(key); at != under_way_.end() && at->second.get() == &it) under_way_.erase(at);
      }
      it.stop.request_stop();
    });
    try {
      if constexpr (std::is_invocable_v<Work, int, std::stop_token>) {
        it.value = work(key, it.stop.get_token());
      } else {
        it.value = work(key);
      }
    } catch (const failure&) {
      if (M == mistake::hangs_on_a_throw) throw;
      it.failed = true;
    }
    if (M == mistake::lands_before_it_is_unlisted) land(it);
    unlist(key, it);
    if (M != mistake::lands_before_it_is_unlisted) land(it);
  }
  void unlist(int key, flight& it) {
    const std::lock_guard lock(mutex_);
    const auto at = under_way_.find(key);
    if (at == under_way_.end()) return;
    if (M == mistake::ends_what_followed || at->second.get() == &it) under_way_.erase(at);
  }
  static void land(flight& it) {
    it.landed.store(1, std::memory_order_release);
    acqrel::unpark_all(it.landed);
  }
  std::mutex mutex_;
  std::map<int, std::shared_ptr<flight>> under_way_;
};

// The source document's code, as far as its fetch throws.
template <class Flights>
void two_whose_work_throws() {
  const futex mode;
  Flights some;
  const auto call = [&] {
    try {
      some.run(1, [](int) -> int { throw failure(); });
    } catch (const failure&) {
    }
  };
  std::thread other(call);
  call();
  other.join();
}
MODEL(single_flight, two_whose_work_throws) { two_whose_work_throws<flights>(); }
MODEL(single_flight, the_twin_two_whose_work_throws) { two_whose_work_throws<twin<mistake::none>>(); }
MODEL_FAILS(single_flight, the_documents_waiters_hang_when_fetch_throws, "deadlock") {
  two_whose_work_throws<twin<mistake::hangs_on_a_throw>>();
}

MODEL(single_flight, the_twin_the_last_leaves_as_one_comes) { the_last_leaves_as_one_comes<twin<mistake::none>>(); }
MODEL_FAILS(single_flight, the_twin_that_cancels_before_it_takes_it_off_the_list, "assertion") {
  the_last_leaves_as_one_comes<twin<mistake::cancels_unlocked>>();
}

// The old flight ends while the new one is under way; then one more caller comes: to the new one.
template <class Flights>
void an_old_flight_ends() {
  const futex mode;
  Flights some;
  int young = 0;  // plain: two of the young at a time are a race
  const auto work = [&](int) { return ++young; };
  std::thread other;
  some.run(1, [&](int) {
    some.forget(1);
    other = std::thread([&] { some.run(1, work); });
    return 0;
  });
  some.run(1, work);
  other.join();
}
MODEL(single_flight, the_end_of_an_old_flight_is_not_that_of_the_new) { an_old_flight_ends<flights>(); }
MODEL(single_flight, the_twin_the_end_of_an_old_flight) { an_old_flight_ends<twin<mistake::none>>(); }
MODEL_FAILS(single_flight, the_twin_whose_old_flight_ends_the_new_one, "data race") {
  an_old_flight_ends<twin<mistake::ends_what_followed>>();
}

// A caller who comes after a result was had starts anew.
template <class Flights>
void one_after_the_other() {
  const futex mode;
  Flights some;
  int runs = 0;
  const auto work = [&](int) { return ++runs; };
  std::thread other([&] { some.run(1, work); });
  const int first = *some.run(1, work);
  const int second = *some.run(1, work);
  other.join();
  expect(second > first, "what is kept is stale");
}
MODEL(single_flight, one_after_the_other) { one_after_the_other<flights>(); }
MODEL(single_flight, the_twin_one_after_the_other) { one_after_the_other<twin<mistake::none>>(); }
MODEL_FAILS(single_flight, the_twin_that_lands_before_it_is_unlisted, "assertion") {
  one_after_the_other<twin<mistake::lands_before_it_is_unlisted>>();
}

}  // namespace
