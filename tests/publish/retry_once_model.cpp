// Retry_once: success publishes to all who see it, a failure reaches all who waited for it, no two run at a time.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/retry_once.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::retry_once;
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

// What succeeds at the second run; plain, so that two at a time, or a caller not behind the one who wrote, is a race.
template <class Retry = retry_once>
struct guarded {
  // 1: it heard of a failure. What was thrown is not looked at: libstdc++ counts who has it unseen by the checker.
  int call(int failures) {
    try {
      retry.call([&] {
        if (++runs <= failures) throw failure();
      });
      return 0;
    } catch (const failure&) {
      return 1;
    }
  }
  Retry retry;
  int runs = 0;
};

MODEL(retry_once, publishes_to_who_sees_it_done, .shows = {"retry_once.done"}) {
  const futex mode;
  guarded cell;
  std::thread other([&] { EXPECT_EQ(cell.call(0), 0); });
  if (cell.retry.done()) {
    EXPECT_EQ(cell.runs, 1);
  }
  other.join();
}

MODEL(retry_once, publishes_to_who_calls, .shows = {"retry_once.done", "once.done"}) {
  const futex mode;
  guarded cell;
  std::thread other([&] {
    EXPECT_EQ(cell.call(0), 0);
    EXPECT_EQ(cell.runs, 1);
  });
  EXPECT_EQ(cell.call(0), 0);
  EXPECT_EQ(cell.runs, 1);
  other.join();
}

// Both hear of the one failure, or one of it and the other succeeds.
MODEL(retry_once, gives_a_failure_to_who_waited_for_it, .shows = {"once.done"}) {
  const futex mode;
  guarded cell;
  int others = 0;
  std::thread other([&] { others = cell.call(1); });
  const int mine = cell.call(1);
  other.join();
  expect(mine == 1 || others == 1, "the first failed");
  EXPECT_EQ(cell.retry.done(), mine == 0 || others == 0);
  EXPECT_EQ(cell.runs, cell.retry.done() ? 2 : 1);
  EXPECT_EQ(cell.retry.attempts(), static_cast<unsigned>(cell.runs));
}

template <class Retry>
void the_waiter_destroys() {
  const futex mode;
  auto* const cell = new Retry;
  std::thread other([cell] { cell->call([] {}); });
  bool mine = false;
  cell->call([&] { mine = true; });
  if (!mine) delete cell;
  other.join();
  if (mine) delete cell;
}

MODEL(retry_once, may_be_destroyed_by_who_waited) { the_waiter_destroys<retry_once>(); }

MODEL(retry_once, a_waiter_that_gives_up_cancels_nothing) {
  const futex mode;
  guarded cell;
  std::thread other([&] {
    EXPECT_EQ(cell.call(0), 0);
    EXPECT_TRUE(cell.retry.done());
  });
  if (cell.retry.call_for(std::chrono::seconds(1), [&] { ++cell.runs; })) {
    EXPECT_EQ(cell.runs, 1);
  }
  other.join();
  EXPECT_TRUE(cell.retry.done());
}

// ---- twins

enum class mistake { none, done_after_its_waiters, follows_what_is_running };

// retry_once of which nothing fails, with the mistake.
template <mistake M>
struct twin {
  struct attempt {
    acqrel::once ran;
  };
  template <class F>
  void call(F f) {
    if (state.load(std::memory_order_acquire) != 0) return;
    std::shared_ptr<attempt> current;
    {
      const std::lock_guard lock(mutex);
      if (last == nullptr || M == mistake::follows_what_is_running) last = std::make_shared<attempt>();
      current = last;
    }
    acqrel::once_turn turn(current->ran, acqrel::patience());
    if (!turn.mine()) return;
    f();
    if (M == mistake::done_after_its_waiters) turn.finish();
    state.store(1, std::memory_order_release);
    if (M != mistake::done_after_its_waiters) turn.finish();
  }
  std::atomic<std::uint32_t> state{0};
  std::mutex mutex;
  std::shared_ptr<attempt> last;
};

MODEL(retry_once, the_twin_without_a_mistake) { the_waiter_destroys<twin<mistake::none>>(); }

MODEL_FAILS(retry_once, the_twin_that_is_done_after_its_waiters, "use after free") {
  the_waiter_destroys<twin<mistake::done_after_its_waiters>>();
}

MODEL_FAILS(retry_once, the_twin_that_follows_an_attempt_still_running, "data race") {
  const futex mode;
  guarded<twin<mistake::follows_what_is_running>> cell;
  std::thread other([&] { cell.call(0); });
  cell.call(0);
  other.join();
}

}  // namespace
