// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/histogram.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

namespace {

using acqrel::histogram;
using buckets = std::vector<std::uint64_t>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// ---- semantics ----

// C7
TEST(histogram, counts_a_value_in_the_first_bucket_whose_bound_is_not_less) {
  histogram sizes({1, 2, 4});
  for (const double value : {-infinity, 0.0, 1.0}) sizes.observe(value);
  sizes.observe(std::nextafter(1.0, 2.0));
  sizes.observe(4);
  sizes.observe(std::nextafter(4.0, 5.0));
  sizes.observe(infinity);
  const auto now = sizes.read();
  EXPECT_EQ(now.buckets, (buckets{3, 1, 1, 2}));
  EXPECT_EQ(now.count, 7U);
  EXPECT_EQ(now.bounds, (std::vector<double>{1, 2, 4}));
}

TEST(histogram, adds_the_values_up) {
  histogram sizes({10});
  EXPECT_EQ(sizes.read().sum, 0);
  for (const double value : {1.5, -4.0, 100.0}) sizes.observe(value);
  EXPECT_EQ(sizes.read().sum, 97.5);
}

// C7
TEST(histogram, counts_apart_what_is_not_a_number) {
  histogram sizes({1});
  sizes.observe(nan);
  sizes.observe(nan, {{"trace_id", "lost"}});
  sizes.observe(1);
  const auto now = sizes.read();
  EXPECT_EQ(now.buckets, (buckets{1, 0}));
  EXPECT_EQ(now.count, 1U);
  EXPECT_EQ(now.sum, 1);
  EXPECT_EQ(now.not_numbers, 2U);
}

TEST(histogram, does_without_bounds) {
  histogram sizes({});
  sizes.observe(5);
  EXPECT_EQ(sizes.read().buckets, (buckets{1}));
  EXPECT_EQ(sizes.read().sum, 5);
}

// C6
TEST(histogram, is_read_as_a_copy) {
  histogram sizes({1});
  sizes.observe(1);
  const auto before = sizes.read();
  sizes.observe(1);
  EXPECT_EQ(before.count, 1U);
  EXPECT_EQ(sizes.read().count, 2U);
}

TEST(histogram, keeps_the_last_example_of_each_bucket) {
  histogram seconds({1, 2});
  EXPECT_TRUE(seconds.read().examples.empty());
  seconds.observe(0.5, {{"trace_id", "a"}});
  seconds.observe(1.0, {{"trace_id", "b"}});
  seconds.observe(9.0, {{"trace_id", "c"}});
  seconds.observe(0.1);
  const auto now = seconds.read();
  EXPECT_EQ(now.buckets, (buckets{3, 0, 1}));
  ASSERT_EQ(now.examples.size(), 3U);
  EXPECT_EQ(now.examples[0]->value, 1.0);
  EXPECT_EQ(now.examples[0]->labels, (std::map<std::string, std::string>{{"trace_id", "b"}}));
  EXPECT_FALSE(now.examples[1]);
  EXPECT_EQ(now.examples[2]->labels.at("trace_id"), "c");
}

TEST(histogram, makes_bounds) {
  EXPECT_EQ(histogram::exponential(1, 2, 4), (std::vector<double>{1, 2, 4, 8}));
  EXPECT_EQ(histogram::linear(-1, 0.5, 3), (std::vector<double>{-1, -0.5, 0}));
  EXPECT_THROW((void)histogram::exponential(1, 1, 2), std::invalid_argument);
  EXPECT_THROW((void)histogram::linear(1, -1, 2), std::invalid_argument);
}

TEST(histogram, refuses_bounds_that_mean_nothing) {
  EXPECT_THROW(histogram({2, 1}), std::invalid_argument);
  EXPECT_THROW(histogram({1, 1}), std::invalid_argument);
  EXPECT_THROW(histogram({1, infinity}), std::invalid_argument);
  EXPECT_THROW(histogram({nan}), std::invalid_argument);
  EXPECT_NO_THROW(histogram(histogram::linear(0, 1, histogram::most_bounds)));
  try {
    histogram too_many(histogram::linear(0, 1, histogram::most_bounds));
    (void)histogram::linear(0, 1, histogram::most_bounds + 1);
    FAIL();
  } catch (const std::invalid_argument& refused) {
    EXPECT_STREQ(refused.what(), "acqrel: histogram: 62 bounds; give 61 at most");
  }
}

TEST(histogram, counts_random_values_as_a_map_does) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  for (int round = 0; round != 50; ++round) {
    std::vector<double> bounds(random() % histogram::most_bounds);
    for (double& each : bounds) each = static_cast<double>(random() % 1000);
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    histogram ours(bounds);
    std::map<double, std::uint64_t> plain;
    for (int i = 0; i != 500; ++i) {
      const double value = static_cast<double>(random() % 1100);
      ours.observe(value);
      const auto at = std::find_if(bounds.begin(), bounds.end(), [&](double bound) { return value <= bound; });
      ++plain[at == bounds.end() ? infinity : *at];
    }
    const auto now = ours.read();
    for (std::size_t i = 0; i != now.buckets.size(); ++i)
      EXPECT_EQ(now.buckets[i], plain[i == bounds.size() ? infinity : bounds[i]]);
  }
}

// ---- stress ----

// Oracle: each value lies in its bucket and in the sum when all is quiet; before that buckets and count agree, and nothing falls.
TEST(histogram_stress, loses_no_value) {
  constexpr std::uint64_t threads = 4, values = 5'000;
  histogram sizes({1, 2, 3});
  std::atomic<bool> done{false};
  std::thread reader([&] {
    buckets before(4);
    while (!done) {
      const auto now = sizes.read();
      EXPECT_EQ(now.count, now.buckets[0] + now.buckets[1] + now.buckets[2] + now.buckets[3]);
      for (std::size_t i = 0; i != 4; ++i) EXPECT_GE(now.buckets[i], before[i]);
      before = now.buckets;
    }
  });
  std::vector<std::thread> all;
  for (std::uint64_t t = 1; t != threads + 1; ++t) {
    all.emplace_back([&, t] {
      for (std::uint64_t i = 0; i != values; ++i) {
        if (i % 100 == 0) {
          sizes.observe(static_cast<double>(t), {{"thread", std::to_string(t)}});
        } else {
          sizes.observe(static_cast<double>(t));
        }
      }
    });
  }
  for (auto& each : all) each.join();
  done = true;
  reader.join();
  const auto end = sizes.read();
  EXPECT_EQ(end.buckets, buckets(4, values));
  EXPECT_EQ(end.sum, static_cast<double>(values * 10));
  EXPECT_EQ(end.examples[3]->labels.at("thread"), "4");
}

}  // namespace
