// One cause wins, everybody sees it, and nothing is touched after it has left.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>
#include <acqrel/signal/timer_queue.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

using acqrel::cancel_callback;
using acqrel::cancel_source;
using acqrel::cancel_token;
using acqrel::steady_deadline;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(cancel, shows_its_cause_and_what_was_done_before, .shows = {"cancel.cancelled"}) {
  const cancel_source source;
  int before = 0;
  std::thread canceller([&] {
    before = 1;
    source.cancel();
  });
  const cancel_token token = source.token();
  if (token.cancelled()) {
    EXPECT_EQ(before, 1);
    EXPECT_NE(token.cause(), nullptr);
  }
  canceller.join();
}

MODEL(cancel, ends_a_wait) {
  const futex mode;
  const cancel_source parent, child(parent.token());
  std::thread canceller([&] { parent.cancel(); });
  child.token().wait();
  EXPECT_NE(child.token().cause(), nullptr);
  canceller.join();
}

MODEL(cancel, has_one_cause_of_two) {
  const cancel_source source;
  const auto mine = std::make_exception_ptr(1), other = std::make_exception_ptr(2);
  bool other_won = false;
  std::thread rival([&] { other_won = source.cancel(other); });
  const bool won = source.cancel(mine);
  EXPECT_EQ(source.token().cause() == mine, won);
  rival.join();
  EXPECT_NE(won, other_won);
}

MODEL(cancel, lets_the_last_token_free_what_the_others_read, .shows = {"cancel.reference"}) {
  auto* const source = new cancel_source;
  std::thread reader([token = source->token()] { EXPECT_EQ(token.deadline(), steady_deadline::max()); });
  delete source;
  reader.join();
}

MODEL(cancel, waits_for_a_function_or_keeps_it_from_running) {
  const futex mode;
  const cancel_source source;
  auto* const bell = new int(0);
  std::thread canceller([&] { source.cancel(); });
  {
    const cancel_callback ring(source.token(), [bell] { ++*bell; });
  }
  delete bell;
  canceller.join();
}

MODEL(cancel, reaches_a_child_that_is_just_born) {
  const cancel_source parent;
  std::thread canceller([&] { parent.cancel(); });
  const cancel_source child(parent.token());
  canceller.join();
  EXPECT_TRUE(child.token().cancelled());
}

MODEL(cancel, leaves_alone_a_child_that_is_just_dying) {
  const cancel_source parent;
  auto* const child = new cancel_source(parent.token());
  std::thread canceller([&] { parent.cancel(); });
  delete child;
  canceller.join();
}

MODEL(cancel, reaches_a_token_of_two_parents_once) {
  const cancel_source left, right;
  const cancel_token both = cancel_token::any(left.token(), right.token());
  int called = 0;
  const cancel_callback count(both, [&] { ++called; });
  std::thread canceller([&] { left.cancel(); });
  right.cancel();
  canceller.join();
  EXPECT_EQ(called, 1);
}

// Time leaps to the deadline once a timer was armed.
class leaping_clock final : public acqrel::time_source {
 public:
  steady_deadline now() noexcept override {
    return looked_at.exchange(true, std::memory_order_relaxed) ? deadline : steady_deadline();
  }
  bool park_until(const acqrel::park_word& word, std::uint32_t expected, steady_deadline) noexcept override {
    acqrel::park(word, expected);
    return true;
  }
  static constexpr steady_deadline deadline{std::chrono::hours(1)};

 private:
  std::atomic<bool> looked_at{false};
};

MODEL(cancel, has_one_cause_of_a_deadline_and_a_call) {
  const futex mode;
  leaping_clock clock;
  acqrel::timer_queue timers(clock);
  const cancel_source source({}, clock.deadline, timers);
  const auto mine = std::make_exception_ptr(1);
  const bool won = source.cancel(mine);
  EXPECT_EQ(source.token().cause() == mine, won);
}

MODEL(cancel, reaches_a_stop_token_that_is_just_made) {
  const cancel_source source;
  std::thread canceller([&] { source.cancel(); });
  const cancel_token token = source.token();
  const std::stop_token stop = token.stop_token();
  canceller.join();
  EXPECT_TRUE(stop.stop_requested());
}

// In the small: a list of one function, which leaves.
struct one_function {
  void cancel() {
    int* ring = nullptr;
    {
      const std::lock_guard lock(mutex);
      ring = std::exchange(bell, nullptr);
      running = ring != nullptr;
    }
    if (ring == nullptr) return;
    ++*ring;
    const std::lock_guard lock(mutex);
    running = false;
    changed.store(1, std::memory_order_relaxed);
    acqrel::unpark_all(changed);
  }
  void leave() {
    std::unique_lock lock(mutex);
    bell = nullptr;
    while (waits && running) {
      lock.unlock();
      acqrel::park(changed, 0);
      lock.lock();
    }
  }
  const bool waits;
  std::mutex mutex{};
  int* bell = nullptr;
  bool running = false;
  acqrel::park_word changed{0};
};

void ring_and_leave(bool waits) {
  const futex mode;
  one_function list{.waits = waits};
  auto* const bell = new int(0);
  list.bell = bell;
  std::thread canceller([&] { list.cancel(); });
  list.leave();
  delete bell;
  canceller.join();
}

MODEL(cancel, whose_small_copy_waits_for_the_function) { ring_and_leave(true); }

MODEL_FAILS(cancel, the_twin_that_leaves_while_the_function_runs, "use after free") { ring_and_leave(false); }

}  // namespace
