// Records, and every way to protect that is not the fast lane.
// SPDX-License-Identifier: Apache-2.0
#include "hazard_domain.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <pthread.h>

namespace acqrel {

constinit hazard_nothing_type hazard_nothing;
constinit hazard_nothing_type hazard_domain::busy;
constinit std::atomic<hazard_record*> hazard_domain::records{nullptr};
constinit std::atomic<bool> hazard_domain::full{false};
constinit hazard_record hazard_domain::nobody{{&busy, &busy, &busy, &busy}, {&busy, &busy}};
// initial-exec here too: a definition with the default model is reached by a call inside a shared library
constinit thread_local hazard_record* hazard_this_thread [[gnu::tls_model("initial-exec")]] = &hazard_domain::nobody;

namespace {

constexpr int validations = 3;  // out of line, before the slow lane

// Headers that a thread keeps: a scan frees up to a batch of them at once, more than malloc keeps at
// hand. None where a tool watches what is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint16_t most_spares = 0;
#else
constexpr std::uint16_t most_spares = 256;
#endif

constexpr std::uintptr_t counted = 1;  // bits of hazard_protection::where
constexpr std::uintptr_t full_slot = 2;

constexpr std::uintptr_t asked = 1;  // bits of hazard_record::request
constexpr std::uintptr_t answered = 2;
constexpr std::uintptr_t kind = 3;

void empty_slots(hazard_record& record) noexcept {
  for (auto& word : record.guards.word) {
    // plain: nobody else reads or writes the record now
    word.store(nullptr, std::memory_order_relaxed);
  }
  for (auto& word : record.internal.word) {
    // plain: nobody else reads or writes the record now
    word.store(nullptr, std::memory_order_relaxed);
  }
  if (hazard_domain::in_full_mode()) {
    // plain: the inline fast lane, which knows only the asymmetric mode, finds its slot taken
    record.guards.word[0].store(&hazard_domain::busy, std::memory_order_relaxed);
  }
}

bool holds_a_guard(hazard_record& record) noexcept {
  for (int i = 0; i < hazard_guard_slots; ++i) {
    // plain: the owner's own slots
    hazard_object* const object = record.guards.word[i].load(std::memory_order_relaxed);
    if (object != nullptr && object != &hazard_domain::busy) return true;
  }
  return false;
}

void* take_spare(hazard_record& record) noexcept {
  void* const header = record.spare;
  record.spare = *static_cast<void**>(header);
  --record.spares;
  return header;
}

// The end of a thread, after the destructors of its C++ thread_local objects. Whoever comes later
// still (another key's destructor) simply gets a record again, and this runs again.
void leave(void* p) noexcept {
  hazard_record& record = *static_cast<hazard_record*>(p);
  if (record.pending != 0) hazard_domain::scan(record);
  hazard_domain::destroy_dead(record);
  hazard_this_thread = &hazard_domain::nobody;
  while (record.spares != 0) ::operator delete(take_spare(record));
  // A guard that outlives its thread keeps the record, so that its late release meets no new owner.
  if (holds_a_guard(record)) return;
  // edge hazard.record: release
  record.in_use.store(false, std::memory_order_release);
}

// In the child of a fork: a reference that belonged to a thread that is gone. The last one is left
// to the next scan, so that no destructor runs inside fork().
void inherit(hazard_object* object) noexcept {
  if (object != nullptr && !hazard_domain::drop_unless_last(object)) hazard_domain::push_retired(object);
}

// The child has one thread. What the vanished ones protected is protected no longer, and what scans
// had handed to them is dropped. References in the vanished threads' variables leak.
void forked() noexcept {
  // plain: one thread, and the list is never shortened
  for (hazard_record* r = hazard_domain::records.load(std::memory_order_relaxed); r != nullptr; r = r->next) {
    if (r == hazard_this_thread) continue;
    for (hazard_slots* slots : {&r->guards, &r->internal}) {
      // plain: one thread
      for (int i = 0; i < 4; ++i) inherit(slots->word[i + 4].load(std::memory_order_relaxed));
    }
    empty_slots(*r);
    // plain: one thread
    const std::uintptr_t request = r->request.exchange(0, std::memory_order_relaxed);
    if ((request & kind) == answered) inherit(reinterpret_cast<hazard_object*>(request & ~kind));
    r->pending = 0;
    // plain: one thread
    r->destroying.store(false, std::memory_order_relaxed);
    // plain: one thread
    r->dead.store(nullptr, std::memory_order_relaxed);
    // plain: one thread
    r->in_use.store(false, std::memory_order_relaxed);
  }
}

pthread_key_t make_key() noexcept {
  // plain: the first record is made after this, by the same thread or after it in `here`
  hazard_domain::full.store(current_fence_mode() == fence_mode::full, std::memory_order_relaxed);
  pthread_key_t key;
  if (pthread_key_create(&key, leave) != 0 || pthread_atfork(nullptr, nullptr, forked) != 0) {
    std::fputs("acqrel: no thread-specific key or fork handler left for this process\n", stderr);
    std::abort();
  }
  return key;
}

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

bool try_protect(const hazard_cell& cell, hazard_slot& slot, hazard_object*& object) noexcept {
  // plain: a guess; the reload decides, and it acquires
  object = cell.current.load(std::memory_order_relaxed);
  hazard_domain::set_slot(slot, object);
  if (hazard_domain::reload(cell) == object) return true;
  hazard_domain::clear_slot(slot);
  return false;
}

// The slow lane: asks the publishers of this cell. Whichever of them could retire `object` has
// either seen the slot or answered with a version it counted for us, before retiring anything.
hazard_protection protect_by_request(const hazard_cell& cell, hazard_record& record, hazard_slot& slot) noexcept {
  const std::uintptr_t ask = (++record.generation << 2) | asked;
  // plain: the store of the request publishes it
  record.request_cell.store(&cell, std::memory_order_relaxed);
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
  return {reinterpret_cast<hazard_object*>(answer & ~kind), counted};
}

hazard_protection protect_in(const hazard_cell& cell, hazard_record& record, hazard_slot& slot) noexcept {
  hazard_object* object;
  // A handler that interrupted the slow lane must leave the request alone: it goes on trying.
  for (int tries = 0; tries < validations ||
                      // plain: this thread's own request
                      record.request.load(std::memory_order_relaxed) != 0;
       ++tries) {
    if (try_protect(cell, slot, object)) return in_slot(object, slot);
  }
  return protect_by_request(cell, record, slot);
}

// More guards than slots: a reference is counted while an internal slot protects the object.
hazard_protection protect_counted(const hazard_cell& cell, hazard_record& record) noexcept {
  hazard_slot& slot = free_internal_slot(record);
  const hazard_protection protection = protect_in(cell, record, slot);
  if ((protection.where & counted) != 0) return protection;
  protection.object->add_reference();
  hazard_domain::clear_slot(slot);
  return {protection.object, counted};
}

[[gnu::noinline]] hazard_protection protect_slowly(const hazard_cell& cell) noexcept {
  hazard_record& record = hazard_domain::here();
  hazard_slot* const slot = free_guard_slot(record);
  return slot != nullptr ? protect_in(cell, record, *slot) : protect_counted(cell, record);
}

// Answers every reader that waits in the slow lane of this cell, before the caller retires what
// it took out. Not for the publishers of other cells: only ours knows that the cell is alive.
[[gnu::cold, gnu::noinline]] void answer_requests(const hazard_cell& cell) noexcept {
  hazard_slot& slot = free_internal_slot(hazard_domain::here());
  // edge hazard.record: acquire
  for (hazard_record* r = hazard_domain::records.load(std::memory_order_acquire); r != nullptr; r = r->next) {
    for (;;) {
      // edge hazard.request: acquire
      std::uintptr_t request = r->request.load(std::memory_order_acquire);
      // plain: `request` acquired it; if it changed since, so has the request, and the exchange fails
      if ((request & kind) != asked || r->request_cell.load(std::memory_order_relaxed) != &cell) break;
      hazard_object* object;
      if (!try_protect(cell, slot, object)) continue;  // read the request again: the answer must be newer
      object->add_reference();
      const std::uintptr_t answer = reinterpret_cast<std::uintptr_t>(object) | answered;
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

hazard_object* take_out(hazard_cell& cell, hazard_object* next) noexcept {
  // edge hazard.publish: seq_cst  shape SB, as hazard.protect: this, then slots
  // edge hazard.slow: seq_cst  shape SB: this, then announcements
  hazard_object* const old = cell.current.exchange(next, std::memory_order_seq_cst);
  // edge hazard.slow: seq_cst  shape SB
  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]
    answer_requests(cell);
  return old;
}

}  // namespace

hazard_record& hazard_domain::enter() noexcept {
  static const pthread_key_t key = make_key();
  hazard_record* record = nullptr;
  // edge hazard.record: acquire
  for (record = records.load(std::memory_order_acquire); record != nullptr; record = record->next) {
    bool taken = false;
    // edge hazard.record: acquire  / plain: a record in use is passed over
    if (record->in_use.compare_exchange_strong(taken, true, std::memory_order_acquire, std::memory_order_relaxed))
      break;
  }
  if (record == nullptr) {
    record = new (std::nothrow) hazard_record;
    if (record == nullptr) {
      std::fprintf(stderr, "acqrel: no memory for the %zu bytes that a thread's first read needs\n",
                   sizeof(hazard_record));
      std::abort();
    }
    empty_slots(*record);
    // plain: the exchange below publishes the record
    record->next = records.load(std::memory_order_relaxed);
    // edge hazard.record: release  / plain: the loop tries again with what it read
    while (!records.compare_exchange_weak(record->next, record, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  hazard_this_thread = record;
  pthread_setspecific(key, record);
  return *record;
}

hazard_protection hazard_protect_elsewhere(const hazard_cell& cell) noexcept {
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

void* hazard_allocate_header() {
  hazard_record& record = hazard_domain::here();
  return record.spares != 0 ? take_spare(record) : ::operator new(sizeof(hazard_object));
}

void hazard_free_header(void* header) noexcept {
  hazard_record& record = hazard_domain::here();
  if (record.spares == most_spares) return ::operator delete(header);
  *static_cast<void**>(header) = record.spare;
  record.spare = header;
  ++record.spares;
}

hazard_protection hazard_protect_again(const hazard_cell& cell) noexcept {
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
    hazard_domain::clear_slot(*reinterpret_cast<hazard_slot*>(where & ~kind));
  }
}

void hazard_replace(hazard_cell& cell, hazard_object* next) noexcept { retire_unless_nothing(take_out(cell, next)); }

hazard_object* hazard_exchange(hazard_cell& cell, hazard_object* next) noexcept {
  hazard_object* const old = take_out(cell, next);
  old->add_reference();
  retire_unless_nothing(old);
  return old;
}

bool hazard_compare_exchange(hazard_cell& cell, hazard_object* expected, hazard_object* next) noexcept {
  hazard_object* found = expected;
  // edge hazard.publish: seq_cst  shape SB, as in take_out
  // edge hazard.slow: seq_cst  shape SB
  // plain: the value found is not used
  if (!cell.current.compare_exchange_strong(found, next, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    return false;
  }
  // edge hazard.slow: seq_cst  shape SB
  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]
    answer_requests(cell);
  retire_unless_nothing(expected);
  return true;
}

hazard_signal_scope::hazard_signal_scope() noexcept : record_(hazard_this_thread) {
  // plain: this thread and its handlers
  if (record_ == &hazard_domain::nobody || record_->destroying.load(std::memory_order_relaxed)) {
    record_ = nullptr;
  } else {
    // plain: this thread and its handlers
    record_->destroying.store(true, std::memory_order_relaxed);
  }
}

hazard_signal_scope::~hazard_signal_scope() {
  // plain: this thread and its handlers
  if (record_ != nullptr) record_->destroying.store(false, std::memory_order_relaxed);
}

}  // namespace acqrel
