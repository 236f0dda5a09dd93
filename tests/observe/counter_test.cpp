// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/counter.hpp>
#include <acqrel/observe/gauge.hpp>
#include <acqrel/observe/sharded_counter.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <limits>
#include <thread>
#include <vector>

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t counts = 20'000;
#else
constexpr std::uint64_t counts = 300'000;
#endif

template <class Counter>
class any_counter : public testing::Test {};
using counters = testing::Types<acqrel::counter, acqrel::sharded_counter>;
TYPED_TEST_SUITE(any_counter, counters);

// ---- semantics ----

TYPED_TEST(any_counter, counts) {
  TypeParam hits;
  EXPECT_EQ(hits.value(), 0U);
  hits.add();
  hits.add(41);
  hits.add(0);
  EXPECT_EQ(hits.value(), 42U);
}

TYPED_TEST(any_counter, wraps) {
  TypeParam hits;
  hits.add(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(hits.value(), std::numeric_limits<std::uint64_t>::max());
  std::thread([&] { hits.add(2); }).join();
  EXPECT_EQ(hits.value(), 1U);
}

// C4
TEST(counter, has_lines_of_its_own) {
  static acqrel::counter both[2];
  const auto distance = reinterpret_cast<const char*>(&both[1]) - reinterpret_cast<const char*>(&both[0]);
  EXPECT_GE(static_cast<std::size_t>(distance), acqrel::false_sharing_range);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&both[0]) % acqrel::false_sharing_range, 0U);
}

constinit acqrel::counter in_handler;
TEST(counter, counts_in_a_signal_handler) {
  const auto before = std::signal(SIGUSR1, [](int) { in_handler.add(); });
  for (int i = 0; i != 10; ++i) {
    in_handler.add();
    std::raise(SIGUSR1);
  }
  std::signal(SIGUSR1, before);
  EXPECT_EQ(in_handler.value(), 20U);
}

TEST(gauge, goes_up_and_down) {
  acqrel::gauge level;
  EXPECT_EQ(level.value(), 0);
  level.add(2.5);
  level.add(-1);
  EXPECT_EQ(level.value(), 1.5);
  level.set(-7);
  EXPECT_EQ(level.value(), -7);
}

// ---- stress ----

// Oracle: the sum of what was added; to one who asks again and again it never falls, nor is more than that. C1, C2, C3.
TYPED_TEST(any_counter, loses_no_count) {
  constexpr std::uint64_t threads = 4;
  TypeParam hits;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::uint64_t before = 0;
    while (!done) {
      const std::uint64_t now = hits.value();
      EXPECT_GE(now, before);
      EXPECT_LE(now, threads * counts);
      before = now;
    }
  });
  std::vector<std::thread> all;
  for (std::uint64_t t = 0; t != threads; ++t) {
    all.emplace_back([&] {
      for (std::uint64_t i = 0; i != counts; ++i) hits.add();
    });
  }
  for (auto& each : all) each.join();
  done = true;
  reader.join();
  EXPECT_EQ(hits.value(), threads * counts);
}

// Oracle: as many up as down.
TEST(gauge_stress, ends_where_it_began) {
  acqrel::gauge level;
  std::vector<std::thread> all;
  for (int t = 0; t != 4; ++t) {
    all.emplace_back([&] {
      for (std::uint64_t i = 0; i != counts / 10; ++i) level.add(1), level.add(-1);
    });
  }
  for (auto& each : all) each.join();
  EXPECT_EQ(level.value(), 0);
}

}  // namespace
