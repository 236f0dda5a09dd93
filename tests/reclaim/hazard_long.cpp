// What the study behind the heart could not exhaust: three threads, two of which publish and scan. Minutes each; so they are
// no part of `make test`. Run them by: ctest --test-dir build/release -L long
// SPDX-License-Identifier: Apache-2.0
#include "model_version.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace heart;

constexpr fence_mode asymmetric = fence_mode::asymmetric, full = fence_mode::full;

// Two publishers of one cell, both of whom scan, and a third thread.
template <class Reader>
void two_publishers(fence_mode mode, Reader reader) {
  begin(mode, 2);
  hazard_cell cell(new version(0));
  std::thread other([&] { acqrel::hazard_replace(cell, new version(1)); });
  std::thread third([&] { reader(cell); });
  acqrel::hazard_replace(cell, new version(2));
  other.join();
  third.join();
  all_replaced_are_gone(cell, 3);
}

// Publishers of two cells, both of whom scan, and one who reads both through one slot.
void two_cells(fence_mode mode) {
  begin(mode, 2);
  hazard_cell a(new version(0)), b(new version(1));
  std::thread other([&] { acqrel::hazard_replace(b, new version(2)); });
  std::thread reader([&] {
    read(a);
    read(b);
  });
  acqrel::hazard_replace(a, new version(3));
  other.join();
  reader.join();
  expect(gone[0] && gone[1] && !gone[2] && !gone[3], "exactly the replaced versions are destroyed");
}

MODEL(hazard_long, two_scanning_publishers_and_a_slow_reader_asymmetric, .max_executions = 0) {
  two_publishers(asymmetric, [](const hazard_cell& cell) { read_slowly(cell); });
}
MODEL(hazard_long, two_scanning_publishers_and_a_slow_reader_full, .max_executions = 0) {
  two_publishers(full, [](const hazard_cell& cell) { read_slowly(cell); });
}
MODEL(hazard_long, two_cells_in_one_slot_asymmetric, .max_executions = 0) { two_cells(asymmetric); }
MODEL(hazard_long, two_cells_in_one_slot_full, .max_executions = 0) { two_cells(full); }
MODEL(hazard_long, two_scanning_publishers_and_a_reader_asymmetric, .max_executions = 0) {
  two_publishers(asymmetric, [](const hazard_cell& cell) { read(cell); });
}
MODEL(hazard_long, two_scanning_publishers_and_a_reader_full, .max_executions = 0) {
  two_publishers(full, [](const hazard_cell& cell) { read(cell); });
}

}  // namespace
