// Records: a thread's first use and its end, the child of a fork, signal handlers.
// SPDX-License-Identifier: Apache-2.0
#include "hazard_domain.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <pthread.h>
#include <unistd.h>

namespace acqrel {

constinit hazard_nothing_type hazard_nothing;
constinit hazard_nothing_type hazard_domain::busy;
constinit std::atomic<hazard_record*> hazard_domain::records{nullptr};
constinit std::atomic<bool> hazard_domain::full{false};
constinit hazard_record hazard_domain::nobody{{&busy, &busy, &busy, &busy}, {&busy, &busy}};
// initial-exec here too: a definition with the default model is reached by a call inside a shared library
constinit thread_local hazard_record* hazard_this_thread [[gnu::tls_model("initial-exec")]] = &hazard_domain::nobody;

namespace {

// Headers that a thread keeps: a scan frees up to a batch of them at once, more than malloc keeps at
// hand. None where a tool watches what is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint16_t most_spares = 0, most_spare_nodes = 0;
#else
constexpr std::uint16_t most_spares = 256, most_spare_nodes = 1024;
#endif

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
  if (record.pending != 0 || record.lazy != nullptr) hazard_domain::scan(record);
  hazard_domain::destroy_dead(record);
  while (record.spares != 0) ::operator delete(take_spare(record));
  while (record.spare_node != nullptr) ::operator delete(hazard_allocate_node());
  hazard_this_thread = &hazard_domain::nobody;
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
    if (r == hazard_this_thread) {
      // plain: one thread, which has a new number
      r->thread.store(gettid(), std::memory_order_relaxed);
      continue;
    }
    for (hazard_slots* slots : {&r->guards, &r->internal}) {
      // plain: one thread
      for (int i = 0; i < 4; ++i) inherit(slots->word[i + 4].load(std::memory_order_relaxed));
    }
    empty_slots(*r);
    // plain: one thread
    const std::uintptr_t request = r->request.exchange(0, std::memory_order_relaxed);
    if ((request & hazard_request_kind) == hazard_answered)
      inherit(reinterpret_cast<hazard_object*>(request & ~hazard_request_kind));
    r->pending = 0;
    r->lazy = nullptr;
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
    record->node_room = most_spare_nodes;
    // plain: the exchange below publishes the record
    record->next = records.load(std::memory_order_relaxed);
    // edge hazard.record: seq_cst  shape SB: this, then the cell | the cell, then the list. The slots are not enough: in
    //                     full mode no fence stands between a scan's publisher and its look at the list.
    // plain: the loop tries again with what it read
    while (!records.compare_exchange_weak(record->next, record, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
  }
  // plain: a number, for who asks which threads hold what
  record->thread.store(gettid(), std::memory_order_relaxed);
  hazard_this_thread = record;
  pthread_setspecific(key, record);
  return *record;
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
