// The heart under the model checker, in both fence modes: no version is touched after its end or destroyed twice, and
// when all threads have ended every replaced version is gone, though nobody publishes again.
// SPDX-License-Identifier: Apache-2.0
#include "model_version.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace heart;

constexpr fence_mode asymmetric = fence_mode::asymmetric, full = fence_mode::full;

// ---- the fast lane

void one_reader(fence_mode mode, int reads, int publishes, int free_records = 1) {
  begin(mode, free_records);
  hazard_cell cell(new version(0));
  std::thread reader([&] {
    int last = 0;
    for (int i = 0; i < reads; ++i) {
      const int now = read(cell);
      expect(now >= last, "versions never go back");
      last = now;
    }
  });
  for (int i = 1; i <= publishes; ++i) acqrel::hazard_replace(cell, new version(i));
  reader.join();
  all_replaced_are_gone(cell, publishes + 1);
}

MODEL(hazard, read_against_publish_asymmetric) { one_reader(asymmetric, 1, 1); }
MODEL(hazard, read_against_publish_full) { one_reader(full, 1, 1); }
MODEL(hazard, two_reads_asymmetric) { one_reader(asymmetric, 2, 1); }
MODEL(hazard, two_reads_full) { one_reader(full, 2, 1); }
MODEL(hazard, two_reads_against_two_publishes_asymmetric) { one_reader(asymmetric, 2, 2); }
MODEL(hazard, two_reads_against_two_publishes_full) { one_reader(full, 2, 2); }

// A thread's first read makes it a record, which the scan must not miss.
MODEL(hazard, first_read_asymmetric) { one_reader(asymmetric, 1, 1, 0); }
MODEL(hazard, first_read_full, .shows = {"hazard.record"}) { one_reader(full, 1, 1, 0); }

void two_readers(fence_mode mode) {
  begin(mode, 2);
  hazard_cell cell(new version(0));
  std::thread one([&] { read(cell); }), two([&] { read(cell); });
  acqrel::hazard_replace(cell, new version(1));
  one.join();
  two.join();
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard, two_readers_asymmetric) { two_readers(asymmetric); }
MODEL(hazard, two_readers_full) { two_readers(full); }

// ---- the slow lane

void slow_reader(fence_mode mode, int reads, int publishes) {
  begin(mode, 1);
  hazard_cell cell(new version(0));
  std::thread reader([&] {
    int last = 0;
    for (int i = 0; i < reads; ++i) {
      const int now = read_slowly(cell);
      expect(now >= last, "versions never go back");
      last = now;
    }
  });
  for (int i = 1; i <= publishes; ++i) acqrel::hazard_replace(cell, new version(i));
  reader.join();
  all_replaced_are_gone(cell, publishes + 1);
}

MODEL(hazard, slow_lane_asymmetric) { slow_reader(asymmetric, 1, 1); }
MODEL(hazard, slow_lane_full) { slow_reader(full, 1, 1); }
MODEL(hazard, slow_lane_two_publishes_full) { slow_reader(full, 1, 2); }

}  // namespace
