// Once: nobody goes on before it is done, no two run at a time, no wake-up is lost when a function throws.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/once.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::model::expect;

// How to park and whether to spin is found out before the threads start, so that nothing is explored of that.
struct futex {
  futex() {
    setenv("ACQREL_PARK", "futex", 1);
    (void)acqrel::park_mode_in_use();
    (void)acqrel::spinner::spinning_pays();
  }
};

struct failure {};

// What a once guards: a plain value, so that a caller who is not behind the writer is a data race.
template <class Once = acqrel::once>
struct guarded {
  void call() {
    once.call([this] { ++value; });
  }
  void fail() {
    try {
      once.call([this] {
        ++value;
        throw failure();
      });
    } catch (const failure&) {
    }
  }
  Once once;
  int value = 0;
};

template <class Once>
void two_callers() {
  const futex mode;
  guarded<Once> cell;
  std::thread other([&] { cell.call(); });
  cell.call();
  EXPECT_EQ(cell.value, 1);
  other.join();
}

// Two come while it is running, and it fails.
template <class Once>
void two_wait_for_a_failure() {
  const futex mode;
  guarded<Once> cell;
  std::thread one, two;
  try {
    cell.once.call([&] {
      one = std::thread([&] { cell.call(); });
      two = std::thread([&] { cell.call(); });
      throw failure();
    });
  } catch (const failure&) {
  }
  one.join();
  two.join();
  EXPECT_EQ(cell.value, 1);
}

template <class Once>
void waiters_are_woken() {
  const futex mode;
  guarded<Once> cell;
  std::thread fails([&] { cell.fail(); });
  cell.call();
  EXPECT_GE(cell.value, 1);
  fails.join();
}

template <class Once>
void the_waiter_destroys() {
  const futex mode;
  auto* const flag = new Once;
  std::thread other([flag] { flag->call([] {}); });
  bool mine = false;
  flag->call([&] { mine = true; });
  if (!mine) delete flag;
  other.join();
  if (mine) delete flag;
}

MODEL(once, publishes_to_who_calls, .shows = {"once.done"}) { two_callers<acqrel::once>(); }

MODEL(once, publishes_to_who_sees_it_done, .shows = {"once.done"}) {
  guarded cell;
  std::thread other([&] { cell.call(); });
  if (cell.once.done()) {
    EXPECT_EQ(cell.value, 1);
  }
  other.join();
}

MODEL(once, gives_the_next_what_a_failed_one_left, .shows = {"once.reopened"}) { waiters_are_woken<acqrel::once>(); }

MODEL(once, wakes_one_of_two_when_it_has_failed) { two_wait_for_a_failure<acqrel::once>(); }

// One waits for a time only: what it was woken for, it does.
MODEL(once, a_waiter_that_gives_up_takes_no_wake_up_with_it) {
  const futex mode;
  guarded cell;
  std::thread hasty;
  try {
    cell.once.call([&] {
      hasty = std::thread([&] {
        if (cell.once.call_for(std::chrono::seconds(1), [&] { ++cell.value; })) {
          EXPECT_EQ(cell.value, 1);
        }
      });
      throw failure();
    });
  } catch (const failure&) {
  }
  cell.call();
  EXPECT_EQ(cell.value, 1);
  hasty.join();
}

MODEL(once, may_be_destroyed_by_who_waited) { the_waiter_destroys<acqrel::once>(); }

MODEL(once, asked_for_from_within_throws_and_goes_on) {
  const futex mode;
  acqrel::once outer, inner;
  std::thread other([&] { outer.call([] {}); });
  int thrown = 0;
  outer.call([&] {
    inner.call([&] {
      try {
        outer.call([] {});
      } catch (const std::logic_error&) {
        ++thrown;
      }
    });
  });
  expect(thrown == 1 || !inner.done(), "a cycle of two throws");
  other.join();
}

// What a call costs when it is done: one operation, so no lock. Counted by what each call more adds, in a thread that does
// not know beforehand.
unsigned operations_of(int calls) {
  const auto found = acqrel::model::check({.name = "once.operations"}, [calls] {
    acqrel::once flag;
    std::thread other([&] { flag.call([] {}); });
    if (flag.done()) {
      for (int i = 0; i != calls; ++i) flag.call([] {});
    }
    other.join();
  });
  EXPECT_TRUE(found.passed()) << found.report();
  return found.operations;
}

TEST(once, takes_no_lock_when_it_is_done) {  // O11
  const unsigned of_three = operations_of(3);
  EXPECT_EQ(operations_of(4), of_three + 1);
  EXPECT_EQ(operations_of(8), of_three + 5);
}

// ---- twins: what one could write instead

constexpr std::uint32_t is_done = 1, is_running = 4, has_waiters = 8, one_reopening = 16;

enum class mistake { none, looks_without_acquire, claims_by_load_and_store, wakes_nobody, does_not_count, looks_back };

// once, in short, with the mistake.
template <mistake M>
struct twin {
  template <class F>
  void call(F f) {
    constexpr auto first_look =
        M == mistake::looks_without_acquire ? std::memory_order_relaxed : std::memory_order_acquire;
    if ((state.load(first_look) & is_done) != 0) return;
    bool mine = false;
    const auto look = [&] {
      for (;;) {
        std::uint32_t seen = state.load(std::memory_order_acquire);
        if ((seen & is_done) != 0) return true;
        if ((seen & is_running) != 0) return false;
        if (M == mistake::claims_by_load_and_store) {
          state.store(seen | is_running, std::memory_order_relaxed);
        } else if (!state.compare_exchange_strong(seen, seen | is_running, std::memory_order_acquire)) {
          continue;
        }
        return mine = true;
      }
    };
    (void)acqrel::patience().await(state, has_waiters, look);
    if (!mine) return;
    try {
      f();
    } catch (...) {
      constexpr std::uint32_t step = M == mistake::does_not_count ? 0 : one_reopening;
      const std::uint32_t before = state.fetch_add(step - is_running, std::memory_order_release);
      if ((before & has_waiters) != 0 && M != mistake::wakes_nobody) acqrel::unpark_one(state);
      throw;
    }
    const std::uint32_t before = state.exchange(is_done, std::memory_order_release);
    if (M == mistake::looks_back && state.load(std::memory_order_relaxed) == 0) return;
    if ((before & has_waiters) != 0) acqrel::unpark_all(state);
  }
  acqrel::park_word state{0};
};

MODEL(once, the_twin_without_a_mistake) { waiters_are_woken<twin<mistake::none>>(); }

MODEL_FAILS(once, the_twin_that_looks_twice_without_acquire, "data race") {
  two_callers<twin<mistake::looks_without_acquire>>();
}

MODEL_FAILS(once, the_twin_of_which_two_run_at_a_time, "data race") {
  two_callers<twin<mistake::claims_by_load_and_store>>();
}

MODEL_FAILS(once, the_twin_that_reopens_and_wakes_nobody, "deadlock") {
  waiters_are_woken<twin<mistake::wakes_nobody>>();
}

// A waiter announces itself while it is idle, sees it running, and goes to sleep when it is idle again.
MODEL_FAILS(once, the_twin_that_does_not_count_how_often_it_was_reopened, "deadlock") {
  waiters_are_woken<twin<mistake::does_not_count>>();
}

MODEL_FAILS(once, the_twin_that_looks_at_it_when_it_is_done, "use after free") {
  the_waiter_destroys<twin<mistake::looks_back>>();
}

}  // namespace
