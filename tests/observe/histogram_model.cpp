// A value's bucket and its part of the sum, read while they are written.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/histogram.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

// C7
MODEL(histogram, has_as_many_values_as_its_buckets_whoever_observes_meanwhile) {
  acqrel::histogram sizes({1});
  std::thread other([&] { sizes.observe(3); });
  sizes.observe(1);
  const auto now = sizes.read();
  EXPECT_EQ(now.count, now.buckets[0] + now.buckets[1]);
  EXPECT_EQ(now.buckets[0], 1U);
  EXPECT_TRUE(now.sum == 1 || now.sum == 4);
  other.join();
  const auto end = sizes.read();
  EXPECT_EQ(end.count, 2U);
  EXPECT_EQ(end.sum, 4);
}

}  // namespace
