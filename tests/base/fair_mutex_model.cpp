// fair_mutex in every execution, both when it hands over and when it does not. Twins of its queue, which fail these, are in
// tests/twins.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::fair_mutex;
using namespace std::chrono_literals;

constexpr auto at_once = acqrel::steady_deadline::min();  // time is up before the wait begins, which still queues

/// In every test: waits sleep, and `hand_over` says whether whoever waits is served in order at once, or never.
struct setting {
  explicit setting(bool hand_over) {
    setenv("ACQREL_PARK", "futex", 1);
    (void)acqrel::park_mode_in_use();  // so that no two threads are the first to ask
    fair_mutex::hand_over_after(hand_over ? 0ns : std::chrono::nanoseconds::max());
  }
};

/// Whether a waiter has its place in the queue: the pointer above the four flags.
bool somebody_waits(const fair_mutex& mutex) {
  static_assert(std::is_standard_layout_v<fair_mutex>);
  return reinterpret_cast<const std::atomic<std::uintptr_t>&>(mutex).load(std::memory_order_relaxed) > 15;
}

void excludes(bool hand_over) {
  const setting mode(hand_over);
  fair_mutex mutex;
  int count = 0;
  std::thread other([&] {
    mutex.lock();
    ++count;
    mutex.unlock();
  });
  mutex.lock();
  ++count;
  mutex.unlock();
  other.join();
  EXPECT_EQ(count, 2);
}

/// Two come to wait and go again: what they do to each other's places is ordered.
void queues() {
  const setting mode(false);
  fair_mutex mutex;
  mutex.lock();
  const auto come_and_go = [&] { EXPECT_FALSE(mutex.try_lock_until(at_once)); };
  std::thread one(come_and_go), two(come_and_go);
  one.join();
  two.join();
  EXPECT_FALSE(somebody_waits(mutex));
}

/// Somebody woken in vain is woken again.
void wakes_again() {
  const setting mode(false);
  fair_mutex mutex;
  mutex.lock();
  std::thread waiter([&] {
    mutex.lock();
    mutex.unlock();
  });
  const bool waits = somebody_waits(mutex);
  mutex.unlock();
  if (waits) {
    mutex.lock();
    mutex.unlock();
  }
  waiter.join();
}

/// Whoever waits has it next, however quick the holder is to come back.
void hands_over(bool hand_over) {
  const setting mode(hand_over);
  fair_mutex mutex;
  bool served = false;
  mutex.lock();
  std::thread waiter([&] {
    mutex.lock();
    served = true;
    mutex.unlock();
  });
  const bool waits = somebody_waits(mutex);
  mutex.unlock();
  if (waits) {
    mutex.lock();
    EXPECT_TRUE(served);
    mutex.unlock();
  }
  waiter.join();
}

/// Two wait, and the first may give up, perhaps as it is called: the other is not forgotten, and nothing is left behind.
void gives_up(bool hand_over) {
  const setting mode(hand_over);
  fair_mutex mutex;
  mutex.lock();
  std::thread hasty([&] {
    if (mutex.try_lock_until(at_once)) mutex.unlock();
  });
  std::thread patient;
  if (somebody_waits(mutex)) {
    patient = std::thread([&] {
      mutex.lock();
      mutex.unlock();
    });
  }
  mutex.unlock();
  hasty.join();
  if (patient.joinable()) patient.join();
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_FALSE(somebody_waits(mutex));
}

/// Whoever has it last destroys it, while the unlock() that let him in is on its way.
void may_be_destroyed(bool hand_over) {
  const setting mode(hand_over);
  auto* const mutex = new fair_mutex;
  mutex->lock();
  std::thread last([mutex] {
    mutex->lock();
    mutex->unlock();
    delete mutex;
  });
  mutex->unlock();
  last.join();
}

MODEL(fair_mutex, excludes, .shows = {"fair_mutex.held"}) { excludes(false); }
MODEL(fair_mutex, excludes_in_order, .shows = {"fair_mutex.held"}) { excludes(true); }
MODEL(fair_mutex, keeps_its_queue_whole, .shows = {"fair_mutex.held"}) { queues(); }
MODEL(fair_mutex, wakes_again_who_was_woken_in_vain) { wakes_again(); }
MODEL(fair_mutex, hands_over_to_who_waits) { hands_over(true); }
MODEL(fair_mutex, forgets_nobody_when_a_wait_gives_up) { gives_up(false); }
MODEL(fair_mutex, forgets_nobody_when_a_wait_gives_up_in_order) { gives_up(true); }
MODEL(fair_mutex, may_be_destroyed_by_its_last_holder) { may_be_destroyed(false); }
MODEL(fair_mutex, may_be_destroyed_by_who_was_handed_it) { may_be_destroyed(true); }

// The same mutex, told never to hand over: then the holder is quicker.
MODEL_FAILS(fair_mutex, that_never_hands_over_lets_the_holder_in_again, "assertion") { hands_over(false); }

}  // namespace
