// watch under the checker: sleepers, callbacks and the end of the watch; and the protocols that lose the newest.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/publish/watch.hpp>

#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <thread>

namespace {

using acqrel::watch;

// Records for the threads of a test, no scans, and a way to sleep that the checker has.
void begin(int threads) {
  heart::begin(acqrel::fence_mode::asymmetric, threads, 100);
  setenv("ACQREL_PARK", "futex", 1);
}

MODEL(watch, wakes_who_waits_for_news, .shows = {"watch.news"}) {
  begin(1);
  watch<int> current;
  auto changes = current.subscribe();
  int before = 0;
  std::thread publisher([&] {
    before = 7;
    current.publish(1);
  });
  changes.wait();
  EXPECT_EQ(*changes.receive(), 1);
  EXPECT_EQ(before, 7);
  publisher.join();
}

MODEL(watch, wakes_who_waits_when_it_closes) {
  begin(1);
  watch<int> current;
  auto changes = current.subscribe();
  std::thread closer([&] { current.close(); });
  changes.wait();
  EXPECT_FALSE(changes.receive());
  closer.join();
}

MODEL(watch, publishes_before_it_closes_or_not_at_all) {
  begin(1);
  watch<int> current;
  bool published = false;
  std::thread publisher([&] { published = current.publish(1); });
  current.close();
  const bool there = static_cast<bool>(current.read());
  publisher.join();
  EXPECT_EQ(published, there) << "nothing comes after close() has returned";
}

MODEL(watch, may_be_destroyed_by_who_was_told, .shows = {"watch.left"}) {
  begin(1);
  auto* const current = new watch<int>;
  std::thread publisher([current] { current->publish(1); });
  {
    auto changes = current->subscribe();
    changes.wait();
  }
  delete current;
  publisher.join();
}

MODEL(watch, may_be_destroyed_though_a_publisher_still_looks_for_callbacks, .shows = {"watch.left"}) {
  begin(1);
  auto* const current = new watch<int>;
  std::thread publisher;
  {
    const auto callback = current->on_change([](const int&) {});
    publisher = std::thread([current] { current->publish(1); });
    current->subscribe().wait();
  }
  delete current;
  publisher.join();
}

// The callback's state is plain: its runs are one after the other, and the last has seen the newest.
MODEL(watch, calls_back_with_the_newest_in_the_end) {
  begin(1);
  watch<int> current;
  int last = 0;
  {
    const auto callback = current.on_change([&](const int& n) { last = n; });
    std::thread other([&] { current.publish(1); });
    current.publish(2);
    other.join();
  }
  EXPECT_EQ(last, *current.read().operator->());
}

MODEL(watch, calls_back_who_subscribes_while_it_publishes, .shows = {"watch.news"}) {
  begin(1);
  watch<int> current;
  int last = 0;
  std::thread publisher([&] { current.publish(1); });
  const auto callback = current.on_change([&](const int& n) { last = n; });
  publisher.join();
  EXPECT_EQ(last, 1);
}

MODEL(watch, ends_a_subscription_after_its_callback, .shows = {"watch.ended"}) {
  begin(1);
  watch<int> current;
  auto* const state = new int(0);
  std::thread publisher;
  {
    const auto callback = current.on_change([=](const int& n) { *state = n; });
    publisher = std::thread([&] { current.publish(1); });
  }
  delete state;
  publisher.join();
}

// ---- what goes wrong without ----

// The document's reload channel of one place, whose default case keeps what is there: the oldest.
struct twin_that_drops_the_newest {
  std::mutex mutex;
  std::optional<int> pending;
  void publish(int n) {
    const std::lock_guard lock(mutex);
    if (!pending) pending = n;
  }
  int receive() {
    const std::lock_guard lock(mutex);
    const int n = pending.value_or(0);
    pending.reset();
    return n;
  }
};
MODEL_FAILS(watch, the_twin_that_drops_the_newest, "assertion") {  // X3
  twin_that_drops_the_newest current;
  std::thread publisher([&] {
    current.publish(1);
    current.publish(2);
  });
  int last = current.receive();
  publisher.join();
  if (const int n = current.receive()) last = n;
  acqrel::model::expect(last == 2, "the newest arrives");
}

// Whoever finds the callback running leaves the newest to that thread, which does not look again.
struct twin_that_does_not_look_again {
  std::mutex mutex;
  int newest = 0, delivered = 0;
  bool running = false;
  void publish() {
    std::unique_lock lock(mutex);
    const int mine = ++newest;
    if (running) return;
    running = true;
    lock.unlock();
    delivered = mine;  // the callback
    lock.lock();
    running = false;
  }
};
MODEL_FAILS(watch, the_twin_that_does_not_look_again_after_a_callback, "assertion") {
  twin_that_does_not_look_again current;
  std::thread other([&] { current.publish(); });
  current.publish();
  other.join();
  acqrel::model::expect(current.delivered == 2, "the newest is delivered");
}

// Wakes first and publishes then: who waits finds nothing and sleeps on.
struct twin_that_wakes_too_soon {
  acqrel::park_word word{0};
  std::atomic<int> value{0};
  void publish() {
    if ((word.exchange(4, std::memory_order_release) & 1) != 0) acqrel::unpark_all(word);
    value.store(1, std::memory_order_release);
  }
  void wait() {
    (void)acqrel::patience().await(word, 1, [this] { return value.load(std::memory_order_acquire) != 0; });
  }
};
MODEL_FAILS(watch, the_twin_that_wakes_before_it_publishes, "deadlock") {
  begin(0);
  twin_that_wakes_too_soon current;
  std::thread publisher([&] { current.publish(); });
  current.wait();
  publisher.join();
}

// A second word says that the publisher has left; written after the news, it is not waited for.
struct twin_that_is_not_left {
  acqrel::park_word word{0};
  std::atomic<int> left{0};
  void publish() {
    if ((word.exchange(4, std::memory_order_release) & 1) != 0) acqrel::unpark_all(word);
    left.store(1, std::memory_order_release);
  }
  void wait() {
    (void)acqrel::patience().await(word, 1, [this] { return word.load(std::memory_order_acquire) >= 4; });
  }
};
MODEL_FAILS(watch, the_twin_that_is_destroyed_under_its_publisher, "use after free") {
  begin(0);
  auto* const current = new twin_that_is_not_left;
  std::thread publisher([current] { current->publish(); });
  current->wait();
  delete current;
  publisher.join();
}

}  // namespace
