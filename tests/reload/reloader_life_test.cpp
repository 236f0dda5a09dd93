// SPDX-License-Identifier: Apache-2.0
// A reloader's life: its end, calls from its own hooks, what dies when, and many threads at once.
#include "limits.hpp"
#include "scratch.hpp"

#include <acqrel/reload/reloader.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <malloc.h>
#endif

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using acqrel::deadline_after;
using acqrel::reload_failure;
using scratch::patience;
using scratch::replace;
using scratch::write;
using limits_reloader = acqrel::reloader<limits>;

class reloader_life : public testing::Test {
 protected:
  reloader_life() { write(file, limits_text(1)); }

  static constexpr acqrel::watch_options quick{.poll_interval = 2ms, .sweep_interval = 2ms, .settle = 1ms};
  scratch::directory dir;
  const fs::path file = dir / "limits.json";
};

// ---- semantics: the end ----

TEST_F(reloader_life, stays_readable_and_calls_nobody_after_stop) {  // H16
  std::atomic<int> calls{0};
  limits_reloader current(file,
                          [&](std::string_view text) {
                            ++calls;
                            return limits_parser::parse(text);
                          },
                          {.on_publish = [&](const limits&, std::uint64_t) { ++calls; },
                           .on_failure = [&](const reload_failure&) { ++calls; },
                           .watch = quick});
  current.stop();
  const int before = calls;
  replace(file, limits_text(2));
  EXPECT_FALSE(current.reload_now(deadline_after(patience))) << "at once";
  current.request_reload();
  current.stop();
  EXPECT_EQ(calls, before);
  EXPECT_EQ(current.read()->size, 1);
  EXPECT_EQ(current.generation(), 1U);
}

TEST_F(reloader_life, waits_at_its_end_for_the_parse_that_runs) {  // H16
  std::atomic<bool> parsing{false}, go_on{false}, parsed{false};
  auto current = std::make_unique<limits_reloader>(
      file,
      [&](std::string_view text) {
        if (text == limits_text(2)) {
          parsing = true;
          while (!go_on) std::this_thread::yield();
          parsed = true;
        }
        return limits_parser::parse(text);
      },
      acqrel::reload_options<limits>{.watch = quick});
  replace(file, limits_text(2));
  while (!parsing) std::this_thread::yield();
  std::thread ender([&] {
    current.reset();
    EXPECT_TRUE(parsed);
  });
  go_on = true;
  ender.join();
}

TEST_F(reloader_life, may_be_asked_and_stopped_from_its_own_hooks) {  // H16
  std::unique_ptr<limits_reloader> current;
  std::atomic<limits_reloader*> self{nullptr};
  scratch::observed<int> seen;
  current = std::make_unique<limits_reloader>(
      file, limits_parser::parse,
      acqrel::reload_options<limits>{.on_publish =
                                         [&](const limits& shown, std::uint64_t generation) {
                                           if (generation == 1) return;  // while it is being constructed
                                           while (self == nullptr) std::this_thread::yield();
                                           EXPECT_FALSE(self.load()->reload_now()) << "would wait for itself";
                                           self.load()->request_reload();
                                           EXPECT_EQ(self.load()->status().generation, generation);
                                           self.load()->stop();
                                           seen.change([&](int& size) { size = shown.size; });
                                         },
                                     .watch = quick});
  self = current.get();
  replace(file, limits_text(2));
  EXPECT_TRUE(seen.wait_until([](int size) { return size == 2; }));
  EXPECT_FALSE(current->reload_now(deadline_after(patience))) << "it has stopped, or will not answer any more";
  current.reset();
}

TEST_F(reloader_life, may_be_stopped_by_its_first_parse) {  // H16
  // The address is known before the constructor has returned, for the reloader is built in place.
  alignas(limits_reloader) std::byte storage[sizeof(limits_reloader)];
  auto* const self = reinterpret_cast<limits_reloader*>(storage);
  new (storage) limits_reloader(file,
                                [&](std::string_view text) {
                                  EXPECT_FALSE(self->reload_now()) << "would wait for itself";
                                  self->request_reload();
                                  self->stop();
                                  return limits_parser::parse(text);
                                },
                                {.watch = quick});
  EXPECT_FALSE(self->reload_now(deadline_after(patience)));
  EXPECT_EQ(self->read()->size, 1);
  EXPECT_EQ(self->status().loads, 1U);
  self->~limits_reloader();
}

#if defined(__linux__)
TEST_F(reloader_life, leaves_nothing_behind_after_1000_starts) {  // H17
  const auto once = [&] {
    limits_reloader current(file, limits_parser::parse, {.watch = quick});
    ASSERT_TRUE(current.reload_now());  // so that it has watched and looked
  };
  // Closing an inotify instance can wait 10 ms for the kernel, so several wait together.
  const auto many = [&](int times) {
    std::vector<std::thread> starters;
    for (int n = 0; n != 20; ++n) {
      starters.emplace_back([&] {
        for (int i = 0; i != times; ++i) once();
      });
    }
    for (auto& starter : starters) starter.join();
    acqrel::drain();
  };
  many(1);  // what the process allocates once
  const long threads = scratch::threads_now(), descriptors = scratch::descriptors_now();
  const auto bytes = mallinfo2().uordblks;
  many(50);
  EXPECT_EQ(scratch::threads_now(), threads);
  EXPECT_EQ(scratch::descriptors_now(), descriptors);
  EXPECT_LE(mallinfo2().uordblks, bytes + 8000) << "less than any object for each start";
}
#endif

// ---- semantics: what dies when ----

struct counted {
  explicit counted(std::atomic<int>& living) : living_(living) { ++living_; }
  ~counted() { --living_; }
  std::atomic<int>& living_;
};

TEST_F(reloader_life, destroys_the_old_version_before_it_announces_the_new) {  // M3
  std::atomic<int> living{0}, most_at_event{0};
  // A storm of other publishes on the same thread, after which the domain does not look for garbage by itself for a while.
  acqrel::snapshot_source<int> busy;
  const auto parse = [&](std::string_view) {
    for (int i = 0; i != 100; ++i) busy.publish(std::make_unique<int>(i));
    return std::make_unique<counted>(living);
  };
  const auto announce = [&](const counted&, std::uint64_t) {
    most_at_event = std::max(most_at_event.load(), living.load());
  };
  acqrel::reloader<counted> current(file, parse, {.on_publish = announce, .watch = quick});
  for (int version = 2; version != 12; ++version) {
    replace(file, limits_text(version));
    ASSERT_TRUE(current.reload_now());
  }
  EXPECT_GE(current.generation(), 11U);
  EXPECT_EQ(most_at_event, 1);
  EXPECT_EQ(living, 1);
}

// M11: no lock of the reloader's is held while a version dies.
struct asks_when_it_dies {
  using owner = std::atomic<acqrel::reloader<asks_when_it_dies>*>;
  explicit asks_when_it_dies(owner& of) : owner_(of) {}
  ~asks_when_it_dies() {
    const auto* const asked = owner_.load();
    if (asked == nullptr) return;
    EXPECT_GE(asked->status().loads, 1U);
    EXPECT_TRUE(asked->read());
    owner_.load()->request_reload();
  }
  owner& owner_;
};

TEST_F(reloader_life, lets_a_version_use_the_reloader_while_it_dies) {  // M11
  asks_when_it_dies::owner self{nullptr};
  acqrel::reloader<asks_when_it_dies> current(
      file, [&](std::string_view) { return std::make_unique<asks_when_it_dies>(self); }, {.watch = quick});
  self = &current;
  for (int version = 2; version != 6; ++version) {
    replace(file, limits_text(version));
    ASSERT_TRUE(current.reload_now());
  }
  EXPECT_GE(current.generation(), 5U);
  current.stop();
  self = nullptr;
}

// ---- stress ----

// One writer replaces and rewrites the file, now and then badly; readers and subscribers look. Oracles: a value read is
// whole (G1, G3) and there (H1); what one thread reads never goes back (G4, H15); in the end everybody has the last (H14).
TEST_F(reloader_life, stress_every_reader_sees_whole_values_in_order_and_the_last) {
  constexpr int last = 150;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  limits_reloader current(file, limits_parser::parse, {.watch = quick});
  const auto follow = [&](auto&& next) {
    int seen = 0;
    while (seen != last) {
      const auto now = current.read();
      ASSERT_TRUE(now);
      ASSERT_TRUE(now->whole());
      ASSERT_GE(now->size, seen);
      seen = now->size;
      if (seen != last) next();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i != 2; ++i) threads.emplace_back([&] { follow([] { std::this_thread::yield(); }); });
  for (int i = 0; i != 2; ++i) {
    threads.emplace_back([&] {
      std::uint64_t generation = 0;
      follow([&] {
        const auto next = current.wait_for_change(generation, deadline_after(patience));
        ASSERT_TRUE(next.has_value());
        ASSERT_GT(*next, generation);
        generation = *next;
      });
    });
  }
  std::mt19937 random(seed);
  for (int version = 2; version <= last; ++version) {
    switch (std::uniform_int_distribution<int>(0, 4)(random)) {
      case 0: write(file, limits_text(version)); break;
      case 1: write(file, limits_text(version).substr(0, 11)); break;
      case 2: fs::remove(file); [[fallthrough]];
      default: replace(file, limits_text(version)); break;
    }
    if (version % 16 == 0) static_cast<void>(current.reload_now());
  }
  replace(file, limits_text(last));
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(current.reload_now());
  EXPECT_FALSE(current.status().error.has_value());
}

}  // namespace
