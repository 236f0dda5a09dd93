// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/watch.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::patience;
using acqrel::versioned_ptr;
using acqrel::watch;
using std::chrono::steady_clock;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails

// A value that counts how many of it are alive and knows its number.
struct numbered {
  explicit numbered(long n) : value(std::make_unique<checked>(n)) {}
  long number() const {
    EXPECT_TRUE(value->whole());
    return value->number;
  }
  std::unique_ptr<checked> value;
};

// ---- semantics ----

TEST(watch, has_nothing_until_something_is_published) {  // G2
  watch<int> current;
  auto changes = current.subscribe();
  EXPECT_FALSE(current.read());
  EXPECT_FALSE(changes.unseen());
  EXPECT_FALSE(changes.receive());
  EXPECT_FALSE(changes.wait_for(1us));
  EXPECT_TRUE(current.publish(1));
  EXPECT_TRUE(changes.unseen());
  EXPECT_TRUE(changes.wait_for(-1s)) << "a wait does not take what it waited for";
  EXPECT_EQ(*changes.receive(), 1);
  EXPECT_FALSE(changes.receive());
  EXPECT_EQ(*current.read().operator->(), 1);
  const watch<int> first(7);
  EXPECT_EQ(*first.subscribe().receive(), 7);
}

TEST(watch, gives_the_newest_of_five_to_who_comes_late) {  // X3 H13
  watch<int> current;
  auto early = current.subscribe();
  std::vector<int> called;
  for (int n = 1; n <= 5; ++n) current.publish(int(n));
  auto late = current.subscribe();
  const auto callback = current.on_change([&](const int& n) { called.push_back(n); });
  for (auto* const each : {&early, &late}) {
    const auto newest = each->receive();
    EXPECT_EQ(*newest, 5);
    EXPECT_EQ(newest.version(), 5U);
    EXPECT_FALSE(each->receive()) << "nothing follows";
  }
  EXPECT_EQ(called, std::vector{5});
}

TEST(watch, delivers_the_newest_once_more_after_closing) {
  watch<int> current;
  auto saw_nothing = current.subscribe(), saw_one = current.subscribe();
  current.publish(1);
  EXPECT_EQ(*saw_one.receive(), 1);
  current.publish(2);
  auto saw_all = saw_one;  // a copy has seen what the original had
  EXPECT_EQ(*saw_all.receive(), 2);
  EXPECT_FALSE(current.closed());
  current.close();
  current.close();
  EXPECT_TRUE(current.closed());
  for (auto* const each : {&saw_nothing, &saw_one}) {
    each->wait();
    EXPECT_EQ(*each->receive(), 2);
  }
  for (auto* const each : {&saw_nothing, &saw_one, &saw_all}) {
    each->wait();
    EXPECT_FALSE(each->receive());
  }
  EXPECT_EQ(*current.read().operator->(), 2) << "what was newest stays";
  EXPECT_EQ(current.get_snapshot().version(), 2U);
}

TEST(watch, closes_without_ever_having_had_a_value) {
  watch<int> current;
  auto changes = current.subscribe();
  current.close();
  changes.wait();
  EXPECT_FALSE(changes.receive());
  EXPECT_FALSE(current.publish(1));
  int calls = 0;
  const auto callback = current.on_change([&](const int&) { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST(watch, leaves_the_value_with_who_publishes_after_closing) {
  watch<std::unique_ptr<int>> current;
  current.publish(std::make_unique<int>(1));
  current.close();
  auto late = std::make_unique<int>(2);
  EXPECT_FALSE(current.publish(std::move(late)));
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(**current.read().operator->(), 1);
}

TEST(watch, wakes_all_who_wait_when_it_changes_and_when_it_closes) {
  watch<int> current;
  std::vector<std::thread> waiters;
  std::latch got_it(4);
  for (int i = 0; i != 4; ++i) {
    waiters.emplace_back([&] {
      auto changes = current.subscribe();
      EXPECT_TRUE(changes.wait_for(long_enough));
      EXPECT_EQ(*changes.receive(), 1);
      got_it.count_down();
      EXPECT_TRUE(changes.wait_for(long_enough));
      EXPECT_FALSE(changes.receive());
    });
  }
  std::this_thread::sleep_for(1ms);
  current.publish(1);
  got_it.wait();
  current.close();
  for (auto& waiter : waiters) waiter.join();
}

TEST(watch, is_waited_for_in_every_form) {
  watch<int> current;
  auto changes = current.subscribe();
  std::stop_source stop;
  const auto soon = steady_clock::now() + 5ms;
  EXPECT_FALSE(changes.wait_until(soon));
  EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
  stop.request_stop();
  EXPECT_FALSE(changes.wait(stop.get_token()));
  EXPECT_FALSE(changes.wait_for(long_enough, stop.get_token()));
  current.publish(1);
  EXPECT_TRUE(changes.wait(stop.get_token()));
  EXPECT_TRUE(changes.wait_until(steady_clock::time_point::min(), stop.get_token()));
}

TEST(watch, waits_for_a_value_of_a_kind) {
  watch<int> current(2);
  auto changes = current.subscribe();
  std::vector<int> asked;
  const auto big = [&](const int& n) {
    asked.push_back(n);
    return n > 10;
  };
  EXPECT_FALSE(changes.receive_when(big, patience(acqrel::deadline_after(5ms))));
  EXPECT_EQ(asked, std::vector{2}) << "asked once of each version";
  EXPECT_TRUE(changes.unseen()) << "what did not suit was not received";
  std::thread publisher([&] {
    current.publish(5);
    current.publish(20);
  });
  const versioned_ptr<int> found = changes.receive_when(big);
  EXPECT_EQ(*found, 20);
  EXPECT_FALSE(changes.unseen());
  publisher.join();
  EXPECT_EQ(*changes.receive_when(big), 20) << "the newest counts, seen or not";
  current.publish(3);
  current.close();
  EXPECT_FALSE(changes.receive_when(big)) << "closed, and the newest is another";
  EXPECT_TRUE(changes.receive_when([](const int& n) { return n == 3; })) << "closed with what is waited for";
  EXPECT_THROW((void)changes.receive_when([](const int&) -> bool { throw std::runtime_error("no"); }),
               std::runtime_error);
}

TEST(watch, gives_up_in_time_on_a_kind_of_value_though_others_keep_coming) {
  watch<int> current;
  std::atomic<bool> over{false};
  std::thread storm([&] {
    while (!over.load(std::memory_order_relaxed)) current.publish(1);
  });
  auto changes = current.subscribe();
  EXPECT_FALSE(changes.receive_when([](const int& n) { return n == 2; }, patience(acqrel::deadline_after(5ms))));
  over = true;
  storm.join();
}

TEST(watch, calls_back_with_each_value_in_order) {  // H15 P13
  watch<int> current;
  std::vector<int> called;
  int plain = 0;
  {
    const auto callback = current.on_change([&](const int& n) {
      EXPECT_EQ(plain, n);
      called.push_back(n);
    });
    for (int n = 1; n <= 3; ++n) {
      plain = n;
      current.publish(int(n));
    }
    current.close();
  }
  EXPECT_EQ(called, (std::vector{1, 2, 3}));
}

TEST(watch, calls_no_more_once_the_subscription_has_ended) {  // P8
  watch<int> current;
  int kept_calls = 0, ended_calls = 0;
  const auto kept = current.on_change([&](const int&) { ++kept_calls; });
  {
    const auto ended = current.on_change([&](const int&) { ++ended_calls; });
    current.publish(1);
  }
  current.publish(2);
  EXPECT_EQ(ended_calls, 1);
  EXPECT_EQ(kept_calls, 2);
}

TEST(watch, lets_a_callback_publish_subscribe_and_end_itself) {  // P2 P7
  watch<int> current;
  std::vector<int> outer_called, inner_called;
  using function = std::function<void(const int&)>;
  std::unique_ptr<decltype(current.on_change(function()))> inner, outer;
  outer.reset(new auto(current.on_change(function([&](const int& n) {
    outer_called.push_back(n);
    if (n == 1) {
      inner.reset(new auto(current.on_change(function([&](const int& m) { inner_called.push_back(m); }))));
      current.publish(2);  // delivered after this call, not within it
      EXPECT_EQ(outer_called, std::vector{1});
      EXPECT_EQ(inner_called, (std::vector{1, 2}));
    }
    if (n == 2) outer.reset();  // its own end
  }))));
  current.publish(1);
  EXPECT_EQ(outer_called, (std::vector{1, 2}));
  EXPECT_EQ(outer, nullptr);
  current.publish(3);
  EXPECT_EQ(outer_called, (std::vector{1, 2}));
  EXPECT_EQ(inner_called, (std::vector{1, 2, 3}));
}

TEST(watch, counts_what_callbacks_throw_and_calls_the_others) {  // P6
  watch<int> current;
  int calls = 0;
  const auto thrower = current.on_change([](const int&) { throw std::runtime_error("no"); });
  const auto other = current.on_change([&](const int&) { ++calls; });
  EXPECT_TRUE(current.publish(1));
  EXPECT_TRUE(current.publish(2));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(current.callback_exceptions(), 2U);
}

TEST(watch, waits_at_the_end_of_a_subscription_for_a_callback_on_another_thread) {  // P1 P11
  watch<int> current;
  std::latch running(1), go_on(1);
  std::atomic<bool> returned{false};
  std::thread publisher;
  std::thread releaser;
  {
    const auto callback = current.on_change([&](const int&) {
      running.count_down();
      go_on.wait();
      returned = true;
    });
    publisher = std::thread([&] { current.publish(1); });
    running.wait();
    EXPECT_TRUE(current.subscribe().unseen()) << "visible before the callbacks have run";
    releaser = std::thread([&] {
      std::this_thread::sleep_for(2ms);
      go_on.count_down();
    });
  }
  EXPECT_TRUE(returned);
  publisher.join();
  releaser.join();
}

TEST(watch, leaves_what_is_published_during_a_callback_to_the_thread_that_runs_it) {
  watch<int> current;
  std::latch running(1), go_on(1);
  std::vector<std::pair<int, std::thread::id>> called;  // by one thread at a time
  const auto callback = current.on_change([&](const int& n) {
    called.emplace_back(n, std::this_thread::get_id());
    if (n == 1) {
      running.count_down();
      go_on.wait();
    }
  });
  std::thread first([&] { current.publish(1); });
  running.wait();
  current.publish(2);  // neither waits for the callback ...
  current.publish(3);
  go_on.count_down();
  const auto id = first.get_id();
  first.join();
  const std::vector<std::pair<int, std::thread::id>> wanted{{1, id}, {3, id}};
  EXPECT_EQ(called, wanted) << "... nor is the newest lost";
}

TEST(watch, destroys_what_nobody_holds_and_keeps_what_somebody_does) {
  const long before = live_now();
  {
    watch<numbered> current;
    auto changes = current.subscribe();
    for (long n = 0; n != 100; ++n) current.publish(numbered(n));
    const auto kept = changes.receive();
    current.publish(numbered(100));
    current.close();
    acqrel::drain();
    EXPECT_EQ(checked::live, before + 2);
    EXPECT_EQ(kept->number(), 99);
    EXPECT_EQ(changes.receive()->number(), 100);
  }
  acqrel::drain();
  EXPECT_EQ(checked::live, before);
}

TEST(watch_death, says_so_when_a_subscription_outlives_it) {
  EXPECT_DEATH(
      {
        auto* const current = new watch<int>;
        const auto callback = current->on_change([](const int&) {});
        delete current;
      },
      "declare it after the watch");
}

template <class Watch, class Value>
concept publishes = requires(Watch& current, Value&& value) {
  current.publish(std::forward<Value>(value));
};

TEST(watch, gives_const_access_only) {  // G5
  using cell = watch<std::string>;
  using receiver = acqrel::watch_receiver<std::string>;
  static_assert(std::is_same_v<decltype(*std::declval<receiver&>().receive()), const std::string&>);
  static_assert(!publishes<cell, std::string&> && publishes<cell, std::string>);
  static_assert(!std::is_copy_constructible_v<cell> && std::is_copy_constructible_v<receiver>);
  static_assert(!std::is_move_constructible_v<decltype(std::declval<cell&>().on_change([](const std::string&) {}))>);
  static_assert(sizeof(watch<int>) == 192);
  SUCCEED();
}

// ---- stress ----

// Publishers take turns in no order; every receiver and every callback sees versions rise, ends with the last one, and
// each callback is never in two threads at once. Callbacks come and go meanwhile; none runs after its end.
TEST(watch_stress, everybody_ends_with_the_newest) {  // G1 G4 H13 H14 H15
  const long publishes = 40'000 / fewer_when_sanitized;
  watch<numbered> current;
  struct follower {
    std::atomic<int> inside{0};
    std::uint64_t calls = 0;
    long last = -1;
  } steady[2];
  std::atomic<long> next{0};
  std::vector<std::thread> publishers, others;
  std::uint64_t last_version = 0;
  {
    const auto follow = [&](follower& mine) {
      return [&](const numbered& value) {
        EXPECT_EQ(mine.inside.fetch_add(1), 0);
        mine.last = value.number();
        ++mine.calls;
        mine.inside.fetch_sub(1);
      };
    };
    const auto one = current.on_change(follow(steady[0]));
    const auto two = current.on_change(follow(steady[1]));
    std::vector<versioned_ptr<numbered>> newest(2);
    for (auto& mine : newest) {
      others.emplace_back([&] {
        auto changes = current.subscribe();
        std::uint64_t seen = 0;
        for (changes.wait(); auto now = changes.receive(); changes.wait()) {
          EXPECT_GT(now.version(), seen);
          seen = now.version();
          (void)now->number();
          mine = now;
        }
      });
    }
    std::atomic<bool> over{false};
    std::thread visitor([&] {
      while (!over.load(std::memory_order_relaxed)) {
        auto alive = std::make_unique<std::atomic<long>>(0);
        const auto brief = current.on_change([state = alive.get()](const numbered&) { state->fetch_add(1); });
        std::this_thread::yield();
      }  // brief ends before `alive`: a call after that is a use after free
    });
    std::latch go(2);
    for (int p = 0; p != 2; ++p) {
      publishers.emplace_back([&] {
        go.arrive_and_wait();
        for (long n; (n = next.fetch_add(1)) < publishes;) {
          current.publish(numbered(n));
          if (n % 64 == 0) std::this_thread::yield();
        }
      });
    }
    for (auto& thread : publishers) thread.join();
    over = true;
    visitor.join();
    current.close();
    for (auto& thread : others) thread.join();
    const auto last = current.read();
    last_version = last.version();
    EXPECT_EQ(last_version, static_cast<std::uint64_t>(publishes));
    for (const auto& mine : newest) EXPECT_EQ(mine.version(), last_version);
    for (const auto& mine : steady) {
      EXPECT_EQ(mine.last, last->number());
      EXPECT_LE(mine.calls, last_version);
    }
  }
}

// The receiver owns the watch and destroys it as soon as it is told of the end; the sanitizers watch. Every other watch
// has had a callback.
TEST(watch_stress, the_receiver_may_destroy_what_it_waited_for) {
  std::atomic<watch<int>*> given{nullptr};
  std::atomic<bool> over{false};
  std::thread publisher([&] {
    while (!over.load(std::memory_order_relaxed)) {
      if (auto* const current = given.exchange(nullptr)) current->publish(1);
    }
  });
  for (long round = 0; round != 2000 / fewer_when_sanitized; ++round) {
    auto* const current = new watch<int>;
    {
      auto changes = current->subscribe();
      std::optional<int> called;
      const auto wait = [&] {
        given.store(current);
        changes.wait();
        ASSERT_EQ(*changes.receive(), 1);
      };
      if (round % 2 == 0) {
        wait();
      } else {
        const auto callback = current->on_change([&](const int& n) { called = n; });
        wait();
      }
    }
    delete current;
  }
  over = true;
  publisher.join();
}

}  // namespace
