// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reclaim/hazard.hpp>

#include "../../src/reclaim/scan_pace.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

struct counted_object : acqrel::hazard_object {
  explicit counted_object(int* d) : hazard_object(&destroy, this), deaths(d) {}
  static void destroy(hazard_object* o) noexcept {
    const std::unique_ptr<counted_object> self(static_cast<counted_object*>(o));
    ++*self->deaths;
  }
  int* deaths;
};

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
