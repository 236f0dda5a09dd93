// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/bus.hpp>

#include "../signal/asleep.hpp"

#include <acqrel/signal/event.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using acqrel::bus;
using acqrel::subscription;

#if defined(ACQREL_TEST_SANITIZED)
constexpr int rounds = 2'000;
#else
constexpr int rounds = 20'000;
#endif

// Says when it is destroyed.
struct captured {
  explicit captured(int& count) : deaths(&count) {}
  captured(captured&& other) noexcept : deaths(std::exchange(other.deaths, nullptr)) {}
  captured& operator=(captured&&) = delete;
  ~captured() {
    if (deaths != nullptr) ++*deaths;
  }
  int* deaths;
};

// ---- semantics ----

TEST(bus, calls_everybody_once_in_the_order_of_subscription) {  // P3 P4
  bus<std::string, int> changes;
  std::string heard;
  const subscription first =
      changes.subscribe([&](const std::string& s, int n) { heard += "1" + s + std::to_string(n); });
  const subscription second =
      changes.subscribe([&](const std::string& s, int n) { heard += "2" + s + std::to_string(n); });
  changes.publish("a", 7);
  EXPECT_EQ(heard, "1a72a7");
}

TEST(bus, may_have_nobody_who_listens) {
  bus<int> changes;
  changes.publish(1);
  changes.subscribe([](int) { ADD_FAILURE(); }).reset();
  changes.publish(2);
}

TEST(bus, passes_what_can_not_be_copied) {
  bus<std::unique_ptr<int>> changes;
  int heard = 0;
  const subscription mine =
      changes.subscribe([&, own = std::make_unique<int>(1)](const std::unique_ptr<int>& n) { heard = *n + *own; });
  changes.publish(std::make_unique<int>(6));
  EXPECT_EQ(heard, 7);
}

TEST(bus, calls_nobody_any_more_whose_subscription_has_ended) {  // P8
  bus<> changes;
  int first = 0, second = 0;
  const auto count_both = [](int& n) { return [&n] { ++n; }; };
  subscription mine = changes.subscribe(count_both(first));
  const subscription other = changes.subscribe(count_both(second));
  changes.publish();
  mine.reset();
  EXPECT_FALSE(mine);
  mine.reset();
  changes.publish();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST(bus, destroys_what_was_captured_before_reset_returns) {  // P11
  bus<> changes;
  int deaths = 0;
  const subscription neighbour = changes.subscribe([] {});
  subscription mine = changes.subscribe([state = captured(deaths)] {});
  changes.publish();
  EXPECT_EQ(deaths, 0);
  mine.reset();
  EXPECT_EQ(deaths, 1);
  changes.publish();
  acqrel::drain();
  EXPECT_EQ(deaths, 1);
}

TEST(bus, ends_a_subscription_within_its_own_callback) {  // P2
  bus<> changes;
  int calls = 0, deaths = 0;
  subscription mine;
  mine = changes.subscribe([&, state = captured(deaths)] {
    ++calls;
    mine.reset();
    EXPECT_EQ(deaths, 0) << "it is still running";
    changes.publish();
  });
  changes.publish();
  EXPECT_EQ(deaths, 1) << "nobody calls it any more";
  changes.publish();
  EXPECT_EQ(calls, 1);
}

TEST(bus, ends_another_subscription_within_a_callback) {  // P7
  bus<> changes;
  int calls = 0, deaths = 0;
  subscription second;
  const subscription first = changes.subscribe([&] { second.reset(); });
  second = changes.subscribe([&calls, state = captured(deaths)] { ++calls; });
  changes.publish();
  EXPECT_EQ(calls, 0) << "it has ended before its turn came";
  EXPECT_EQ(deaths, 1);
}

TEST(bus, calls_a_subscriber_from_the_next_publish_on) {  // P5 P7
  bus<> changes;
  int calls = 0;
  std::vector<subscription> others;
  const subscription mine = changes.subscribe([&] { others.push_back(changes.subscribe([&] { ++calls; })); });
  changes.publish();
  EXPECT_EQ(calls, 0);
  changes.publish();
  EXPECT_EQ(calls, 1);
}

TEST(bus, publishes_within_callbacks) {  // P7
  bus<int> changes;
  std::string heard;
  const subscription mine = changes.subscribe([&](int depth) {
    heard += std::to_string(depth);
    if (depth < 12) changes.publish(depth + 1);
    heard += "'";
  });
  changes.publish(10);
  EXPECT_EQ(heard, "101112'''");
  changes.publish(11);
  EXPECT_EQ(heard, "101112'''1112''");
}

TEST(bus, ends_a_subscription_that_an_outer_publish_is_calling) {
  bus<int> changes;
  int deaths = 0, calls = 0;
  subscription mine;
  mine = changes.subscribe([&, state = captured(deaths)](int depth) {
    ++calls;
    if (depth == 1) return mine.reset();
    changes.publish(1);
    EXPECT_EQ(deaths, 0);
  });
  changes.publish(0);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(deaths, 1);
}

TEST(bus, goes_on_after_a_callback_that_throws) {  // P6
  bus<> changes;
  int calls = 0;
  const subscription bad = changes.subscribe([] { throw std::runtime_error("no"); });
  const subscription good = changes.subscribe([&] { ++calls; });
  changes.publish();
  changes.publish();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(changes.callback_exceptions(), 2U);
}

TEST(bus, subscribes_nobody_if_the_function_can_not_be_kept) {
  struct refuses {
    refuses() = default;
    refuses(const refuses&) { throw std::runtime_error("no"); }
    void operator()() const { ADD_FAILURE(); }
  };
  bus<> changes;
  const refuses f;
  EXPECT_THROW((void)changes.subscribe(f), std::runtime_error);
  changes.publish();
}

TEST(bus, is_outlived_by_its_subscriptions) {  // P12
  int deaths = 0;
  subscription mine, other;
  {
    bus<> changes;
    mine = changes.subscribe([state = captured(deaths)] {});
    other = changes.subscribe([state = captured(deaths)] {});
  }
  mine.reset();
  EXPECT_EQ(deaths, 1);
  other = subscription();
  EXPECT_EQ(deaths, 2);
}

TEST(bus, moves_its_subscriptions) {
  bus<> changes;
  int calls = 0;
  std::vector<subscription> several;
  for (int i = 0; i != 20; ++i) several.push_back(changes.subscribe([&] { ++calls; }));
  several.erase(several.begin() + 3, several.begin() + 8);
  changes.publish();
  EXPECT_EQ(calls, 15);
}

TEST(bus, waits_for_a_call_on_another_thread_and_sleeps_meanwhile) {  // P1
  bus<> changes;
  acqrel::event entered, go_on;
  bool ended = false;
  subscription mine = changes.subscribe([&] {
    entered.notify();
    go_on.wait();
    ended = true;
  });
  std::thread publisher([&] { changes.publish(); });
  entered.wait();
  sleeper ending([&] {
    mine.reset();
    EXPECT_TRUE(ended);
  });
  ending.until_asleep();
  go_on.notify();
  ending.join();
  publisher.join();
}

TEST(bus, waits_within_a_callback_for_a_call_of_another_on_another_thread) {  // P1 P7
  bus<> one, two;
  acqrel::event entered, go_on;
  bool ended = false;
  subscription first = one.subscribe([&] {
    entered.notify();
    go_on.wait();
    ended = true;
  });
  const subscription second = two.subscribe([&] {
    first.reset();
    EXPECT_TRUE(ended);
  });
  std::thread publisher([&] { one.publish(); });
  entered.wait();
  sleeper ending([&] { two.publish(); });
  ending.until_asleep();
  go_on.notify();
  ending.join();
  publisher.join();
}

// No order is promised: one is held up in its call, and the other hears the second message before the first.
TEST(bus, gives_the_messages_of_two_publishers_in_no_common_order) {  // P10
  bus<int> changes;
  acqrel::event entered, go_on;
  std::string first, second;
  const subscription slow = changes.subscribe([&](int n) {
    first += std::to_string(n);
    if (n != 1) return;
    entered.notify();
    go_on.wait();
  });
  const subscription quick = changes.subscribe([&](int n) { second += std::to_string(n); });
  std::thread publisher([&] { changes.publish(1); });
  entered.wait();
  changes.publish(2);
  go_on.notify();
  publisher.join();
  EXPECT_EQ(first, "12");
  EXPECT_EQ(second, "21");
}

TEST(bus, does_not_wait_for_neighbours) {
  bus<> changes;
  acqrel::event entered, go_on;
  subscription mine = changes.subscribe([] {});
  const subscription slow = changes.subscribe([&] {
    entered.notify();
    go_on.wait();
  });
  std::thread publisher([&] { changes.publish(); });
  entered.wait();
  mine.reset();
  go_on.notify();
  publisher.join();
}

// Publishes once more, at the end of its thread.
struct at_the_end {
  bus<>* which = nullptr;
  ~at_the_end() {
    if (which != nullptr) which->publish();
  }
};
thread_local at_the_end late;

TEST(bus, is_published_to_while_threads_end) {
  bus<> changes;
  std::atomic<int> calls{0};
  const subscription mine = changes.subscribe([&] { calls.fetch_add(1, std::memory_order_relaxed); });
  for (int i = 0; i != 10; ++i) std::thread([&] { late.which = &changes; }).join();
  EXPECT_EQ(calls.load(std::memory_order_relaxed), 10);
}

// The child has one thread: nobody else calls anything there, whatever was under way in the parent.
TEST(bus, waits_for_nobody_in_the_child_of_a_fork) {
  bus<> changes;
  acqrel::event entered, go_on;
  subscription mine = changes.subscribe([&] {
    entered.notify();
    go_on.wait();
  });
  std::thread publisher([&] { changes.publish(); });
  entered.wait();
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    mine.reset();
    changes.publish();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  go_on.notify();
  publisher.join();
}

// The child goes on with the call in which it was made, and nobody else's.
TEST(bus, goes_on_in_the_child_of_a_fork_within_a_callback) {  // P2
  bus<int> changes;
  int calls = 0;
  pid_t child = -1;
  subscription mine;
  mine = changes.subscribe([&](int depth) {
    ++calls;
    if (depth == 1) return mine.reset();
    child = fork();
    if (child == 0) {
      alarm(20);
      changes.publish(1);
    }
  });
  changes.publish(0);
  if (child == 0) {
    changes.publish(2);
    _exit(calls == 2 ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(mine);
}

// ---- stress ----

// Oracle: each publisher numbers its messages; a subscriber that stays sees each one's in order, all, once.
TEST(bus_stress, calls_who_stays_once_for_each_message_in_order) {  // P3 P9 P13
  constexpr int publishers = 2;
  bus<int, int> changes;
  std::array<std::atomic<int>, publishers> last{};
  std::atomic<int> wrong{0};
  const subscription stays = changes.subscribe([&](int who, int n) {
    auto& before = last[static_cast<std::size_t>(who)];
    if (before.exchange(n, std::memory_order_relaxed) != n - 1) wrong.fetch_add(1, std::memory_order_relaxed);
  });
  std::array<std::thread, publishers> threads;
  for (int who = 0; who != publishers; ++who) {
    threads[static_cast<std::size_t>(who)] = std::thread([&changes, who] {
      for (int n = 1; n <= rounds; ++n) changes.publish(who, n);
    });
  }
  for (int i = 0; i != rounds / 20; ++i) {
    const subscription comes = changes.subscribe([](int, int) {});
    if (i % 8 == 0) std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(std::memory_order_relaxed), 0);
  for (const auto& n : last) EXPECT_EQ(n.load(std::memory_order_relaxed), rounds);
}

struct visitor {
  explicit visitor(bus<>& where) : mine(where.subscribe([this] { visit(); })) {}
  ~visitor() {
    mine.reset();
    alive = 0;
  }
  void visit() {
    if (alive != 42) wrong.fetch_add(1, std::memory_order_relaxed);
  }
  int alive = 42;
  static inline std::atomic<int> wrong{0};
  subscription mine;
};

thread_local std::unique_ptr<visitor> guest;

// Callbacks that come and go within callbacks, on two threads. Oracle: an owner's memory, poisoned at its end.
TEST(bus_stress, changes_within_callbacks) {  // P7
  bus<> changes;
  const subscription host = changes.subscribe([&] {
    guest = nullptr;
    guest = std::make_unique<visitor>(changes);
  });
  std::array<std::thread, 2> threads;
  for (auto& thread : threads) {
    thread = std::thread([&] {
      for (int i = 0; i != rounds / 20; ++i) changes.publish();
      guest = nullptr;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(visitor::wrong.load(std::memory_order_relaxed), 0);
}

}  // namespace
