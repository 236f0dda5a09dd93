// Every way to protect that is not the fast lane, and publishing.
// SPDX-License-Identifier: Apache-2.0
#include "hazard_domain.hpp"

#include <cstdio>
#include <cstdlib>

namespace acqrel {
namespace {

constexpr int validations = 3;  // out of line, before the slow lane

constexpr std::uintptr_t counted = 1;  // bits of hazard_protection::where
constexpr std::uintptr_t full_slot = 2;

hazard_slot* free_guard_slot(hazard_record& record) noexcept {
  for (int i = 0; i < hazard_guard_slots; ++i) {
    // plain: only this thread, or a handler on it that has returned, writes its slots
    if (record.guards.word[i].load(std::memory_order_relaxed) == nullptr) return &record.guards.word[i];
  }
  return nullptr;
}

// Free but while this thread counts or answers; then a signal handler has interrupted that.
hazard_slot& free_internal_slot(hazard_record& record) noexcept {
  for (int i = 0; i < hazard_internal_slots; ++i) {
    // plain: only this thread, or a handler on it that has returned, writes its slots
    if (record.internal.word[i].load(std::memory_order_relaxed) == nullptr) return record.internal.word[i];
  }
  std::fputs("acqrel: a signal handler interrupted a signal handler, both while taking a guard beyond the fourth\n",
             stderr);
  std::abort();
}

hazard_protection in_slot(hazard_object* object, hazard_slot& slot) noexcept {
  return {object, reinterpret_cast<std::uintptr_t>(&slot) | (hazard_domain::in_full_mode() ? full_slot : 0)};
}

bool try_protect(const hazard_packed_cell& cell, hazard_slot& slot, hazard_object*& object) noexcept {
  // plain: a guess; the reload decides, and it acquires
  object = cell.current.load(std::memory_order_relaxed);
  hazard_domain::set_slot(slot, object);
  if (hazard_domain::reload(cell) == object) return true;
  hazard_domain::clear_slot(slot);
  return false;
}

hazard_protection protect_in(const hazard_packed_cell& cell, hazard_record& record, hazard_slot& slot) noexcept {
  hazard_object* object;
  // A handler that interrupted the slow lane must leave the request alone: it goes on trying.
  for (int tries = 0; tries < validations ||
                      // plain: this thread's own request
                      record.request.load(std::memory_order_relaxed) != 0;
       ++tries) {
    if (try_protect(cell, slot, object)) return in_slot(object, slot);
  }
  return hazard_domain::protect_by_request(cell, record, slot);
}

// More guards than slots: a reference is counted while an internal slot protects the object.
hazard_protection protect_counted(const hazard_packed_cell& cell, hazard_record& record) noexcept {
  hazard_slot& slot = free_internal_slot(record);
  const hazard_protection protection = protect_in(cell, record, slot);
  if ((protection.where & counted) != 0) return protection;
  protection.object->add_reference();
  hazard_domain::clear_slot(slot);
  return {protection.object, counted};
}

[[gnu::noinline]] hazard_protection protect_slowly(const hazard_packed_cell& cell) noexcept {
  hazard_record& record = hazard_domain::here();
  hazard_slot* const slot = free_guard_slot(record);
  return slot != nullptr ? protect_in(cell, record, *slot) : protect_counted(cell, record);
}

// Answers every reader that waits in the slow lane of this cell, before the caller retires what
// it took out. Not for the publishers of other cells: only ours knows that the cell is alive.
[[gnu::cold, gnu::noinline]] void answer_requests(const hazard_packed_cell& cell) noexcept {
  hazard_slot& slot = free_internal_slot(hazard_domain::here());
  // edge hazard.record: acquire
  for (hazard_record* r = hazard_domain::records.load(std::memory_order_acquire); r != nullptr; r = r->next) {
    for (;;) {
      // edge hazard.request: acquire
      std::uintptr_t request = r->request.load(std::memory_order_acquire);
      // Another cell may be that of a later request: whoever passes on for that must see the slot that settled this one.
      // edge hazard.request: acquire
      if ((request & hazard_request_kind) != hazard_asked || r->request_cell.load(std::memory_order_acquire) != &cell)
        break;
      hazard_object* object;
      if (!try_protect(cell, slot, object)) continue;  // read the request again: the answer must be newer
      object->add_reference();
      const std::uintptr_t answer = reinterpret_cast<std::uintptr_t>(object) | hazard_answered;
      // edge hazard.request: acq_rel / acquire
      if (!r->request.compare_exchange_strong(request, answer, std::memory_order_acq_rel, std::memory_order_acquire)) {
        hazard_domain::drop_spare_reference(object);  // the slot still protects it
      }
      hazard_domain::clear_slot(slot);
      break;
    }
  }
}

void retire_unless_nothing(hazard_object* object) noexcept {
  if (object != &hazard_nothing) hazard_retire(object);
}

}  // namespace

// The slow lane: asks the publishers of this cell. Whichever of them could retire `object` has
// either seen the slot or answered with a version it counted for us, before retiring anything.
hazard_protection hazard_domain::protect_by_request(const hazard_packed_cell& cell, hazard_record& record,
                                                    hazard_slot& slot) noexcept {
  const std::uintptr_t ask = (++record.generation << 2) | hazard_asked;
  // edge hazard.request: release
  record.request_cell.store(&cell, std::memory_order_release);
  // edge hazard.request: release
  record.request.store(ask, std::memory_order_release);
  // edge hazard.slow: seq_cst  shape SB
  cell.slow.fetch_add(1, std::memory_order_seq_cst);
  // edge hazard.slow: seq_cst  shape SB
  hazard_object* const object = cell.current.load(std::memory_order_seq_cst);
  hazard_domain::set_slot(slot, object);
  // edge hazard.request: acq_rel
  const std::uintptr_t answer = record.request.exchange(0, std::memory_order_acq_rel);
  // edge hazard.slow: seq_cst  shape SB: a publisher that reads less finds the request settled
  cell.slow.fetch_sub(1, std::memory_order_seq_cst);
  if (answer == ask) return in_slot(object, slot);
  hazard_domain::clear_slot(slot);
  return {reinterpret_cast<hazard_object*>(answer & ~hazard_request_kind), counted};
}

hazard_protection hazard_protect_elsewhere(const hazard_packed_cell& cell) noexcept {
  // The second to fourth guard of a thread, without a call: nobody's slots are taken, so a thread
  // without a record passes on.
  if (!hazard_domain::in_full_mode()) [[likely]] {
    hazard_record& record = *hazard_this_thread;
    for (int i = 1; i < hazard_guard_slots; ++i) {
      hazard_slot& slot = record.guards.word[i];
      // plain: only this thread, or a handler on it that has returned, writes its slots
      if (slot.load(std::memory_order_relaxed) != nullptr) continue;
      // plain: a guess; the reload decides, and it acquires
      hazard_object* const seen = cell.current.load(std::memory_order_relaxed);
      // edge hazard.clear: release
      slot.store(seen, std::memory_order_release);
      compiler_fence();
      // edge hazard.publish: acquire
      if (cell.current.load(std::memory_order_acquire) == seen) return {seen, reinterpret_cast<std::uintptr_t>(&slot)};
      hazard_domain::clear_slot(slot);
      break;
    }
  }
  return protect_slowly(cell);
}

hazard_protection hazard_protect_again(const hazard_packed_cell& cell) noexcept {
  hazard_domain::clear_slot(hazard_this_thread->guards.word[0]);
  return protect_slowly(cell);
}

void hazard_take_given(std::uintptr_t where) noexcept {
  hazard_domain::take_given(*reinterpret_cast<hazard_slot*>(where));
}

void hazard_release_elsewhere(hazard_object* object, std::uintptr_t where) noexcept {
  if ((where & counted) != 0) {
    object->drop_reference();
  } else {
    hazard_domain::clear_slot(*reinterpret_cast<hazard_slot*>(where & ~(counted | full_slot)));
  }
}

hazard_object* hazard_take(hazard_packed_cell& cell, hazard_object* next) noexcept {
  // edge hazard.publish: seq_cst  shape SB, as hazard.protect: this, then slots
  // edge hazard.slow: seq_cst  shape SB: this, then announcements
  hazard_object* const old = cell.current.exchange(next, std::memory_order_seq_cst);
  // edge hazard.slow: seq_cst  shape SB
  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]
    answer_requests(cell);
  return old;
}

void hazard_answer(const hazard_packed_cell& cell) noexcept { answer_requests(cell); }

void hazard_replace(hazard_packed_cell& cell, hazard_object* next) noexcept {
  retire_unless_nothing(hazard_take(cell, next));
}

hazard_object* hazard_exchange(hazard_packed_cell& cell, hazard_object* next) noexcept {
  hazard_object* const old = hazard_take(cell, next);
  old->add_reference();
  retire_unless_nothing(old);
  return old;
}

bool hazard_compare_exchange(hazard_packed_cell& cell, hazard_object* expected, hazard_object* next) noexcept {
  if (!hazard_unlink(cell, expected, next)) return false;
  retire_unless_nothing(expected);
  return true;
}

}  // namespace acqrel
