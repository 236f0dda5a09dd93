// bus under the checker, in both fence modes: the end of a subscription and the calls of other threads; and the protocols
// that call who is gone.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/handoff/bus.hpp>

#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <thread>

namespace {

using acqrel::bus;
using acqrel::fence_mode;
using acqrel::subscription;

// Records and no scans, a way to sleep that the checker has, and a place for this thread.
void begin(fence_mode mode) {
  heart::begin(mode, 1, 100);
  setenv("ACQREL_PARK", "futex", 1);
}

// What the callback has written is read, and freed, once its subscription has ended.
void an_owner_is_destroyed(fence_mode mode) {
  begin(mode);
  bus<> changes;
  auto* const owner = new int(0);
  subscription mine = changes.subscribe([owner] { ++*owner; });
  std::thread publisher([&] { changes.publish(); });
  mine.reset();
  delete owner;
  publisher.join();
}
MODEL(bus, lets_an_owner_go_once_its_subscription_has_ended, .shows = {"bus.left"}) {  // P1 X10
  an_owner_is_destroyed(fence_mode::asymmetric);
}
MODEL(bus, lets_an_owner_go_with_full_fences, .shows = {"bus.ended", "bus.left", "bus.bell"}) {  // P1 X10
  an_owner_is_destroyed(fence_mode::full);
}

// The second publisher may take the place of the first.
MODEL(bus, lets_an_owner_go_after_two_publishers, .shows = {"bus.place", "bus.left"}) {
  begin(fence_mode::asymmetric);
  bus<> changes;
  auto* const owner = new int(0);
  subscription mine = changes.subscribe([owner] { ++*owner; });
  std::thread publisher([&] {
    std::thread([&] { changes.publish(); }).join();
    changes.publish();
  });
  mine.reset();
  delete owner;
  publisher.join();
}

// One thread runs the callback, in which another thread's run of it ends the subscription: it waits for neither, and what
// was captured dies after both.
void it_ends_within_its_own_callback(fence_mode mode) {
  begin(mode);
  bus<int> changes;
  subscription mine;
  auto state = std::make_unique<std::atomic<int>>(0);
  mine = changes.subscribe([&mine, state = std::move(state)](int who) {
    // plain: a count
    state->fetch_add(1, std::memory_order_relaxed);
    if (who == 1) mine.reset();
    // plain: a count
    state->fetch_add(1, std::memory_order_relaxed);
  });
  std::thread other([&] { changes.publish(2); });
  changes.publish(1);
  other.join();
}

MODEL(bus, ends_within_its_own_callback) {  // P2 P11
  it_ends_within_its_own_callback(fence_mode::asymmetric);
}
MODEL(bus, ends_within_its_own_callback_with_full_fences) {  // P2 P11
  it_ends_within_its_own_callback(fence_mode::full);
}

// A neighbour that is being called is not waited for: it may want what this thread holds.
MODEL(bus, does_not_wait_for_a_neighbour) {
  begin(fence_mode::asymmetric);
  bus<> changes;
  std::mutex held;
  int shared = 0;
  subscription first = changes.subscribe([] {});
  const subscription second = changes.subscribe([&] {
    const std::lock_guard lock(held);
    ++shared;
  });
  std::thread publisher([&] { changes.publish(); });
  {
    const std::lock_guard lock(held);
    first.reset();
    ++shared;
  }
  publisher.join();
}

// Who is subscribed all the while is called once for each publish, whatever comes and goes.
MODEL(bus, calls_once_who_is_there_all_the_while) {  // P3 P4 P13
  begin(fence_mode::asymmetric);
  bus<> changes;
  int data = 0, calls = 0;
  const subscription stays = changes.subscribe([&] {
    ++calls;
    EXPECT_EQ(data, 7);
  });
  std::thread publisher([&] {
    data = 7;
    changes.publish();
  });
  {
    const subscription comes = changes.subscribe([] {});
  }
  publisher.join();
  EXPECT_EQ(calls, 1);
}

MODEL(bus, outlived_by_a_subscription) {  // P12
  begin(fence_mode::asymmetric);
  std::optional<bus<>> changes(std::in_place);
  auto* const owner = new int(0);
  subscription mine = changes->subscribe([owner] { ++*owner; });
  changes->publish();
  std::thread ending([&] {
    mine.reset();
    delete owner;
  });
  changes.reset();
  ending.join();
}

// ---- what goes wrong without ----

// The document's: a copy of the list is called, whoever has gone meanwhile.
struct twin_that_calls_a_copy {
  std::mutex mutex;
  std::optional<int*> subscriber;
  void publish() {
    std::optional<int*> copy;
    {
      const std::lock_guard lock(mutex);
      copy = subscriber;
    }
    if (copy) ++**copy;
  }
  void reset() {
    const std::lock_guard lock(mutex);
    subscriber.reset();
  }
};
MODEL_FAILS(bus, the_twin_that_calls_who_has_gone, "use after free") {
  twin_that_calls_a_copy changes;
  auto* const owner = new int(0);
  changes.subscriber = owner;
  std::thread publisher([&] { changes.publish(); });
  changes.reset();
  delete owner;
  publisher.join();
}

// Asks whether it has ended, and says only then that it calls: in between, nobody waits.
struct twin_that_asks_first {
  std::atomic<bool> ended{false}, called{false};
  void publish(int* owner) {
    if (ended.load(std::memory_order_seq_cst)) return;
    called.store(true, std::memory_order_seq_cst);
    ++*owner;
    called.store(false, std::memory_order_seq_cst);
  }
  void reset() {
    ended.store(true, std::memory_order_seq_cst);
    while (called.load(std::memory_order_seq_cst)) std::this_thread::yield();
  }
};
MODEL_FAILS(bus, the_twin_that_asks_before_it_says_whom_it_calls, "use after free") {
  twin_that_asks_first changes;
  auto* const owner = new int(0);
  std::thread publisher([&] { changes.publish(owner); });
  changes.reset();
  delete owner;
  publisher.join();
}

// A place says whom its thread calls, and before that which thread it is. Here the one who ends a subscription has an
// address that a thread had which used the place before: the checker gives none twice.
struct small_place {
  void call() {
    owner.store(3, std::memory_order_relaxed);
    called.store(true, std::memory_order_release);
  }
  bool is_called_by(int me, bool acquires) const {
    const bool calls = acquires ? called.load(std::memory_order_acquire) : called.load(std::memory_order_relaxed);
    return calls && owner.load(std::memory_order_relaxed) == me;
  }
  std::atomic<int> owner{1};
  std::atomic<bool> called{false};
};
void a_place_is_taken_over(bool acquires) {
  small_place place;
  std::thread publisher([&] { place.call(); });
  EXPECT_FALSE(place.is_called_by(1, acquires));
  publisher.join();
}
MODEL(bus, whose_small_copy_knows_whose_call_it_sees) { a_place_is_taken_over(true); }
MODEL_FAILS(bus, the_twin_that_takes_the_call_of_another_for_its_own, "assertion") { a_place_is_taken_over(false); }

// Holds its lock while it calls: a callback that ends its own subscription waits for itself.
struct twin_that_calls_under_its_lock {
  std::mutex mutex;
  bool subscribed = true;
  void publish() {
    const std::lock_guard lock(mutex);
    if (subscribed) reset();  // the callback
  }
  void reset() {
    const std::lock_guard lock(mutex);
    subscribed = false;
  }
};
MODEL_FAILS(bus, the_twin_that_calls_under_its_lock, "deadlock") {
  twin_that_calls_under_its_lock changes;
  std::thread publisher([&] { changes.publish(); });
  publisher.join();
}

}  // namespace
