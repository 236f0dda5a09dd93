// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/probe.hpp>

#include "../signal/asleep.hpp"

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/base/park.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

namespace {

using acqrel::probe;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constinit std::array<std::atomic<int>, acqrel::probe_kinds> times{};
constinit std::atomic<std::int64_t> waited{0};

void count(probe what, std::int64_t ns) noexcept {
  times[static_cast<std::size_t>(what)].fetch_add(1);
  waited.fetch_add(ns);
}

// Counts while it lives.
struct counting {
  counting() {
    for (auto& each : times) each = 0;
    waited = 0;
    acqrel::install_probe(&count);
  }
  ~counting() { acqrel::install_probe(nullptr); }
};

int seen(probe what) { return times[static_cast<std::size_t>(what)]; }

// ---- semantics ----

TEST(probe, is_told_how_long_a_thread_slept) {
  const counting on;
  acqrel::park_word word{0};
  const auto before = steady_clock::now();
  EXPECT_FALSE(acqrel::park_until(word, 0, before + std::chrono::milliseconds(5)));
  const nanoseconds all = steady_clock::now() - before;
  EXPECT_GE(seen(probe::wait), 1);
  EXPECT_EQ(seen(probe::lock), 0);
  EXPECT_GE(waited, 0);
  EXPECT_LE(waited, all.count());
}

TEST(probe, is_not_told_of_waits_that_need_no_sleep) {
  const counting on;
  const acqrel::park_word word{1};
  acqrel::park(word, 0);
  acqrel::fair_mutex mutex;
  mutex.lock();
  mutex.unlock();
  EXPECT_EQ(seen(probe::wait) + seen(probe::lock), 0);
}

// Whoever waits for a lock also sleeps: that is one wait.
TEST(probe, is_told_of_the_outermost_wait_only) {
  const counting on;
  acqrel::fair_mutex mutex;
  mutex.lock();
  sleeper waiter([&] { const std::lock_guard lock(mutex); });
  waiter.until_asleep();
  mutex.unlock();
  waiter.join();
  EXPECT_EQ(seen(probe::lock), 1);
  EXPECT_EQ(seen(probe::wait), 0);
  EXPECT_GT(waited, 0);
}

TEST(probe, is_told_of_retries) {
  const counting on;
  acqrel::probe_retry();
  EXPECT_EQ(seen(probe::retry), 1);
  EXPECT_EQ(waited, 0);
}

TEST(probe, is_told_nothing_more_once_it_is_gone) {
  { const counting on; }
  acqrel::park_word word{0};
  EXPECT_FALSE(acqrel::park_until(word, 0, acqrel::deadline_after(std::chrono::milliseconds(1))));
  acqrel::probe_retry();
  EXPECT_EQ(seen(probe::wait) + seen(probe::retry), 0);
}

// A wait that was under way when it was installed is not told: its beginning is not known.
TEST(probe, is_told_of_waits_that_began_after_it) {
  acqrel::install_probe(nullptr);
  std::optional<counting> on;
  {
    const acqrel::probe_wait early(probe::lock);
    on.emplace();
  }
  EXPECT_EQ(seen(probe::lock), 0);
  { const acqrel::probe_wait later(probe::lock); }
  EXPECT_EQ(seen(probe::lock), 1);
}

}  // namespace
