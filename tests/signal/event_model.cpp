// Happening once: what came before is seen by all, and who waited may destroy the event.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>

namespace {

using acqrel::event;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(event, is_set_only_when_all_before_it_can_be_seen, .shows = {"event.happened"}) {  // S8
  event ready;
  int data = 0;
  std::thread notifier([&] {
    data = 1;
    ready.notify();
  });
  if (ready.is_set()) {
    EXPECT_EQ(data, 1);
  }
  notifier.join();
}

MODEL(event, lets_go_with_all_before_it, .shows = {"event.happened"}) {  // S1
  const futex mode;
  event ready;
  int data = 0;
  std::thread notifier([&] {
    data = 1;
    EXPECT_TRUE(ready.notify());
  });
  ready.wait();
  EXPECT_EQ(data, 1);
  notifier.join();
}

MODEL(event, shows_the_second_notifier_what_the_first_published, .shows = {"event.happened"}) {  // S3 S4
  event ready;
  int data = 0;
  std::thread other([&] {
    data = 1;
    ready.notify();
  });
  if (!ready.notify()) {
    EXPECT_EQ(data, 1);
  }
  other.join();
}

MODEL(event, is_first_for_one_of_two) {  // S4
  event ready;
  bool one = false, two = false;
  std::thread notifier([&] { one = ready.notify(); });
  two = ready.notify();
  notifier.join();
  EXPECT_NE(one, two);
}

MODEL(event, wakes_all_whoever_notifies) {  // S5
  const futex mode;
  event ready;
  std::thread notifier([&] { ready.notify(); });
  std::thread waiter([&] { ready.wait(); });
  ready.wait();
  waiter.join();
  notifier.join();
}

MODEL(event, wakes_who_waits_when_two_notify) {
  const futex mode;
  event ready;
  std::thread one([&] { ready.notify(); });
  std::thread two([&] { ready.notify(); });
  ready.wait();
  one.join();
  two.join();
}

MODEL(event, may_be_destroyed_by_who_waited) {  // S7 GL11
  const futex mode;
  auto ready = std::make_unique<event>();
  std::thread notifier([&gone = *ready] { gone.notify(); });
  ready->wait();
  ready.reset();
  notifier.join();
}

MODEL(event, gives_up_or_has_it) {  // S6
  const futex mode;
  event ready;
  int data = 0;
  std::thread notifier([&] {
    data = 1;
    ready.notify();
  });
  if (ready.wait_for(std::chrono::seconds(1))) {
    EXPECT_EQ(data, 1);
  }
  notifier.join();
}

// What notify() could do instead, and must not.
struct other_event : acqrel::waitable<other_event> {
  static constexpr std::uint32_t happened = 1, awaited = 2;
  bool await(const acqrel::patience& patience) const noexcept {
    return patience.await(state, awaited, [this] { return (state.load(std::memory_order_acquire) & happened) != 0; });
  }
  void wake_then_store() noexcept {
    if ((state.load(std::memory_order_relaxed) & awaited) != 0) acqrel::unpark_all(state);
    state.store(happened, std::memory_order_release);
  }
  void wake_one() noexcept {
    if ((state.exchange(happened, std::memory_order_release) & awaited) != 0) acqrel::unpark_one(state);
  }
  void store_without_a_look() noexcept { state.store(happened, std::memory_order_release); }
  bool look_then_store() noexcept {
    if (state.load(std::memory_order_acquire) == happened) return false;
    state.store(happened, std::memory_order_release);
    return true;
  }
  void look_after_the_store() noexcept {
    state.fetch_or(happened, std::memory_order_release);
    if ((state.load(std::memory_order_relaxed) & awaited) != 0) acqrel::unpark_all(state);
  }
  mutable acqrel::park_word state{0};
};

template <class Notify>
void one_waits(Notify notify) {
  const futex mode;
  other_event ready;
  std::thread notifier([&] { notify(ready); });
  ready.wait();
  notifier.join();
}

MODEL_FAILS(event, the_twin_that_wakes_before_it_stores, "deadlock") {
  one_waits([](other_event& ready) { ready.wake_then_store(); });
}
MODEL_FAILS(event, the_twin_that_overwrites_that_somebody_waits, "deadlock") {
  one_waits([](other_event& ready) { ready.store_without_a_look(); });
}
MODEL_FAILS(event, the_twin_that_wakes_one_of_two, "deadlock") {
  const futex mode;
  other_event ready;
  std::thread notifier([&] { ready.wake_one(); });
  std::thread waiter([&] { ready.wait(); });
  ready.wait();
  waiter.join();
  notifier.join();
}
MODEL_FAILS(event, the_twin_that_looks_before_it_stores, "assertion") {
  other_event ready;
  bool one = false, two = false;
  std::thread notifier([&] { one = ready.look_then_store(); });
  two = ready.look_then_store();
  notifier.join();
  EXPECT_NE(one, two);
}
MODEL_FAILS(event, the_twin_that_looks_who_waits_after_it_stored, "use after free") {
  const futex mode;
  auto ready = std::make_unique<other_event>();
  std::thread notifier([&gone = *ready] { gone.look_after_the_store(); });
  ready->wait();
  ready.reset();
  notifier.join();
}

}  // namespace
