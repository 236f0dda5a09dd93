// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/loading_cache.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include "../counted_allocations.hpp"

#include <algorithm>
#include <barrier>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <thread>

#include "../checked_value.hpp"
#include "../linearizable.hpp"
#include "traces.hpp"

namespace {

using namespace std::chrono_literals;
using acqrel::event;
using acqrel::patience;
using acqrel::removal;
using acqrel::steady_deadline;
using acqrel::testing::fake_clock;
using cache = acqrel::loading_cache<int, int>;

const patience at_once{steady_deadline::min()};

// A loader that counts its calls, and of which each can be held back.
struct source {
  int operator()(const int& key) {
    const int call = ++calls;
    if (event* const closed = gate) {
      begun.notify();
      closed->wait();
    }
    if (fails) throw std::runtime_error("the source is down");
    return 100 * call + key;
  }
  std::atomic<int> calls{0};
  std::atomic<bool> fails{false};
  std::atomic<event*> gate{nullptr};
  event begun;
};
auto from(source& it) {
  return [&it](const int& key) { return it(key); };
}

// Who left, and why, in order.
struct log {
  using line = std::tuple<int, int, removal>;
  auto listener() {
    return [this](const int& key, const std::shared_ptr<const int>& value, removal why) {
      const std::lock_guard lock(mutex);
      lines.emplace_back(key, *value, why);
    };
  }
  std::vector<line> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(lines, {});
  }
  std::mutex mutex;
  std::vector<line> lines;
};

// An executor whose jobs a test runs, or drops.
struct jobs {
  auto executor() {
    return [this](std::function<void()> job) { waiting.push_back(std::move(job)); };
  }
  void run_all() {
    for (auto& job : std::exchange(waiting, {})) job();
  }
  std::vector<std::function<void()>> waiting;
};

// ---- semantics ----

TEST(loading_cache, loads_once_and_finds_from_then_on) {
  source it;
  cache all(from(it));
  const auto first = all.get(7), second = all.get(7), found = all.find(7);
  EXPECT_EQ(*first, 107);
  EXPECT_EQ(first.get(), second.get());
  EXPECT_EQ(first.get(), found.get());
  EXPECT_FALSE(all.find(8));
  EXPECT_EQ(it.calls, 1);
  const auto seen = all.statistics();
  EXPECT_EQ(seen.hits, 2U);
  EXPECT_EQ(seen.misses, 1U);
  EXPECT_EQ(seen.loads, 1U);
}

// K6, O11
TEST(loading_cache, allocates_nothing_at_a_hit) {
  source it;
  cache all(from(it), {.time_to_live = 1h});
  (void)all.get(7);
  const long before = allocations;
  for (int i = 0; i != 100; ++i) (void)all.get(7);
  EXPECT_EQ(allocations, before);
}

// SF1, K1
TEST(loading_cache, loads_once_for_many) {
  source it;
  event gate;
  it.gate = &gate;
  cache all(from(it));
  std::atomic<int> sum{0};
  std::vector<std::thread> askers;
  for (int i = 0; i != 8; ++i) askers.emplace_back([&] { sum += *all.get(7).share() == 107 ? 1 : 0; });
  it.begun.wait();
  while (all.statistics().misses != 8) std::this_thread::yield();  // all of them wait for it
  gate.notify();
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(sum, 8);
  EXPECT_EQ(it.calls, 1);
}

// SF2, SF4, K5, K7
TEST(loading_cache, gives_what_the_loader_throws_to_all_and_forgets_it) {
  source it;
  event gate;
  it.gate = &gate;
  it.fails = true;
  cache all(from(it));
  std::atomic<int> failed{0};
  std::vector<std::thread> askers;
  for (int i = 0; i != 4; ++i)
    askers.emplace_back([&] {
      try {
        (void)all.get(7);
      } catch (const std::runtime_error&) {
        ++failed;
      }
    });
  it.begun.wait();
  while (all.statistics().misses != 4) std::this_thread::yield();
  gate.notify();
  for (auto& asker : askers) asker.join();
  EXPECT_EQ(failed, 4);
  EXPECT_FALSE(all.find(7));
  it.fails = false;
  const auto after = all.get(7);
  EXPECT_EQ(*after, 207);
  EXPECT_EQ(all.statistics().failures, 1U);
}

// SF5, K2, K3
TEST(loading_cache, loads_two_keys_side_by_side) {
  std::barrier together(2);
  cache all([&](const int& key) { return together.arrive_and_wait(), key; });
  std::thread other([&] { EXPECT_TRUE(all.get(1)); });
  EXPECT_TRUE(all.get(2));
  other.join();
}

// SF6, SF10
TEST(loading_cache, stores_nothing_that_was_invalidated_while_it_was_loaded) {
  for (const bool everything : {false, true}) {
    source it;
    event gate;
    it.gate = &gate;
    log left;
    cache all(from(it), {.on_removal = left.listener()});
    std::thread asked_before([&] {
      const auto stale = all.get(7);
      EXPECT_EQ(*stale, 107) << "who asked before the invalidate gets what there was";
    });
    it.begun.wait();
    if (everything)
      all.invalidate_all();
    else
      EXPECT_TRUE(all.invalidate(7));
    it.gate = nullptr;
    const auto fresh = all.get(7);
    EXPECT_EQ(*fresh, 207);
    gate.notify();
    asked_before.join();
    const auto still = all.get(7);
    EXPECT_EQ(*still, 207);
    EXPECT_EQ(left.take().size(), 0U) << "what was not there did not leave";
    EXPECT_EQ(all.size(), 1U);
  }
}

// SF3, SF8
TEST(loading_cache, lets_a_waiter_leave_and_keeps_what_comes) {
  source it;
  event gate;
  it.gate = &gate;
  cache all(from(it));
  std::thread loader([&] { EXPECT_TRUE(all.get(7)); });
  it.begun.wait();
  {
    const auto nothing = all.get(7, at_once);
    EXPECT_FALSE(nothing);
    EXPECT_FALSE(nothing.is_known());
    std::stop_source stop;
    stop.request_stop();
    const auto token = stop.get_token();
    EXPECT_FALSE(all.get(7, patience(token)));
  }
  gate.notify();
  loader.join();
  EXPECT_TRUE(all.find(7));
  EXPECT_EQ(it.calls, 1);
}

TEST(loading_cache, lets_the_first_leave_as_well_if_an_executor_loads) {
  source it;
  jobs later;
  cache all(from(it), {.executor = later.executor()});
  EXPECT_FALSE(all.get(7, at_once));
  EXPECT_FALSE(all.get(7, at_once));
  EXPECT_EQ(later.waiting.size(), 1U) << "the second waited for the load of the first";
  later.run_all();
  EXPECT_TRUE(all.find(7));
}

// SF3
TEST(loading_cache, fails_a_load_that_its_executor_drops) {
  source it;
  jobs never;
  cache all(from(it), {.executor = never.executor()});
  EXPECT_FALSE(all.get(7, at_once));
  std::thread waits([&] { EXPECT_THROW((void)all.get(7), std::runtime_error); });
  while (all.statistics().misses != 2) std::this_thread::yield();
  never.waiting.clear();
  waits.join();
  EXPECT_FALSE(all.find(7));
  cache refused(from(it), {.executor = [](const std::function<void()>&) { throw std::bad_alloc(); }});
  EXPECT_THROW((void)refused.get(7), std::runtime_error);
}

TEST(loading_cache, waits_at_its_end_for_what_its_executor_has) {
  source it;
  std::thread worker;
  event gate;
  {
    cache all(from(it), {.executor = [&](std::function<void()> job) {
                worker = std::thread([&gate, job = std::move(job)]() mutable {
                  gate.wait();
                  job();
                  job = nullptr;
                });
              }});
    EXPECT_FALSE(all.get(7, at_once));
    gate.notify();
  }
  EXPECT_EQ(it.calls, 1);
  worker.join();
}

// SF7
TEST(loading_cache, tells_a_loader_that_asks_for_its_own_key) {
  cache* itself = nullptr;
  cache all([&](const int& key) { return key == 0 ? 0 : *itself->get(key == 1 ? 1 : key - 1).share(); });
  itself = &all;
  EXPECT_THROW((void)all.get(1), std::logic_error);
  EXPECT_TRUE(all.get(0)) << "another key is no harm";
}

// K4, M2
TEST(loading_cache, keeps_what_is_held) {
  std::shared_ptr<const int> kept;
  {
    source it;
    cache all(from(it), {.most = 1});
    const auto held = all.get(1);
    kept = held.share();
    (void)all.get(2);
    (void)all.get(3);
    all.invalidate_all();
    acqrel::drain();
    EXPECT_FALSE(all.find(1));
    EXPECT_EQ(*held, 101);
  }
  EXPECT_EQ(*kept, 101);
}

// SF12, K8
TEST(loading_cache, keeps_to_its_bound) {
  source it;
  log left;
  cache* itself = nullptr;
  std::size_t most = 0;
  cache all(from(it), {.most = 10, .on_removal = [&](const int& key, const auto&, removal why) {
                         most = std::max(most, itself->size());
                         EXPECT_EQ(why, removal::size);
                         EXPECT_FALSE(itself->find(key)) << "it is gone before it is told of";
                       }});
  itself = &all;
  for (int key = 0; key != 100; ++key) EXPECT_TRUE(all.get(key));
  EXPECT_EQ(all.size(), 10U);
  EXPECT_EQ(all.weight(), 10U);
  EXPECT_LE(most, 10U);
  EXPECT_EQ(all.statistics().evictions, 90U);
}

TEST(loading_cache, weighs_values) {
  source it;
  cache all(from(it),
            {.most = 100, .weigh = [](const int& key, const int&) { return static_cast<std::uint64_t>(key); }});
  (void)all.get(60);
  (void)all.get(30);
  EXPECT_EQ(all.weight(), 90U);
  (void)all.get(50);
  EXPECT_LE(all.weight(), 100U);
  const auto heavy = all.get(101);
  EXPECT_TRUE(heavy) << "it is given";
  EXPECT_FALSE(all.find(101)) << "and not kept";
  EXPECT_TRUE(all.find(50));
}

// SF12
TEST(loading_cache, lets_go_of_what_is_too_old) {
  source it;
  fake_clock clock;
  log left;
  cache all(from(it), {.time_to_live = 10s, .on_removal = left.listener(), .time = &clock});
  (void)all.get(7);
  clock.advance(10s - 1ns);
  EXPECT_TRUE(all.find(7));
  clock.advance(1ns);
  EXPECT_FALSE(all.find(7));
  EXPECT_EQ(all.size(), 1U) << "nobody has looked for what is to go";
  const auto again = all.get(7);
  EXPECT_EQ(*again, 207);
  EXPECT_EQ(left.take(), (std::vector{log::line{7, 107, removal::expired}}));
  clock.advance(10s);
  all.expire();
  EXPECT_EQ(all.size(), 0U);
  EXPECT_EQ(left.take(), (std::vector{log::line{7, 207, removal::expired}}));
  for (int key = 0; key != 5; ++key) (void)all.get(key);
  clock.advance(10s);
  (void)all.get(5);
  EXPECT_EQ(all.size(), 1U) << "a load takes away what is too old";
}

TEST(loading_cache, keeps_nothing_for_no_time) {
  source it;
  cache all(from(it), {.time_to_live = 0s});
  EXPECT_TRUE(all.get(7));
  EXPECT_FALSE(all.find(7));
  EXPECT_TRUE(all.get(7));
  EXPECT_EQ(it.calls, 2);
}

TEST(loading_cache, asks_no_clock_if_nothing_grows_old) {
  struct : acqrel::time_source {
    steady_deadline now() noexcept override { return ++asked, steady_deadline(); }
    bool park_until(const acqrel::park_word&, std::uint32_t, steady_deadline) noexcept override { return false; }
    int asked = 0;
  } clock;
  source it;
  cache all(from(it), {.time = &clock});
  (void)all.get(7);
  (void)all.get(7);
  EXPECT_EQ(clock.asked, 0);
  cache remembers(from(it), {.remember_failures = 1s, .time = &clock});
  (void)remembers.get(7);
  clock.asked = 0;
  (void)remembers.get(7);
  EXPECT_EQ(clock.asked, 0) << "a hit";
}

TEST(loading_cache, refuses_negative_times) {
  source it;
  EXPECT_THROW(cache(from(it), {.time_to_live = -1ns}), std::invalid_argument);
  EXPECT_THROW(cache(from(it), {.refresh_after = -1ns}), std::invalid_argument);
  EXPECT_THROW(cache(from(it), {.stale_on_error = -1ns}), std::invalid_argument);
  EXPECT_THROW(cache(from(it), {.remember_failures = -1ns}), std::invalid_argument);
}

TEST(loading_cache, serves_what_is_there_while_it_is_refreshed) {
  source it;
  fake_clock clock;
  log left;
  jobs later;
  cache all(from(it), {.most = 1,
                       .time_to_live = 10s,
                       .refresh_after = 5s,
                       .executor = later.executor(),
                       .on_removal = left.listener(),
                       .time = &clock});
  EXPECT_FALSE(all.get(7, at_once));
  later.run_all();
  clock.advance(5s);
  for (int i = 0; i != 3; ++i) {
    const auto old = all.get(7);
    EXPECT_EQ(*old, 107);
  }
  EXPECT_EQ(later.waiting.size(), 1U) << "one load for all";
  EXPECT_FALSE(all.get(8, at_once)) << "it is asked for, and there is room for one only";
  later.run_all();
  EXPECT_TRUE(all.find(7) || all.find(8));
  EXPECT_EQ(left.take().front(), (log::line{7, 107, removal::replaced})) << "under refresh it is not evicted";
}

TEST(loading_cache, has_who_asks_refresh_if_there_is_no_executor) {
  source it;
  fake_clock clock;
  cache all(from(it), {.refresh_after = 5s, .time = &clock});
  (void)all.get(7);
  clock.advance(5s);
  EXPECT_TRUE(all.find(7)) << "find() loads nothing";
  const auto fresh = all.get(7), again = all.get(7);
  EXPECT_EQ(*fresh, 207);
  EXPECT_EQ(*again, 207);
}

// SF6
TEST(loading_cache, stores_no_refresh_that_was_invalidated) {
  source it;
  fake_clock clock;
  log left;
  jobs later;
  cache all(from(it),
            {.refresh_after = 5s, .executor = later.executor(), .on_removal = left.listener(), .time = &clock});
  (void)all.get(7, at_once);
  later.run_all();
  clock.advance(5s);
  EXPECT_TRUE(all.get(7));
  EXPECT_TRUE(all.invalidate(7));
  EXPECT_EQ(left.take(), (std::vector{log::line{7, 107, removal::invalidated}}));
  later.run_all();
  EXPECT_FALSE(all.find(7));
  EXPECT_EQ(all.size(), 0U);
}

TEST(loading_cache, serves_what_is_stale_if_it_cannot_be_loaded) {
  source it;
  fake_clock clock;
  log left;
  cache all(from(it), {.time_to_live = 10s,
                       .stale_on_error = 60s,
                       .remember_failures = 1s,
                       .on_removal = left.listener(),
                       .time = &clock});
  (void)all.get(7);
  it.fails = true;
  clock.advance(10s);
  for (int i = 0; i != 3; ++i) {
    const auto stale = all.get(7);
    EXPECT_EQ(*stale, 107);
  }
  EXPECT_EQ(it.calls, 2) << "for a second nobody tries again";
  clock.advance(1s);
  EXPECT_TRUE(all.get(7));
  EXPECT_EQ(it.calls, 3);
  EXPECT_EQ(left.take().size(), 0U);
  clock.advance(59s);
  EXPECT_THROW((void)all.get(7), std::runtime_error) << "too stale";
  EXPECT_EQ(left.take(), (std::vector{log::line{7, 107, removal::expired}}));
  it.fails = false;
  clock.advance(1s);
  EXPECT_TRUE(all.get(7));
}

TEST(loading_cache, serves_on_if_a_refresh_fails) {
  source it;
  fake_clock clock;
  cache all(from(it), {.time_to_live = 10s, .refresh_after = 5s, .time = &clock});
  (void)all.get(7);
  it.fails = true;
  clock.advance(5s);
  const auto old = all.get(7);
  EXPECT_EQ(*old, 107);
  clock.advance(5s);
  EXPECT_THROW((void)all.get(7), std::runtime_error);
}

// SF4, K5, K7
TEST(loading_cache, remembers_failures_if_told_to) {
  source it;
  fake_clock clock;
  log left;
  cache all(from(it), {.remember_failures = 5s, .on_removal = left.listener(), .time = &clock});
  it.fails = true;
  for (int i = 0; i != 3; ++i) EXPECT_THROW((void)all.get(7), std::runtime_error);
  EXPECT_FALSE(all.find(7));
  EXPECT_EQ(it.calls, 1);
  it.fails = false;
  clock.advance(5s);
  EXPECT_TRUE(all.get(7));
  EXPECT_EQ(left.take().size(), 0U) << "no value has left";
}

TEST(loading_cache, knows_that_there_is_no_value) {
  fake_clock clock;
  int calls = 0;
  log left;
  cache all([&](const int& key) { return ++calls, key % 2 == 0 ? std::optional(key) : std::nullopt; },
            {.time_to_live = 10s, .remember_failures = 5s, .on_removal = left.listener(), .time = &clock});
  for (int i = 0; i != 3; ++i) {
    const auto none = all.get(7);
    EXPECT_FALSE(none);
    EXPECT_TRUE(none.is_known());
  }
  EXPECT_EQ(calls, 1);
  clock.advance(5s);
  EXPECT_FALSE(all.get(7));
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(all.get(8));
  EXPECT_EQ(all.statistics().failures, 0U);
}

TEST(loading_cache, takes_what_is_put) {
  source it;
  log left;
  cache all(from(it), {.on_removal = left.listener()});
  all.put(7, 1);
  const auto first = all.get(7);
  all.put(7, 2);
  const auto second = all.get(7);
  EXPECT_EQ(*first, 1);
  EXPECT_EQ(*second, 2);
  EXPECT_EQ(it.calls, 0);
  EXPECT_EQ(left.take(), (std::vector{log::line{7, 1, removal::replaced}}));
  EXPECT_TRUE(all.invalidate(7));
  EXPECT_FALSE(all.invalidate(7));
  EXPECT_EQ(left.take(), (std::vector{log::line{7, 2, removal::invalidated}}));
}

TEST(loading_cache, keeps_what_was_put_while_it_was_loaded) {
  source it;
  event gate;
  it.gate = &gate;
  cache all(from(it));
  std::thread loader([&] { EXPECT_TRUE(all.get(7)); });
  it.begun.wait();
  all.put(7, 5);
  gate.notify();
  loader.join();
  const auto now = all.get(7);
  EXPECT_EQ(*now, 5);
}

TEST(loading_cache, may_be_used_by_who_is_told) {
  source it;
  cache* itself = nullptr;
  bool once = false;
  cache all(from(it), {.most = 1, .on_removal = [&](const int& key, const auto&, removal why) {
                         if (why != removal::size || std::exchange(once, true)) return;
                         std::thread other([&, key] { itself->put(key, 1); });  // under a lock this would hang
                         other.join();
                         EXPECT_TRUE(itself->invalidate(key));
                       }});
  itself = &all;
  (void)all.get(1);
  (void)all.get(2);
  EXPECT_EQ(it.calls, 2);
}

TEST(loading_cache, takes_views_and_what_only_moves) {
  auto prefix = std::make_unique<std::string>("page of ");
  acqrel::loading_cache<std::string, std::unique_ptr<std::string>> all(
      [prefix = std::move(prefix)](const std::string& key) { return std::make_unique<std::string>(*prefix + key); });
  const auto found = all.get(std::string_view("ada")), same = all.get("ada");
  EXPECT_EQ(**found, "page of ada");
  EXPECT_EQ(found.get(), same.get());
  all.put("alan", std::make_unique<std::string>("none"));
  EXPECT_TRUE(all.invalidate("alan"));
}

template <class Trace>
double hit_rate(Trace trace) {
  int loads = 0;
  cache all([&](const int& key) { return ++loads, key; }, {.most = 1000});
  return traces::hit_rate(trace, 100'000, [&, before = 0](int key) mutable {
    (void)all.get(key);
    return std::exchange(before, loads) == loads;
  });
}
template <class Trace>
double hit_rate_of_lru(Trace trace) {
  traces::lru<int, int> lru(1000);
  return traces::hit_rate(trace, 100'000, [&](int key) {
    if (lru.find(key) != nullptr) return true;
    lru.insert(key, key);
    return false;
  });
}

TEST(loading_cache, hits_more_than_lru) {
  const traces::zipf_with_churn zipf(10'000);
  const double ours = hit_rate(zipf), theirs = hit_rate_of_lru(zipf), loop = hit_rate(traces::loop(1500));
  std::cout << "zipf with churn: " << ours << ", LRU " << theirs << "; loop of 1500: " << loop << ", LRU 0\n";
  EXPECT_GE(ours, theirs);
  EXPECT_EQ(hit_rate_of_lru(traces::loop(1500)), 0);
  EXPECT_GT(loop, 0.3);
}

// A mutex, a map, and the words of the options: what is there, from when, and whether it is a value.
class reference {
 public:
  struct kept {
    std::optional<int> value;
    steady_deadline from;
    steady_deadline next_try;
  };
  // The value, or none; `calls` grows by one for a load, which fails or has no value as `mood` says.
  std::optional<int> get(int key, int mood, steady_deadline now, int& calls) {
    const auto found = entries.find(key);
    if (found != entries.end() &&
        now < (found->second.value ? std::max(found->second.from + live, found->second.next_try)
                                   : found->second.next_try))
      return found->second.value;
    ++calls;
    if (mood == 1 && found != entries.end() && found->second.value && now < found->second.from + live + stale) {
      found->second.next_try = now + again;
      return found->second.value;
    }
    const std::optional<int> value = mood == 0 ? std::optional(100 * calls + key) : std::nullopt;
    entries[key] = {value, now, now + (value ? 0s : again)};
    return value;
  }
  static constexpr auto live = 10s, stale = 20s, again = 3s;
  std::map<int, kept> entries;
};

TEST(loading_cache, does_as_the_reference_does) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::minstd_rand random(seed);
    fake_clock clock;
    reference expected;
    int mood = 0, calls = 0, should_be = 0;
    cache all(
        [&](const int& key) -> std::optional<int> {
          ++calls;
          if (mood == 1) throw std::runtime_error("no");
          return mood == 2 ? std::nullopt : std::optional(100 * calls + key);
        },
        {.time_to_live = reference::live,
         .stale_on_error = reference::stale,
         .remember_failures = reference::again,
         .time = &clock});
    for (int step = 0; step != 5000; ++step) {
      const int key = static_cast<int>(random() % 8);
      mood = random() % 3 == 0 ? static_cast<int>(random() % 3) : 0;
      switch (random() % 16) {
        case 0:
          all.invalidate(key);  // which of those too old are still there is not for the reference to say
          expected.entries.erase(key);
          break;
        case 1:
          all.put(key, step);
          expected.entries[key] = {step, clock.now(), clock.now()};
          break;
        case 2: clock.advance(std::chrono::seconds(random() % 12)); break;
        default: {
          const auto wanted = expected.get(key, mood, clock.now(), should_be);
          std::optional<int> got;
          try {
            if (const auto found = all.get(key)) got = *found;
          } catch (const std::runtime_error&) {
          }
          ASSERT_EQ(got, wanted) << "seed " << seed << " step " << step;
          ASSERT_EQ(calls, should_be) << "seed " << seed << " step " << step;
        }
      }
    }
  }
}

// ---- stress ----

// A writer changes the source of a key, and then invalidates; readers get. Nobody gets a value older than the last that was
// invalidated before it asked, although values are evicted, refreshed and expire all the time. In the end each value that was
// ever there has left once, and none is alive.
TEST(loading_cache_stress, shows_nobody_what_was_invalidated) {
  constexpr int keys = 6, readers = 2;
  const int reads = static_cast<int>(100'000 / fewer_when_sanitized);
  const long before = live_now();
  struct value : checked {
    explicit value(long version) : checked(version) {}
    mutable std::atomic<int> left{0};
  };
  std::atomic<int> stored_twice{0};
  {
    std::array<std::atomic<long>, keys> version{}, invalidated{};
    std::atomic<int> reading{readers};
    std::atomic<bool> wrong{false};
    fake_clock clock;
    acqrel::loading_cache<int, std::unique_ptr<value>> all(
        [&](const int& key) { return std::make_unique<value>(version[static_cast<std::size_t>(key)].load()); },
        {.most = 4,
         .time_to_live = 50s,
         .refresh_after = 20s,
         .on_removal = [&](const int&, const auto& gone, removal) { stored_twice += (*gone)->left.fetch_add(1); },
         .time = &clock});
    std::vector<std::thread> threads;
    for (int reader = 0; reader != readers; ++reader) {
      threads.emplace_back([&, reader] {
        std::minstd_rand random(static_cast<unsigned>(reader) + 1);
        for (int read = 0; read != reads; ++read) {
          const auto key = random() % keys;
          const long least = invalidated[key].load();
          const auto found = all.get(static_cast<int>(key));
          if (!(*found)->whole() || (*found)->number < least) wrong = true;
        }
        --reading;
      });
    }
    std::minstd_rand random(7);
    for (int write = 1; reading != 0; ++write) {
      const auto key = random() % keys;
      version[key] = write;
      if (random() % 16 != 0)
        all.invalidate(static_cast<int>(key));
      else
        all.invalidate_all();
      invalidated[key] = write;
      clock.advance(1s);
      if (all.weight() > 4) wrong = true;
    }
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(wrong);
    int there = 0;
    for (int key = 0; key != keys; ++key) there += all.find(key) ? 1 : 0;
    all.expire();
    EXPECT_LE(there, 4);
    all.invalidate_all();
    EXPECT_EQ(all.size(), 0U);
  }
  EXPECT_EQ(stored_twice, 0);
  EXPECT_EQ(live_now(), before);
}

// A source and a cache before it are together as one variable: to write is to change the source and then to invalidate, to
// read is to get. The twin is the source document's cache, which knows of no invalidate while it loads.
struct variable_spec {
  struct operation {
    int key = 0, written = 0;  // 0: a read
    int returned = 0;
  };
  using state = int;
  static int key(const operation& o) { return o.key; }
  static bool step(state& now, const operation& o) {
    if (o.written != 0) return now = o.written, true;
    return o.returned == now;
  }
  static std::string text(const operation& o) {
    return o.written != 0 ? "write(" + std::to_string(o.written) + ")" : "read() = " + std::to_string(o.returned);
  }
};
class documents_cache {
 public:
  explicit documents_cache(std::function<int(const int&)> load) : load_(std::move(load)) {}
  int read(int key) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = data_.find(key); found != data_.end()) return found->second;
    }
    const int got = load_(key);
    const std::lock_guard lock(mutex_);
    return data_[key] = got;
  }
  void invalidate(int key) {
    const std::lock_guard lock(mutex_);
    data_.erase(key);
  }

 private:
  std::function<int(const int&)> load_;
  std::mutex mutex_;
  std::map<int, int> data_;
};
struct librarys_cache {
  explicit librarys_cache(std::function<int(const int&)> load) : all(std::move(load), {.most = 1}) {}
  int read(int key) {
    const auto found = all.get(key);
    return *found;
  }
  void invalidate(int key) { all.invalidate(key); }
  cache all;
};
template <class Cache>
struct variables {
  void call(variable_spec::operation& o) {
    if (o.written == 0) {
      o.returned = before.read(o.key);
    } else {
      source[o.key] = o.written;
      before.invalidate(o.key);
    }
  }
  std::atomic<int> source[2]{};
  std::atomic<int> writes{0};
  Cache before{[this](const int& key) {
    const int value = source[key];
    std::this_thread::yield();  // a load takes its time
    return value;
  }};
};
template <class Cache>
std::string broken_history(unsigned seed) {
  const auto call = [](variables<Cache>& of, auto& calls, std::size_t thread, auto& random) {
    const int key = static_cast<int>(random() % 2);
    const int written = random() % 3 == 0 ? ++of.writes : 0;
    calls.record(thread, {.key = key, .written = written}, [&](auto& o) { of.call(o); });
  };
  return linearizable::find_broken<variable_spec, variables<Cache>>(
      seed, static_cast<int>(1'000 / fewer_when_sanitized), 2, 12, call);
}

TEST(loading_cache_stress, is_linearizable_with_its_source) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  EXPECT_EQ(broken_history<librarys_cache>(seed), "");
  EXPECT_NE(broken_history<documents_cache>(seed), "") << "the twin must be found out";
}

}  // namespace
