// What must hold of fair_mutex in every execution: for the model test, and for twins of the real code, which fail it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace fair_mutex_model {

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
inline bool somebody_waits(const fair_mutex& mutex) {
  static_assert(std::is_standard_layout_v<fair_mutex>);
  return reinterpret_cast<const std::atomic<std::uintptr_t>&>(mutex).load(std::memory_order_relaxed) > 15;
}

inline void excludes(bool hand_over) {
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
inline void queues() {
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
inline void wakes_again() {
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
inline void hands_over(bool hand_over) {
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
inline void gives_up(bool hand_over) {
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
inline void may_be_destroyed(bool hand_over) {
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

}  // namespace fair_mutex_model
