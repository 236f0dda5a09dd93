// SPDX-License-Identifier: Apache-2.0
#include "../../src/observe/site_table.hpp"

#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using acqrel::contention;
using acqrel::probe;

const acqrel::site_table::sample one{probe::lock, 256, 10, 2, nullptr};

void add(acqrel::site_table& table) {
  void* const stack[] = {reinterpret_cast<void*>(7), reinterpret_cast<void*>(8)};
  acqrel::site_table::sample mine = one;
  mine.stack = stack;
  table.add(mine);
}

// Two samples of one place, and somebody who reads meanwhile: a place is seen whole or not at all.
MODEL(contention, shows_places_that_are_whole, .shows = {"contention.site"}) {
  acqrel::site_table table(1);
  std::thread first([&] { add(table); });
  std::thread second([&] { add(table); });
  contention seen;
  table.read(seen);
  for (const contention::site& each : seen.sites) {
    EXPECT_EQ(each.what, probe::lock);
    EXPECT_EQ(each.stack, (std::vector<std::uintptr_t>{7, 8}));
  }
  first.join();
  second.join();
  contention after;
  table.read(after);
  EXPECT_EQ(after.sites.size(), 1U);
  if (after.sites.size() == 1) {
    EXPECT_EQ(after.sites[0].times, 2);
    EXPECT_EQ(after.sites[0].waited.count(), 20);
  }
}

}  // namespace
