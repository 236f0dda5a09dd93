// SPDX-License-Identifier: Apache-2.0
// What a reloader tells, whom and when.
#include "reloader_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::deadline_after;
using acqrel::reload_failure;
using scratch::limits_reloader;
using scratch::patience;
using scratch::replace;
using scratch::write;

class reloader_events : public scratch::reloads_in_both_modes {};
INSTANTIATE_TEST_SUITE_P(, reloader_events, scratch::modes(),
                         [](const auto& mode) { return std::string(mode.param ? "inotify" : "polling"); });

// ---- semantics ----

TEST_P(reloader_events, raises_the_event_after_the_value_is_visible) {  // H19
  write(file, limits_text(1));
  std::unique_ptr<limits_reloader> current;
  scratch::observed<std::map<std::uint64_t, int>> events;
  std::atomic<bool> built{false};
  current = std::make_unique<limits_reloader>(
      file, limits_parser::parse,
      reload_settings{.on_publish =
                          [&](const limits& shown, std::uint64_t generation) {
                            if (generation > 1) {  // the first comes while it is being built
                              while (!built) std::this_thread::yield();
                              const auto now = current->read();
                              EXPECT_EQ(now.get(), &shown);
                              EXPECT_EQ(current->generation(), generation);
                              EXPECT_EQ(current->status().generation, generation);
                            }
                            events.change([&](auto& all) { all[generation] = shown.size; });
                          },
                      .watch = watch()});
  built = true;
  for (int version = 2; version != 6; ++version) {
    replace(file, limits_text(version * 10));
    ASSERT_TRUE(becomes(*current, version * 10));
  }
  EXPECT_TRUE(events.wait_until([](const auto& all) { return all.size() == 5; }));
  EXPECT_EQ(events.get(), (std::map<std::uint64_t, int>{{1, 1}, {2, 20}, {3, 30}, {4, 40}, {5, 50}}));
}

TEST_P(reloader_events, delivers_the_newest_to_every_slow_subscriber_and_never_goes_back) {  // H13 H14 H15
  constexpr int last = 40;
  write(file, limits_text(0));
  limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  struct subscriber {
    std::uint64_t seen = 0;
    std::vector<int> delivered;
  };
  std::vector<subscriber> subscribers(3);
  std::atomic<int> written{0};
  std::vector<std::thread> threads;
  for (int pace = 0; pace != 3; ++pace) {
    threads.emplace_back([&, pace, mine = &subscribers[static_cast<std::size_t>(pace)]] {
      while (mine->delivered.empty() || mine->delivered.back() != last) {
        const auto next = current.wait_for_change(mine->seen, deadline_after(patience));
        ASSERT_TRUE(next.has_value());
        mine->seen = *next;
        mine->delivered.push_back(current.read()->size);
        // The slow ones look at the next only after several more have been written.
        const int wait_for = std::min(last, written + pace * 10);
        while (written < wait_for) std::this_thread::yield();
      }
    });
  }
  for (int version = 1; version <= last; ++version) {
    replace(file, limits_text(version));
    ASSERT_TRUE(current.reload_now());
    written = version;
  }
  for (auto& thread : threads) thread.join();
  for (const auto& one : subscribers) {
    EXPECT_EQ(one.delivered.back(), last);
    EXPECT_TRUE(std::is_sorted(one.delivered.begin(), one.delivered.end()));
  }
  EXPECT_LE(subscribers[2].delivered.size(), 12U) << "was slow, and skipped";
}

// A plain variable, ordered by nothing but the edge: TSan reports the race if it is weakened.
TEST_P(reloader_events, edge_generation_shows_what_the_parser_wrote) {
  int parsed = 0;
  write(file, limits_text(1));
  const limits_reloader current(file,
                                [&](std::string_view text) {
                                  auto made = limits_parser::parse(text);
                                  parsed = made->size;
                                  return made;
                                },
                                {.watch = watch()});
  replace(file, limits_text(2));
  while (current.generation() != 2) std::this_thread::yield();
  EXPECT_EQ(parsed, 2);
}

TEST_P(reloader_events, edge_changed_shows_a_waiter_what_was_written_before_the_stop) {
  int written = 0;
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  std::thread waiter([&] {
    EXPECT_FALSE(current.wait_for_change(1).has_value());
    EXPECT_EQ(written, 1);
  });
  written = 1;
  current.stop();
  waiter.join();
}

TEST_P(reloader_events, ends_a_wait_at_its_deadline_or_stop) {
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  EXPECT_EQ(current.wait_for_change(0), 1U) << "at once";
  EXPECT_FALSE(current.wait_for_change(1, deadline_after(2ms)).has_value());
  std::stop_source stop;
  std::thread waiter(
      [&] { EXPECT_FALSE(current.wait_for_change(1, acqrel::steady_deadline::max(), stop.get_token()).has_value()); });
  stop.request_stop();
  waiter.join();
  std::thread last([&] { EXPECT_FALSE(current.wait_for_change(1).has_value()); });
  std::this_thread::sleep_for(20ms);  // lets it fall asleep, usually; the answer must be the same if it does not
  current.stop();
  last.join();
}

TEST_P(reloader_events, stamps_successes_and_failures_by_the_given_clock) {
  using clock = std::chrono::system_clock;
  std::atomic<std::int64_t> now{100};
  auto settings = recording();
  settings.wall_clock = [&] { return clock::time_point(std::chrono::seconds(now)); };
  const auto at = [](std::int64_t seconds) { return clock::time_point(std::chrono::seconds(seconds)); };
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, std::move(settings));
  EXPECT_EQ(current.status().last_success, at(100));
  replace(file, "bad");
  now = 200;
  ASSERT_TRUE(current.reload_now());
  now = 300;
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.status().last_success, at(100)) << "how stale the value in use is";
  EXPECT_LE(current.status().error->since, at(200)) << "when it began, not when it was last seen";
  replace(file, limits_text(2));
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.status().last_success, at(300));
}

// ---- twins ----

// The channel of capacity one into which a reload's event is put if there is room: a slow consumer keeps the OLDEST.
struct keeps_the_oldest_twin {
  std::optional<int> slot;
  void deliver(int version) {
    if (!slot) slot = version;
  }
};

TEST(reloader_events_twin, a_full_channel_drops_the_newest) {  // H13
  keeps_the_oldest_twin twin;
  for (int version = 1; version != 6; ++version) twin.deliver(version);
  EXPECT_NE(twin.slot, 5);
}

// Raises the event first and publishes then, as a reload that notifies "as early as it can" would.
TEST(reloader_events_twin, an_event_before_the_publish_shows_the_old_value) {  // H19
  acqrel::snapshot_source<limits> source(std::make_unique<limits>());
  int shown_at_event = -1;
  const auto event = [&] { shown_at_event = source.read()->size; };
  auto next = std::make_unique<limits>(limits{5, ~5, 1});
  event();
  source.publish(std::move(next));
  EXPECT_NE(shown_at_event, 5);
}

}  // namespace
