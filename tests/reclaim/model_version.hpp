// What the model tests of the heart share: versions whose end is remembered, both fence modes, records made beforehand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/reclaim/hazard.hpp>
#include <acqrel/testing/model.hpp>

#include "../../src/reclaim/hazard_domain.hpp"
#include "../../src/reclaim/scan_pace.hpp"

#include <cstdlib>

namespace heart {

using acqrel::fence_mode;
using acqrel::hazard_cell;
using acqrel::hazard_object;
using acqrel::hazard_protection;
using acqrel::model::expect;

inline constexpr auto relaxed = std::memory_order_relaxed;
inline bool gone[8];  // by number; put back before every run

/// A version that the checker watches: its memory is freed at its end, its end happens once.
struct version final : hazard_object {
  explicit version(int n) noexcept : hazard_object(&destroy, this), number(n), opposite(~n) {}
  static void destroy(hazard_object* object) noexcept {
    version* const v = static_cast<version*>(object);
    expect(!gone[v->number], "a version is destroyed once");
    gone[v->number] = true;
    delete v;
  }
  int number, opposite;
};

inline int look(const hazard_object* object) {
  const version* const v = static_cast<const version*>(object);
  expect(v->opposite == ~v->number, "a version is whole");
  return v->number;
}

inline int read(const hazard_cell& cell) {
  const hazard_protection p = acqrel::hazard_protect(cell);
  const int n = look(p.object);
  acqrel::hazard_release(p);
  return n;
}

/// The slow lane, as after too many failed tries.
inline int read_slowly(const hazard_cell& cell) {
  acqrel::hazard_record& me = acqrel::hazard_domain::here();
  const hazard_protection p = acqrel::hazard_domain::protect_by_request(cell, me, me.guards.word[1]);
  const int n = look(p.object);
  acqrel::hazard_release(p);
  return n;
}

/// The main thread's record, and `free` more, so that no thread of the test need make one.
inline void begin(fence_mode mode, int free, unsigned scan_after = 1) {
  setenv("ACQREL_FENCES", mode == fence_mode::full ? "full" : "asymmetric", 1);
  expect(acqrel::current_fence_mode() == mode, "the mode is forced");
  acqrel::scan_after(scan_after);
  acqrel::drain();
  for (int i = 0; i < free; ++i) {
    auto* const record = new acqrel::hazard_record;
    record->next = acqrel::hazard_domain::records.load(relaxed);
    record->in_use.store(false, relaxed);
    if (mode == fence_mode::full) record->guards.word[0].store(&acqrel::hazard_domain::busy, relaxed);
    acqrel::hazard_domain::records.store(record, relaxed);
  }
}

/// When all threads have ended, what was replaced is destroyed, though nobody publishes again; what is current is not; and
/// nothing is left in a slot, a `given` word or a request.
inline void all_replaced_are_gone(const hazard_cell& cell, int versions) {
  const int current = look(cell.current.load(relaxed));
  for (int n = 0; n < versions; ++n) expect(gone[n] == (n != current), "exactly the replaced versions are destroyed");
  acqrel::hazard_domain::for_each_slot([](acqrel::hazard_slot& slot) {
    expect(slot.load(relaxed) == nullptr || slot.load(relaxed) == &acqrel::hazard_domain::busy, "no slot is left set");
    expect(acqrel::hazard_domain::given_of(slot).load(relaxed) == nullptr, "no reference is left with a slot");
  });
  for (auto* r = acqrel::hazard_domain::records.load(relaxed); r != nullptr; r = r->next) {
    expect(r->request.load(relaxed) == 0, "no request is left");
  }
  expect(acqrel::hazard_domain::retired.load(relaxed) == nullptr, "nothing waits to be scanned");
}

}  // namespace heart
