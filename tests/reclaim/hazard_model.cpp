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

void reads(const hazard_cell& cell, int times, int (*how)(const hazard_cell&)) {
  int last = 0;
  for (int i = 0; i < times; ++i) {
    const int now = how(cell);
    expect(now >= last, "versions never go back");
    last = now;
  }
}

void one_reader(fence_mode mode, int times, int publishes, int (*how)(const hazard_cell&) = read,
                int free_records = 1) {
  begin(mode, free_records);
  hazard_cell cell(new version(0));
  std::thread reader([&] { reads(cell, times, how); });
  for (int i = 1; i <= publishes; ++i) acqrel::hazard_replace(cell, new version(i));
  reader.join();
  all_replaced_are_gone(cell, publishes + 1);
}

MODEL(hazard, read_asymmetric, .shows = {"hazard.publish", "hazard.refs"}) { one_reader(asymmetric, 1, 1); }
MODEL(hazard, read_full, .shows = {"hazard.protect"}) { one_reader(full, 1, 1); }
MODEL(hazard, two_reads_asymmetric, .shows = {"hazard.clear"}) { one_reader(asymmetric, 2, 1); }
MODEL(hazard, two_reads_full, .shows = {"hazard.given"}) { one_reader(full, 2, 1); }
MODEL(hazard, two_reads_against_two_publishes_asymmetric) { one_reader(asymmetric, 2, 2); }
MODEL(hazard, two_reads_against_two_publishes_full) { one_reader(full, 2, 2); }

// A thread's first read makes it a record, which the scan must not miss.
MODEL(hazard, first_read_asymmetric) { one_reader(asymmetric, 1, 1, read, 0); }
MODEL(hazard, first_read_full, .shows = {"hazard.record"}) { one_reader(full, 1, 1, read, 0); }

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

MODEL(hazard, slow_lane_asymmetric, .shows = {"hazard.slow"}) { one_reader(asymmetric, 1, 1, read_slowly); }
MODEL(hazard, slow_lane_full) { one_reader(full, 1, 1, read_slowly); }
MODEL(hazard, slow_lane_two_publishes_asymmetric) { one_reader(asymmetric, 1, 2, read_slowly); }
MODEL(hazard, slow_lane_two_publishes_full, .shows = {"hazard.request"}) { one_reader(full, 1, 2, read_slowly); }
MODEL(hazard, slow_lane_two_reads_full) { one_reader(full, 2, 1, read_slowly); }

// ---- two publishers: one retires what the other scans

void two_publishers(fence_mode mode) {
  begin(mode, 2);
  hazard_cell a(new version(0)), b(new version(1));
  std::thread other([&] { acqrel::hazard_replace(b, new version(2)); });
  acqrel::hazard_replace(a, new version(3));
  other.join();
  expect(gone[0] && gone[1] && !gone[2] && !gone[3], "exactly the replaced versions are destroyed");
}

MODEL(hazard, two_publishers_asymmetric) { two_publishers(asymmetric); }
MODEL(hazard, two_publishers_full, .shows = {"hazard.retired"}) { two_publishers(full); }

// ---- addresses used again: a version is made where the one before was destroyed

MODEL(hazard, reused_addresses_asymmetric, .reuse_memory = true) { one_reader(asymmetric, 1, 2); }
MODEL(hazard, reused_addresses_full, .reuse_memory = true) { one_reader(full, 1, 2); }

// ---- a second guard beside a first: a slot of its own, and a lane of its own in asymmetric mode

void second_guard(fence_mode mode) {
  begin(mode, 1);
  hazard_cell cell(new version(0)), still(new version(7));
  std::thread reader([&] {
    const hazard_protection first = acqrel::hazard_protect(still);
    read(cell);
    acqrel::hazard_release(first);
  });
  acqrel::hazard_replace(cell, new version(1));
  reader.join();
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard, second_guard_asymmetric) { second_guard(asymmetric); }
MODEL(hazard, second_guard_full) { second_guard(full); }

// ---- a guard that is still held: what it does not hold must not wait for its end

void held_guard(fence_mode mode) {
  begin(mode, 1);
  hazard_cell cell(new version(0)), other(new version(2));
  read(other);  // a thread's first read is out of line
  std::thread writer([&] { acqrel::hazard_replace(cell, new version(1)); });
  const hazard_protection p = acqrel::hazard_protect(cell);
  writer.join();
  const int held = look(p.object);
  expect(gone[0] == (held != 0), "what no guard holds is destroyed");
  acqrel::hazard_release(p);
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard, held_guard_asymmetric) { held_guard(asymmetric); }
MODEL(hazard, held_guard_full) { held_guard(full); }

// ---- two cells read through one slot, and two scans: what one hands over for the second, the other must not take for the first

void two_cells_in_one_slot(fence_mode mode) {
  begin(mode, 1, 100);
  hazard_cell a(new version(0)), b(new version(1));
  const hazard_protection first = acqrel::hazard_protect(a);
  acqrel::hazard_replace(a, new version(2));
  std::thread other([] { acqrel::drain(); });
  acqrel::hazard_release(first);
  const hazard_protection second = acqrel::hazard_protect(b);
  expect(first.where == second.where, "it is the same slot");
  acqrel::hazard_replace(b, new version(3));
  acqrel::drain();
  look(second.object);
  acqrel::hazard_release(second);
  other.join();
  expect(gone[0] && gone[1] && !gone[2] && !gone[3], "exactly the replaced versions are destroyed");
}

MODEL(hazard, two_cells_in_one_slot_asymmetric) { two_cells_in_one_slot(asymmetric); }
MODEL(hazard, two_cells_in_one_slot_full) { two_cells_in_one_slot(full); }

// ---- a publisher that answers late: its reader needs that answer no more, has published, and asks again

void late_answer(fence_mode mode) {
  begin(mode, 1);
  hazard_cell cell(new version(0));
  std::thread publisher([&] { acqrel::hazard_replace(cell, new version(1)); });
  read_slowly(cell);
  acqrel::hazard_replace(cell, new version(2));
  const int second = read_slowly(cell);
  publisher.join();
  const int last = look(cell.current.load(relaxed));
  expect(second == 2 || (second == 1 && last == 1), "versions never go back");
  all_replaced_are_gone(cell, 3);
}

MODEL(hazard, late_answer_asymmetric) { late_answer(asymmetric); }
MODEL(hazard, late_answer_full) { late_answer(full); }

// ---- more guards than slots

void fifth_guard(fence_mode mode) {
  begin(mode, 1);
  hazard_cell cell(new version(0)), still(new version(7));
  std::thread reader([&] {
    hazard_protection held[4];
    const int slots = mode == full ? 3 : 4;
    for (int i = 0; i < slots; ++i) held[i] = acqrel::hazard_protect(still);
    read(cell);
    for (int i = 0; i < slots; ++i) acqrel::hazard_release(held[i]);
  });
  acqrel::hazard_replace(cell, new version(1));
  reader.join();
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard, counts_what_has_no_slot_asymmetric) { fifth_guard(asymmetric); }
MODEL(hazard, counts_what_has_no_slot_full) { fifth_guard(full); }

// ---- a record given back and taken by another thread

void records_change_hands(fence_mode mode) {
  begin(mode, 1);
  hazard_cell cell(new version(0));
  std::thread first([&] { read(cell); });
  std::thread second([&] { read(cell); });
  first.join();
  second.join();
  acqrel::hazard_replace(cell, new version(1));
  all_replaced_are_gone(cell, 2);
}

MODEL(hazard, records_change_hands_asymmetric) { records_change_hands(asymmetric); }
MODEL(hazard, records_change_hands_full) { records_change_hands(full); }

}  // namespace
