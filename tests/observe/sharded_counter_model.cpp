// What a sum may be while two threads count.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/sharded_counter.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

// C1, C2, C3
MODEL(sharded_counter, shows_no_more_than_was_counted_and_never_less_than_before) {
  acqrel::sharded_counter hits;
  hits.add(2);
  std::thread one([&] { hits.add(1); }), other([&] { hits.add(1); });
  const std::uint64_t first = hits.value(), second = hits.value();
  EXPECT_GE(first, 2U);
  EXPECT_LE(first, second);
  EXPECT_LE(second, 4U);
  one.join();
  EXPECT_GE(hits.value(), 3U);
  other.join();
  EXPECT_EQ(hits.value(), 4U);
}

}  // namespace
