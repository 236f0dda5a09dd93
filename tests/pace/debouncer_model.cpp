// One call for many triggers, never two at once, none after the end. The edges are those of its mutex.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/debouncer.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

using namespace std::chrono_literals;
using acqrel::debouncer;
using acqrel::steady_deadline;
using acqrel::timer;
using acqrel::timer_queue;

// Time stands still: without a delay all is due at once, with one nothing ever is.
class standing_clock final : public acqrel::time_source {
 public:
  standing_clock() { setenv("ACQREL_PARK", "futex", 1); }
  steady_deadline now() noexcept override { return steady_deadline(1h); }
  bool park_until(const acqrel::park_word& word, std::uint32_t expected, steady_deadline) noexcept override {
    acqrel::park(word, expected);
    return true;
  }
};

// The source document's, with a flag for "there is a timer" where it has a pointer.
class documents {
 public:
  explicit documents(timer_queue& timers) : timers_(timers) {}
  void trigger(timer& mine) {
    if (pending_.load(std::memory_order_seq_cst)) return;  // it would stop that one, and start another
    mine = timers_.arm_after(1h, [] {});
    pending_.store(true, std::memory_order_seq_cst);
  }

 private:
  timer_queue& timers_;
  std::atomic<bool> pending_{false};
};

// D1
MODEL(debouncer, arms_one_timer_for_two_triggers) {
  standing_clock clock;
  timer_queue timers(clock);
  debouncer<> one(timers, 1h, [] {});
  std::thread rival([&] { one.trigger(); });
  one.trigger();
  rival.join();
  EXPECT_EQ(timers.armed(), 1U);
}

MODEL_FAILS(debouncer, the_documents_code_arms_two, "assertion") {
  standing_clock clock;
  timer_queue timers(clock);
  documents one(timers);
  timer first, second;
  std::thread rival([&] { one.trigger(first); });
  one.trigger(second);
  rival.join();
  EXPECT_EQ(timers.armed(), 1U);
}

// D6. In the small, since with a timer_queue's thread beside it the search has no end: who cancels waits for who runs, who
// ends the run under the lock, and touches nothing after it but the word's address.
struct small_core {
  explicit small_core(bool waits_for_it) : waits(waits_for_it) { setenv("ACQREL_PARK", "futex", 1); }
  void fire(int& runs) {
    {
      const std::lock_guard lock(mutex);
      if (!pending) return;
      pending = false;
      running = true;
    }
    ++runs;
    {
      const std::lock_guard lock(mutex);
      running = false;
      changes.fetch_add(1, std::memory_order_relaxed);
    }
    acqrel::unpark_all(changes);
  }
  bool cancel_and_wait() {
    bool dropped = false;
    for (;;) {
      std::uint32_t seen = 0;
      {
        const std::lock_guard lock(mutex);
        dropped = dropped || pending;
        pending = false;
        if (!running || !waits) return dropped;
        seen = changes.load(std::memory_order_relaxed);
      }
      acqrel::park(changes, seen);
    }
  }
  const bool waits;
  std::mutex mutex{};
  bool pending = true, running = false;
  acqrel::park_word changes{0};
};

template <bool Waits>
void runs_or_is_cancelled() {
  small_core one(Waits);
  int runs = 0;
  std::thread queue([&] { one.fire(runs); });
  const bool cancelled = one.cancel_and_wait();
  EXPECT_EQ(runs, cancelled ? 0 : 1);
  queue.join();
}

MODEL(debouncer, the_small_copy_runs_or_is_cancelled) { runs_or_is_cancelled<true>(); }
MODEL_FAILS(debouncer, the_small_twin_that_does_not_wait, "data race") { runs_or_is_cancelled<false>(); }

// In the small: who runs what is pending, and says so. Both look, and only then take.
struct small {
  void flush() {
    if (!takes_under_the_lock) {
      bool any = false;
      {
        const std::lock_guard lock(mutex);
        any = pending;
      }
      if (!any) return;
      ++runs;
      const std::lock_guard lock(mutex);
      pending = false;
      return;
    }
    {
      const std::lock_guard lock(mutex);
      if (!pending) return;
      pending = false;
    }
    ++runs;
  }
  const bool takes_under_the_lock;
  std::mutex mutex{};
  bool pending = true;
  int runs = 0;
};

template <bool TakesUnderTheLock>
void two_flush_the_small_copy() {
  small copy{.takes_under_the_lock = TakesUnderTheLock};
  std::thread rival([&] { copy.flush(); });
  copy.flush();
  rival.join();
  EXPECT_EQ(copy.runs, 1);
}

MODEL(debouncer, the_small_copy_takes_under_its_lock) { two_flush_the_small_copy<true>(); }
MODEL_FAILS(debouncer, the_twin_that_takes_after_it_ran, "data race") { two_flush_the_small_copy<false>(); }

}  // namespace
