// SPDX-License-Identifier: Apache-2.0
#include "../../src/reclaim/scan_pace.hpp"
#include "counted_object.hpp"

#include <gtest/gtest.h>

namespace {

TEST(scan_pace, scans_after_a_fixed_number_of_retirements_when_told_to) {
  int deaths = 0;
  acqrel::drain();
  acqrel::scan_after(3);
  for (int i = 1; i <= 7; ++i) {
    acqrel::hazard_retire(new counted_object(&deaths));
    EXPECT_EQ(deaths, i / 3 * 3) << i;
  }
  acqrel::scan_after(0);
  acqrel::drain();
  EXPECT_EQ(deaths, 7);
}

}  // namespace
