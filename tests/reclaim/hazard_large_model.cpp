// The heart under the model checker, where three threads meet at once: two that scan and one that reads, a record that
// changes hands under a scan, requests at two cells.
// SPDX-License-Identifier: Apache-2.0
#include "model_version.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace heart;

constexpr fence_mode asymmetric = fence_mode::asymmetric, full = fence_mode::full;

// ---- two scans and a reader

void second_scan(fence_mode mode) {
  begin(mode, 2);
  hazard_cell cell(new version(0));
  std::thread publisher([&] { acqrel::hazard_replace(cell, new version(1)); });
  std::thread scanner([] { acqrel::drain(); });
  read(cell);
  publisher.join();
  scanner.join();
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard_large, second_scan_asymmetric) { second_scan(asymmetric); }
MODEL(hazard_large, second_scan_full) { second_scan(full); }

// ---- a record given back and taken by another thread, while somebody scans

void record_changes_hands(fence_mode mode) {
  begin(mode, 2);
  hazard_cell cell(new version(0));
  std::thread publisher([&] { acqrel::hazard_replace(cell, new version(1)); });
  std::thread first([&] { read(cell); });
  first.join();
  std::thread second([&] { read(cell); });
  second.join();
  publisher.join();
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard_large, record_changes_hands_asymmetric) { record_changes_hands(asymmetric); }
MODEL(hazard_large, record_changes_hands_full) { record_changes_hands(full); }

// ---- a request at another cell, which the publisher comes across because somebody waits at its own

void next_request(fence_mode mode) {
  begin(mode, 1);
  hazard_cell a(new version(0)), b(new version(1));
  std::thread reader([&] {
    read_slowly(a);
    expect(read_slowly(b) == 1, "no answer comes from another cell");
  });
  acqrel::hazard_replace(a, new version(2));
  reader.join();
  expect(gone[0] && !gone[1] && !gone[2], "exactly the replaced version is destroyed");
}

MODEL(hazard_large, next_request_at_another_cell_asymmetric) { next_request(asymmetric); }
MODEL(hazard_large, next_request_at_another_cell_full, .shows = {"hazard.request"}) { next_request(full); }

void requests(fence_mode mode) {
  begin(mode, 2);
  hazard_cell a(new version(0)), b(new version(1));
  std::thread at_a([&] { read_slowly(a); });
  std::thread at_b([&] { expect(read_slowly(b) == 1, "no answer comes from another cell"); });
  acqrel::hazard_replace(a, new version(2));
  at_a.join();
  at_b.join();
  expect(gone[0] && !gone[1] && !gone[2], "exactly the replaced version is destroyed");
}

MODEL(hazard_large, requests_at_two_cells_asymmetric) { requests(asymmetric); }
MODEL(hazard_large, requests_at_two_cells_full) { requests(full); }

}  // namespace
