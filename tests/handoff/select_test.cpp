// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/select.hpp>

#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::bounded;
using acqrel::channel;
using acqrel::on_deadline;
using acqrel::on_event;
using acqrel::on_receive;
using acqrel::on_send;
using acqrel::on_stop;
using acqrel::on_watch;
using acqrel::rendezvous;
using acqrel::select;
using acqrel::try_select;
using acqrel::unbounded;
using std::chrono::steady_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int scale = 1;
#else
constexpr int scale = 10;
#endif

constexpr auto nothing = [](auto&&...) {};

// ---- semantics ----

TEST(select, does_the_case_that_is_ready_and_says_which) {
  channel<int> one(bounded(1)), two(bounded(1));
  EXPECT_TRUE(two.send(5));
  int got = 0;
  const auto receive = [&] {
    return select(on_receive(one, [&](std::optional<int> item) { got = *item; }),
                  on_receive(two, [&](std::optional<int> item) { got = -*item; }));
  };
  EXPECT_EQ(receive(), 1u);
  EXPECT_EQ(got, -5);
  EXPECT_TRUE(one.send(6));
  EXPECT_EQ(receive(), 0u);
  EXPECT_EQ(got, 6);
}

TEST(select, sends_or_leaves_the_item) {
  channel<std::unique_ptr<int>> full(bounded(1)), open(bounded(1));
  EXPECT_TRUE(full.send(nullptr));
  auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
  bool sent = false;
  EXPECT_EQ(
      select(on_send(full, std::move(first), nothing), on_send(open, std::move(second), [&](bool ok) { sent = ok; })),
      1u);
  EXPECT_TRUE(sent);
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(**open.receive(), 2);
}

TEST(select, is_told_of_a_closed_channel_on_either_side) {
  channel<std::unique_ptr<int>> shut(bounded(1));
  shut.close();
  bool told = false;
  EXPECT_EQ(select(on_receive(shut, [&](auto item) { told = !item; })), 0u);
  EXPECT_TRUE(told);
  auto mine = std::make_unique<int>(1);
  EXPECT_EQ(select(on_send(shut, std::move(mine), [&](bool sent) { told = sent; })), 0u);
  EXPECT_FALSE(told);
  EXPECT_NE(mine, nullptr);
}

TEST(select, tries_and_does_nothing_if_nothing_is_ready) {
  channel<int> items(rendezvous);
  acqrel::event ready;
  acqrel::watch<int> current;
  auto changes = current.subscribe();
  const std::stop_source stop;
  const auto attempt = [&] {
    return try_select(on_receive(items, nothing), on_send(items, 1, nothing), on_event(ready, nothing),
                      on_watch(changes, nothing), on_deadline(steady_clock::time_point::max(), nothing),
                      on_stop(stop.get_token(), nothing));
  };
  EXPECT_EQ(attempt(), std::nullopt);
  ready.notify();
  EXPECT_EQ(attempt(), 2u);
}

TEST(select, takes_each_of_the_ready_cases_a_fair_share_of_times) {
  channel<int> one(unbounded), two(unbounded), never(unbounded), sink(unbounded);
  acqrel::event ready;
  ready.notify();
  acqrel::watch<int> current(1);
  auto changes = current.subscribe();
  std::stop_source stop;
  stop.request_stop();
  std::array<int, 7> times{};
  std::array<int, 3> times_of_channels{};
  for (int round = 0; round != 1000; ++round) {
    EXPECT_TRUE(one.send(1));
    EXPECT_TRUE(two.send(2));
    ++times[select(on_receive(one, nothing), on_send(sink, 3, nothing), on_event(ready, nothing),
                   on_watch(changes, nothing), on_deadline(steady_clock::time_point::min(), nothing),
                   on_stop(stop.get_token(), nothing), on_receive(never, nothing))];
    ++times_of_channels[select(on_receive(two, nothing), on_receive(one, nothing), on_send(sink, 3, nothing))];
  }
  for (std::size_t i = 0; i != 6; ++i) EXPECT_GE(times[i], 100) << "case " << i;
  EXPECT_EQ(times[6], 0);
  for (std::size_t i = 0; i != 3; ++i) EXPECT_GE(times_of_channels[i], 100) << "case " << i << " of the channels";
}

template <class Wake, class... Cases>
void is_woken(Wake wake, std::size_t expected, Cases&&... cases) {
  std::optional<std::size_t> which;
  const auto begin = steady_clock::now();
  sleeper waiter([&] { which = select(cases..., on_deadline(begin + long_enough, nothing)); });
  waiter.until_asleep();
  wake();
  waiter.join();
  EXPECT_EQ(which, expected);
  EXPECT_LT(steady_clock::now() - begin, long_enough);
}

TEST(select, is_woken_by_each_kind_of_case) {
  for (const auto capacity : {rendezvous, bounded(1)}) {
    channel<int> in(capacity), full(capacity);
    while (full.try_send(0)) {
    }
    acqrel::event ready;
    acqrel::watch<int> current;
    auto changes = current.subscribe();
    std::stop_source stop;
    const auto cases = [&](auto wake, std::size_t expected) {
      int mine = 7;
      is_woken(wake, expected, on_receive(in, nothing), on_send(full, std::move(mine), nothing),
               on_event(ready, nothing), on_watch(changes, nothing), on_stop(stop.get_token(), nothing));
    };
    cases([&] { EXPECT_TRUE(in.send(1)); }, 0);
    cases([&] { EXPECT_TRUE(full.receive()); }, 1);
    cases([&] { in.close(); }, 0);
    channel<int> other(capacity);
    is_woken([&] { stop.request_stop(); }, 1, on_receive(other, nothing), on_stop(stop.get_token(), nothing));
    is_woken([&] { current.publish(1); }, 1, on_receive(other, nothing), on_watch(changes, nothing));
    is_woken([&] { ready.notify(); }, 1, on_receive(other, nothing), on_event(ready, nothing));
    is_woken([&] { EXPECT_TRUE(other.send(1)); }, 0, on_receive(other, nothing), on_event(acqrel::event(), nothing));
  }
}

TEST(select, comes_to_the_earliest_deadline_and_never_early) {
  channel<int> empty(unbounded);
  const acqrel::event never;
  const auto begin = steady_clock::now();
  const auto late = on_deadline(begin + 1h, nothing);
  EXPECT_EQ(select(on_deadline(begin + 1h, nothing), on_deadline(begin + 3ms, nothing), on_receive(empty, nothing)),
            1u);
  EXPECT_GE(steady_clock::now(), begin + 3ms);
  EXPECT_EQ(select(on_deadline(begin + 1h, nothing), on_deadline(begin + 6ms, nothing), on_event(never, nothing)), 1u);
  EXPECT_GE(steady_clock::now(), begin + 6ms);
  static_assert(!std::is_copy_constructible_v<decltype(late)>);
}

TEST(select, does_not_serve_itself_on_both_sides_of_a_channel) {
  channel<int> items(rendezvous);
  const auto soon = steady_clock::now() + 3ms;
  EXPECT_EQ(select(on_receive(items, nothing), on_send(items, 1, nothing), on_deadline(soon, nothing)), 2u);
  std::optional<int> got;
  sleeper receiver([&] { got = items.receive(); });
  receiver.until_asleep();
  EXPECT_EQ(select(on_receive(items, nothing), on_send(items, 4, nothing), on_receive(items, nothing)), 1u);
  receiver.join();
  EXPECT_EQ(got, 4);
}

TEST(select, may_wait_for_a_channel_twice_and_leaves_no_place_behind) {
  channel<int> items(rendezvous);
  is_woken([&] { EXPECT_TRUE(items.send(1)); }, 1, on_event(acqrel::event(), nothing), on_receive(items, nothing));
  std::optional<std::size_t> which;
  sleeper waiter([&] { which = select(on_receive(items, nothing), on_receive(items, nothing)); });
  waiter.until_asleep();
  EXPECT_TRUE(items.send(1));
  waiter.join();
  EXPECT_LT(*which, 2u);
  EXPECT_FALSE(items.try_send(2));
}

TEST(select, may_be_nested) {
  channel<int> outer(unbounded), inner(unbounded);
  EXPECT_TRUE(outer.send(1));
  EXPECT_TRUE(inner.send(2));
  int sum = 0;
  select(on_receive(outer, [&](std::optional<int> first) {
    select(on_receive(inner, [&](std::optional<int> second) { sum = *first + *second; }), on_receive(outer, nothing));
  }));
  EXPECT_EQ(sum, 3);
}

TEST(select, passes_what_a_function_throws_after_it_has_chosen) {
  channel<int> items(unbounded);
  EXPECT_TRUE(items.send(1));
  EXPECT_THROW(select(on_receive(items, [](std::optional<int>) { throw std::runtime_error("no"); })),
               std::runtime_error);
  EXPECT_EQ(items.try_receive(), std::nullopt);
  EXPECT_TRUE(items.try_send(2));
}

// ---- stress ----

// Workers that send and receive on both channels at once, whichever is ready; each item sent is received once, by somebody.
// One of them also publishes how far it is: who watches sees that grow, and the last of it. All kinds of cases take part;
// who waits for the end is told by an event or by a stop.
TEST(select_stress, neither_loses_nor_doubles) {  // L1
  constexpr int workers = 3, each = 30 * scale;
  for (const auto capacity : {rendezvous, bounded(1), bounded(4)}) {
    channel<int> one(capacity), two(capacity);
    acqrel::watch<int> progress;
    acqrel::event over;
    std::stop_source stop, never;
    std::vector<std::vector<int>> got(workers + 1);
    std::vector<std::thread> threads;
    for (int worker = 0; worker != workers; ++worker) {
      threads.emplace_back([&, worker] {
        auto& mine = got[static_cast<std::size_t>(worker)];
        auto news = progress.subscribe();
        int newest = -1;
        const auto keep = [&](std::optional<int> item) {
          if (item) mine.push_back(*item);
        };
        const auto look = [&] {
          const int seen = *news.receive();
          EXPECT_GT(seen, newest);
          newest = seen;
        };
        for (int i = 0; i != each;) {
          int first = worker * each + i, second = first;
          const auto sent = [&](bool ok) {
            i += ok ? 1 : 0;
            if (worker == 0) progress.publish(int{i});
          };
          if (i % 4 == 0) {
            if (!try_select(on_receive(one, keep), on_send(two, std::move(second), sent))) std::this_thread::yield();
          } else {
            select(on_receive(one, keep), on_send(two, std::move(second), sent), on_receive(two, keep),
                   on_send(one, std::move(first), sent), on_watch(news, look),
                   on_deadline(steady_clock::now() + 20us, nothing), on_stop(never.get_token(), nothing));
          }
        }
      });
    }
    threads.emplace_back([&] {
      auto news = progress.subscribe();
      int newest = -1;
      for (bool done = false; !done || newest != each;) {
        const auto keep = [&](std::optional<int> item) { got[workers].push_back(*item); };
        const auto end = [&] { done = true; };
        select(on_receive(two, keep), on_receive(one, keep), on_event(over, end), on_stop(stop.get_token(), end),
               on_watch(news, [&] {
                 const int seen = *news.receive();
                 EXPECT_GT(seen, newest);
                 newest = seen;
               }));
      }
    });
    for (std::size_t i = 0; i != workers; ++i) threads[i].join();
    if (capacity.items == 1) {
      stop.request_stop();
    } else {
      over.notify();
    }
    threads.back().join();
    while (const auto item = one.try_receive()) got[workers].push_back(*item);
    while (const auto item = two.try_receive()) got[workers].push_back(*item);
    std::vector<int> count(workers * each, 0);
    for (const auto& items : got) {
      for (const int item : items) ++count[static_cast<std::size_t>(item)];
    }
    EXPECT_EQ(std::count(count.begin(), count.end(), 1), workers * each) << "capacity " << capacity.items;
  }
}

}  // namespace
