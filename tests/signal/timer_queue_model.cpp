// A function is called or cancelled, and who learns that it has ended sees what it did.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/timer_queue.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

using acqrel::steady_deadline;
using acqrel::timer;
using acqrel::timer_cancel;
using acqrel::timer_queue;

// Time stands still: what is due is due at once, the rest never.
class standing_clock final : public acqrel::time_source {
 public:
  standing_clock() { setenv("ACQREL_PARK", "futex", 1); }
  steady_deadline now() noexcept override { return due; }
  bool park_until(const acqrel::park_word& word, std::uint32_t expected, steady_deadline) noexcept override {
    acqrel::park(word, expected);
    return true;
  }
  static constexpr steady_deadline due{std::chrono::hours(1)};
};
constexpr steady_deadline never = steady_deadline::max();

MODEL(timer_queue, shows_what_the_function_did, .shows = {"timer_queue.ended"}) {
  standing_clock clock;
  timer_queue timers(clock);
  int armed_with = 3, rung = 0;
  const timer alarm = timers.arm(clock.due, [&] { rung = armed_with; });
  alarm.wait();
  EXPECT_EQ(rung, 3);
}

MODEL(timer_queue, calls_or_cancels) {
  standing_clock clock;
  int rung = 0;
  auto came_to = timer_cancel::gone;
  {
    timer_queue timers(clock);
    timer alarm = timers.arm(clock.due, [&] { ++rung; });
    came_to = alarm.cancel();
    alarm.detach();
  }
  EXPECT_EQ(rung, came_to == timer_cancel::cancelled ? 0 : 1);
}

MODEL(timer_queue, lets_one_of_two_cancel) {
  standing_clock clock;
  timer_queue timers(clock);
  timer alarm = timers.arm(never, [] {});
  auto other = timer_cancel::gone;
  std::thread rival([&] { other = alarm.cancel(); });
  const auto mine = alarm.cancel();
  rival.join();
  EXPECT_EQ((mine == timer_cancel::cancelled) + (other == timer_cancel::cancelled), 1);
  EXPECT_EQ((mine == timer_cancel::gone) + (other == timer_cancel::gone), 1);
}

MODEL(timer_queue, lets_the_owner_destroy_what_the_function_uses) {
  standing_clock clock;
  timer_queue timers(clock);
  auto* const bell = new int(0);
  {
    const timer alarm = timers.arm(clock.due, [bell] { ++*bell; });
  }
  delete bell;
}

MODEL(timer_queue, wakes_its_thread_for_an_earlier_timer) {
  standing_clock clock;
  timer_queue timers(clock);
  const timer later = timers.arm(never, [] {});
  const timer alarm = timers.arm(clock.due, [] {});
  alarm.wait();
}

MODEL(timer_queue, drops_what_is_pending_when_it_ends) {
  standing_clock clock;
  bool rung = false;
  timer alarm;
  {
    timer_queue timers(clock);
    alarm = timers.arm(never, [&] { rung = true; });
  }
  EXPECT_EQ(alarm.cancel(), timer_cancel::gone);
  EXPECT_FALSE(rung);
}

// `running` says that it has begun, not that it has ended.
MODEL_FAILS(timer_queue, the_twin_that_does_not_wait_for_the_end, "data race") {
  standing_clock clock;
  timer_queue timers(clock);
  int rung = 0;
  timer alarm = timers.arm(clock.due, [&] { ++rung; });
  if (alarm.cancel() == timer_cancel::running) {
    EXPECT_EQ(rung, 1);
  }
  alarm.wait();
}

// In the small: what the queue's thread does, sleeping until the first deadline and woken for earlier ones.
struct sleeper {
  void arm() {
    {
      const std::lock_guard lock(mutex);
      due = true;
      if (wakes) changed.fetch_add(1, std::memory_order_relaxed);
    }
    acqrel::unpark_one(changed);
  }
  void run() {
    for (;;) {
      std::unique_lock lock(mutex);
      if (due) return;
      const auto seen = changed.load(std::memory_order_relaxed);
      lock.unlock();
      acqrel::park(changed, seen);
    }
  }
  const bool wakes;
  std::mutex mutex{};
  bool due = false;
  acqrel::park_word changed{0};
};

MODEL_FAILS(timer_queue, the_twin_that_does_not_count_what_it_wakes_for, "deadlock") {
  setenv("ACQREL_PARK", "futex", 1);
  sleeper twin{.wakes = false};
  std::thread queue([&] { twin.run(); });
  twin.arm();
  queue.join();
}

MODEL(timer_queue, whose_small_copy_wakes) {
  setenv("ACQREL_PARK", "futex", 1);
  sleeper copy{.wakes = true};
  std::thread queue([&] { copy.run(); });
  copy.arm();
  queue.join();
}

}  // namespace
