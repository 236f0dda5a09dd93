// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/publications.hpp>

#include "../checked_value.hpp"

#include <acqrel/publish/cached_reader.hpp>
#include <acqrel/publish/cow_map.hpp>
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/publish/versioned.hpp>
#include <acqrel/publish/watch.hpp>
#include <acqrel/reload/reloader.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using acqrel::guard_watchdog;
using acqrel::named;
using acqrel::publications;
using acqrel::testing::fake_clock;
using source = acqrel::snapshot_source<checked>;

std::unique_ptr<checked> make(long n) { return std::make_unique<checked>(n); }

// What is said of `name` now; nothing if it is not known. The newest of that name: of others, which ended, versions may still
// wait to be destroyed.
std::optional<publications::source> look(const std::string& name) {
  std::optional<publications::source> found;
  for (publications::source& each : publications::now().sources) {
    if (each.name == name) found = std::move(each);
  }
  return found;
}

// ---- semantics ----

TEST(publications, know_a_source_while_it_lives) {
  acqrel::drain();
  EXPECT_FALSE(look("config"));
  {
    const source current(named{"config"});
    const auto seen = look("config");
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->generation, 0u);
    EXPECT_EQ(seen->publishes, 0u);
    EXPECT_EQ(seen->live, 0u);
    EXPECT_FALSE(seen->ended);
    EXPECT_FALSE(current.read());
  }
  acqrel::drain();
  EXPECT_FALSE(look("config"));
}

TEST(publications, do_not_know_a_source_without_a_name) {
  acqrel::drain();
  const std::size_t before = publications::now().sources.size();
  const source current(make(1));
  EXPECT_EQ(publications::now().sources.size(), before);
}

TEST(publications, are_in_the_order_in_which_the_sources_began) {
  acqrel::drain();
  const source first(named{"first"}), second(named{"second"});
  const auto all = publications::now().sources;
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "first");
  EXPECT_EQ(all[1].name, "second");
}

TEST(publications, count_each_way_of_publishing) {
  source current(named{"config"}, make(1));
  EXPECT_EQ(look("config")->publishes, 1u);
  current.publish(make(2));
  current.emplace(3);
  EXPECT_EQ(current.exchange(make(4))->number, 3);
  EXPECT_EQ(current.read()->number, 4);
  EXPECT_TRUE(current.update([](const checked& old) { return make(old.number + 1); }));
  auto expected = current.get_snapshot();
  auto next = make(6);
  EXPECT_TRUE(current.compare_exchange(expected, next));
  EXPECT_EQ(look("config")->publishes, 6u);
  EXPECT_EQ(look("config")->generation, 6u);
  // Neither of these publishes: one lost, the other did not want to.
  next = make(7);
  EXPECT_FALSE(current.compare_exchange(expected, next));
  EXPECT_EQ(next->number, 7);
  EXPECT_EQ(expected->number, 6);
  EXPECT_FALSE(current.update([](const checked&) { return std::unique_ptr<checked>(); }));
  EXPECT_EQ(look("config")->publishes, 6u);
  current.publish(nullptr);
  EXPECT_EQ(look("config")->publishes, 7u);
  EXPECT_EQ(look("config")->generation, 0u) << "there is no current version";
  EXPECT_FALSE(current.read());
}

TEST(publications, tell_which_guards_there_are_and_whose) {
  fake_clock clock;
  source current(named{"config", &clock}, make(1));
  clock.advance(3s);
  std::latch held(1), seen(1);
  int other = 0;
  std::thread reader([&] {
    pthread_setname_np(pthread_self(), "slow reader");
    other = gettid();
    const auto guard = current.read();
    held.count_down();
    seen.wait();
    EXPECT_EQ(guard->number, 1);
  });
  held.wait();
  const auto mine = current.read();
  auto now = look("config");
  ASSERT_EQ(now->guards.size(), 2u);
  EXPECT_EQ(now->age, 3s);
  EXPECT_EQ(now->live, 1u);
  EXPECT_EQ(now->guards[0].at_least, 0s) << "of the current version one does not know";
  EXPECT_EQ(now->guards[0].at_most, 3s);

  current.publish(make(2));
  clock.advance(5s);
  const auto newer = current.read();
  now = look("config");
  EXPECT_EQ(now->generation, 2u);
  EXPECT_EQ(now->age, 5s);
  EXPECT_EQ(now->live, 2u);
  EXPECT_EQ(now->waiting, 1u);
  EXPECT_EQ(now->bytes_waiting, sizeof(checked));
  ASSERT_EQ(now->guards.size(), 3u);
  for (const int i : {0, 1}) {
    const publications::guard& each = now->guards[static_cast<std::size_t>(i)];
    EXPECT_EQ(each.generation, 1u);
    EXPECT_EQ(each.at_least, 5s);
    EXPECT_EQ(each.at_most, 8s);
    EXPECT_TRUE(each.thread == other || each.thread == gettid());
    EXPECT_EQ(now->oldest_name == "slow reader", now->guards[0].thread == other);
  }
  EXPECT_NE(now->guards[0].thread, now->guards[1].thread);
  EXPECT_EQ(now->guards[2].generation, 2u);
  EXPECT_EQ(now->guards[2].thread, gettid());
  seen.count_down();
  reader.join();
  EXPECT_EQ(look("config")->guards.size(), 2u);
}

TEST(publications, count_who_holds_by_a_count) {
  source current(named{"config"}, make(1));
  EXPECT_EQ(look("config")->counted, 0u);
  const auto one = current.get_snapshot();
  const auto two = one;
  acqrel::cached_reader<checked> cached(current);
  EXPECT_EQ(cached.read()->number, 1);
  EXPECT_EQ(look("config")->counted, 3u);
  // What a thread holds beyond its slots is counted.
  const std::size_t slots = acqrel::current_fence_mode() == acqrel::fence_mode::full ? 3 : 4;
  const auto a = current.read(), b = current.read(), c = current.read(), d = current.read(), e = current.read();
  EXPECT_EQ(look("config")->guards.size(), slots);
  EXPECT_EQ(look("config")->counted, 3 + (5 - slots));
}

TEST(publications, do_not_take_what_a_scan_gave_a_guard_for_a_snapshot) {
  source current(named{"config"}, make(1));
  const auto guard = current.read();
  current.publish(make(2));
  acqrel::drain();
  const auto now = look("config");
  EXPECT_EQ(now->guards.size(), 1u);
  EXPECT_EQ(now->live, 2u);
  EXPECT_EQ(now->counted, 0u);
  EXPECT_EQ(guard->number, 1);
}

TEST(publications, measure_versions_as_they_are_told_to) {
  acqrel::snapshot_source<std::vector<int>> current(named{"list"}, std::make_unique<std::vector<int>>(10),
                                                    [](const std::vector<int>& list) { return list.size() * 4; });
  {
    const auto guard = current.read();
    current.publish(std::make_unique<std::vector<int>>(7));
    current.publish(std::make_unique<std::vector<int>>());
    acqrel::drain();
    EXPECT_EQ(look("list")->bytes_waiting, 40u);
    EXPECT_EQ(guard->size(), 10u);
  }
  EXPECT_EQ(look("list")->bytes_waiting, 0u);
  EXPECT_EQ(look("list")->live, 1u);
}

TEST(publications, leave_the_value_with_the_caller_if_measuring_throws) {
  source current(named{"config"}, make(1), [](const checked& each) {
    if (each.number == 2) throw std::runtime_error("it is too heavy");
    return sizeof each;
  });
  auto next = make(2);
  EXPECT_THROW(current.publish(std::move(next)), std::runtime_error);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->number, 2);
  EXPECT_EQ(current.read()->number, 1);
  EXPECT_EQ(look("config")->publishes, 1u);
  EXPECT_THROW(source(named{"other"}, make(2), [](const checked&) -> std::size_t { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_FALSE(look("other"));
}

TEST(publications, know_a_source_that_ended_until_nobody_holds_a_version) {
  acqrel::snapshot_ptr<checked> kept;
  {
    source current(named{"config"}, make(1));
    kept = current.get_snapshot();
  }
  const auto now = look("config");
  ASSERT_TRUE(now);
  EXPECT_TRUE(now->ended);
  EXPECT_EQ(now->generation, 0u);
  EXPECT_EQ(now->live, 1u);
  EXPECT_EQ(kept->number, 1);
  kept = nullptr;
  acqrel::drain();
  EXPECT_FALSE(look("config"));
}

TEST(publications, know_a_guard_whose_thread_has_ended) {
  source current(named{"config"}, make(1));
  struct keeper {
    acqrel::snapshot_guard<checked> guard;
  };
  std::unique_ptr<keeper> kept;
  int gone = 0;
  std::thread([&] {
    gone = gettid();
    kept.reset(new keeper{current.read()});
  }).join();
  const auto now = look("config");
  ASSERT_EQ(now->guards.size(), 1u);
  EXPECT_EQ(now->guards[0].thread, gone);
  EXPECT_EQ(now->oldest_name, "");
  kept.reset();
  EXPECT_EQ(look("config")->guards.size(), 0u);
}

// A destructor of a version publishes and reports: nothing is locked while it runs.
TEST(publications, can_be_asked_by_the_destructor_of_a_version) {
  struct curious {
    ~curious() {
      if (to != nullptr) {
        seen = look("config")->live;
        to->publish(make(9));
      }
    }
    source* to = nullptr;
    std::size_t seen = 0;
  };
  source other(named{"other"}, make(1));
  acqrel::snapshot_source<curious> current(named{"config"}, std::make_unique<curious>());
  auto last = std::make_unique<curious>();
  last->to = &other;
  current.publish(std::move(last));
  current.publish(nullptr);
  acqrel::drain();
  EXPECT_EQ(other.read()->number, 9);
}

TEST(publications, know_what_is_built_on_a_source) {
  acqrel::versioned<std::string> limits(named{"limits"});
  acqrel::watch<int> level(named{"level"});
  acqrel::cow_map<int, int> map(named{"map"});
  acqrel::reloader<checked> file("/nowhere/file", [](std::string_view) { return make(2); },
                                 {.fallback = make(1), .name = "file"});
  EXPECT_EQ(limits.set("ten"), 1u);
  EXPECT_EQ(limits.set("twenty"), 2u);
  EXPECT_TRUE(level.publish(5));
  EXPECT_EQ(look("limits")->generation, 2u);
  EXPECT_EQ(look("level")->generation, 1u);
  map.update([](auto& edit) { edit.upsert(1, 2); });
  EXPECT_EQ(look("map")->generation, 1u);
  EXPECT_EQ(look("file")->generation, 1u);
}

TEST(publications, are_written_for_people_and_for_programs) {
  acqrel::drain();
  fake_clock clock;
  source current(named{"a \"b\"\\\n", &clock}, make(1));
  clock.advance(1500ms);
  publications now = publications::now();
  now.fences = acqrel::fence_mode::asymmetric;
  EXPECT_EQ(
      now.json(),
      "{\"fences\":\"asymmetric\",\"sources\":[\n {\"name\":\"a "
      "\\\"b\\\"\\\\\\u000a\",\"ended\":false,\"generation\":1,"
      "\"publishes\":1,\"age\":1.500000000,\"live\":1,\"waiting\":0,\"bytes_waiting\":0,\"counted\":0,\"guards\":0,"
      "\"oldest\":null}]}\n");
  const auto guard = current.read();
  current.publish(nullptr);
  clock.advance(250ms);
  const std::string json = publications::now().json();
  EXPECT_NE(json.find("\"guards\":1,\"oldest\":{\"thread\":" + std::to_string(gettid()) + ",\"name\":\""), json.npos)
      << json;
  EXPECT_NE(json.find("\"generation\":1,\"at_least\":0.250000000,\"at_most\":1.750000000}}]}"), json.npos) << json;
  const std::string table = publications::now().table();
  EXPECT_NE(table.find("thread " + std::to_string(gettid())), table.npos) << table;
  EXPECT_NE(table.find("version 1, at least 0.250 s"), table.npos) << table;
}

// ---- the watchdog

// What it told, and how a test waits for it.
struct told {
  guard_watchdog::function function() {
    return [this](const publications::source& its, const publications::guard& guard) {
      const std::lock_guard lock(mutex);
      lines.push_back(its.name + " " + std::to_string(guard.generation) + " " + std::to_string(guard.at_least / 1s));
      count.fetch_add(1);
      count.notify_all();
    };
  }
  void wait_for(int n) {
    for (int seen; (seen = count.load()) < n;) count.wait(seen);
  }
  std::mutex mutex;
  std::vector<std::string> lines;
  std::atomic<int> count{0};
};

TEST(guard_watchdog, tells_once_of_each_guard_that_is_held_too_long) {
  fake_clock clock;
  source config(named{"config", &clock}, make(1)), limits(named{"limits", &clock}, make(1));
  told all;
  const guard_watchdog dog(10s, all.function(), 1s, clock);
  const auto first = config.read();
  clock.advance(100s);  // the version is current: nothing is wrong
  config.publish(make(2));
  clock.advance(10s);  // just not longer than that
  const auto second = limits.read();
  limits.publish(make(2));
  clock.advance(1s);
  all.wait_for(1);
  clock.advance(10s);
  all.wait_for(2);
  // A third, so that there was another look at the first two.
  const auto third = config.read();
  config.publish(make(3));
  clock.advance(11s);
  all.wait_for(3);
  const std::lock_guard lock(all.mutex);
  EXPECT_EQ(all.lines, (std::vector<std::string>{"config 1 11", "limits 1 11", "config 2 11"}));
}

TEST(guard_watchdog, tells_of_a_slot_that_is_used_again) {
  fake_clock clock;
  source config(named{"config", &clock}, make(0));
  told all;
  const guard_watchdog dog(10s, all.function(), 1s, clock);
  for (int i = 1; i != 4; ++i) {
    const auto guard = config.read();
    config.publish(make(i));
    clock.advance(11s);
    all.wait_for(i);
  }
  const std::lock_guard lock(all.mutex);
  EXPECT_EQ(all.lines, (std::vector<std::string>{"config 1 11", "config 2 11", "config 3 11"}));
}

TEST(guard_watchdog, lets_its_function_publish_and_report) {
  fake_clock clock;
  source config(named{"config", &clock}, make(1));
  const auto guard = config.read();
  config.publish(make(2));
  clock.advance(11s);
  acqrel::event done;
  const guard_watchdog dog(
      10s,
      [&](const publications::source&, const publications::guard&) {
        config.publish(make(3));
        EXPECT_EQ(look("config")->generation, 3u);
        done.notify();
      },
      1s, clock);
  done.wait();
}

TEST(guard_watchdog, refuses_what_means_nothing) {
  told all;
  EXPECT_THROW(guard_watchdog(-1s, all.function()), std::invalid_argument);
  EXPECT_THROW(guard_watchdog(1s, all.function(), 0s), std::invalid_argument);
  EXPECT_THROW(guard_watchdog(1s, nullptr), std::invalid_argument);
}

// A report after the end called the clock that a test had on its stack.
TEST(publications, do_not_ask_a_clock_that_may_have_ended_with_its_source) {
  acqrel::snapshot_ptr<checked> kept;
  {
    struct counted_clock : acqrel::time_source {
      acqrel::steady_deadline now() noexcept override {
        return ++asked, acqrel::steady_deadline(std::chrono::seconds(asked));
      }
      bool park_until(const acqrel::park_word&, std::uint32_t, acqrel::steady_deadline) noexcept override {
        return false;
      }
      int asked = 0;
    } clock;
    {
      source current(named{"clocked", &clock}, make(1));
      kept = current.get_snapshot();
    }
    const int asked = clock.asked;
    EXPECT_TRUE(look("clocked")->ended);
    EXPECT_EQ(clock.asked, asked);
  }
  EXPECT_EQ(look("clocked")->age, 0s);
}

// ---- stress ----

// Threads publish to and read from two named sources, keep snapshots and end, while others report. Oracle: a report is
// consistent in itself (its numbers are of one moment), its generations only grow, and when all is quiet there is one live
// version of each source, nothing waits, nobody holds, and as many publishes were seen as there were.
TEST(publications_stress, agree_with_what_was_done) {
  acqrel::drain();
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  constexpr int threads = 4;
  const long rounds = 20'000 / fewer_when_sanitized;
  std::optional<source> sources[2];
  sources[0].emplace(named{"left"}, make(0));
  sources[1].emplace(named{"right"}, make(0));
  std::atomic<std::uint64_t> publishes[2] = {1, 1};
  std::atomic<bool> done{false};
  std::thread reporter([&] {
    std::uint64_t before[2] = {};
    while (!done) {
      const publications now = publications::now();
      ASSERT_EQ(now.sources.size(), 2u);
      for (std::size_t i = 0; i != 2; ++i) {
        const publications::source& each = now.sources[i];
        EXPECT_EQ(each.generation, each.publishes);
        EXPECT_GE(each.publishes, before[i]);
        before[i] = each.publishes;
        EXPECT_EQ(each.live, each.waiting + 1);
        EXPECT_EQ(each.bytes_waiting, each.waiting * sizeof(checked));
        for (const publications::guard& guard : each.guards) {
          EXPECT_LE(guard.generation, each.generation);
          EXPECT_GE(guard.at_most, guard.at_least);
          if (guard.generation == each.generation) {
            EXPECT_EQ(guard.at_least, 0ns);
          }
        }
      }
    }
  });
  std::vector<std::thread> all;
  for (int t = 0; t != threads; ++t) {
    all.emplace_back([&, t] {
      std::minstd_rand random(seed + static_cast<unsigned>(t));
      acqrel::snapshot_ptr<checked> kept;
      for (long round = 0; round != rounds; ++round) {
        const std::size_t which = random() % 2;
        source& one = *sources[which];
        switch (random() % 8) {
          case 0: one.publish(make(round)); break;
          case 1: one.emplace(round); break;
          case 2: kept = one.exchange(make(round)); break;
          case 3: one.update([](const checked& old) { return make(old.number + 1); }); break;
          case 4: kept = one.get_snapshot(); continue;
          default: {
            const auto guard = one.read();
            EXPECT_TRUE(guard->whole());
            continue;
          }
        }
        publishes[which].fetch_add(1);
      }
      acqrel::drain();
    });
  }
  for (auto& each : all) each.join();
  done = true;
  reporter.join();
  acqrel::drain();
  const publications now = publications::now();
  for (std::size_t i = 0; i != 2; ++i) {
    const publications::source& each = now.sources[i];
    EXPECT_EQ(each.publishes, publishes[i]);
    EXPECT_EQ(each.live, 1u);
    EXPECT_EQ(each.bytes_waiting, 0u);
    EXPECT_EQ(each.counted, 0u);
    EXPECT_TRUE(each.guards.empty());
  }
  for (auto& each : sources) each.reset();
  acqrel::drain();
  EXPECT_TRUE(publications::now().sources.empty());
  EXPECT_EQ(checked::live, 0);
}

// Sources end while their last versions do, on other threads: one of them takes the books with it.
TEST(publications_stress, end_with_the_source_or_its_last_version) {
  for (long round = 0; round != 2'000 / fewer_when_sanitized; ++round) {
    auto current = std::make_unique<source>(named{"config"}, make(1));
    std::latch ready(3);
    std::thread holders[2];
    for (std::thread& each : holders) {
      each = std::thread([&ready, kept = current->get_snapshot()]() mutable {
        ready.arrive_and_wait();
        kept = nullptr;
      });
    }
    current->publish(make(2));
    ready.arrive_and_wait();
    current.reset();
    for (std::thread& each : holders) each.join();
    acqrel::drain();
    ASSERT_FALSE(look("config"));
  }
  EXPECT_EQ(checked::live, 0);
}

}  // namespace
