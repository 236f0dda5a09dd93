// Retiring, scanning and destroying.
// SPDX-License-Identifier: Apache-2.0
#include "hazard_domain.hpp"
#include "scan_pace.hpp"

#include <utility>

namespace acqrel {

constinit std::atomic<hazard_object*> hazard_domain::retired{nullptr};

namespace {

// In full mode the operations themselves are ordered.
void heavy_fence() noexcept {
  if (!hazard_domain::in_full_mode()) asymmetric_thread_fence_heavy();
}

// ---- scanning

// Which objects some slot may hold: no false "no", and few false "maybe" up to some hundred guards.
class filter {
 public:
  void add(const hazard_object* object) noexcept { word_[index(object)] |= bit(object); }
  bool may_hold(const hazard_object* object) const noexcept { return (word_[index(object)] & bit(object)) != 0; }

 private:
  static std::uint64_t hash(const hazard_object* object) noexcept {
    return (reinterpret_cast<std::uintptr_t>(object) >> 4) * 0x9e3779b97f4a7c15u;
  }
  static std::size_t index(const hazard_object* object) noexcept { return hash(object) >> 60; }
  static std::uint64_t bit(const hazard_object* object) noexcept {
    return std::uint64_t{1} << ((hash(object) >> 54) & 63);
  }
  std::uint64_t word_[16] = {};
};

// Owns one reference on `object`, meant for `slot`. Leaves it there, or drops it; true: something
// was left there, so look again after a heavy fence. A reference taken out of `given` is never
// dropped before another look at the slot: it may be the one that keeps the slot's object alive.
bool settle(hazard_slot& slot, hazard_object* object) noexcept {
  bool left = false;
  while (object != nullptr) {
    if (hazard_domain::see_slot(slot) != object) {
      object->drop_reference();
      return left;
    }
    // edge hazard.given: seq_cst  shape SB: this, then the slot | slot cleared, then given
    hazard_object* const displaced = hazard_domain::given_of(slot).exchange(object, std::memory_order_seq_cst);
    left = true;
    if (displaced == object) {  // two scans gave the same: one reference is enough
      hazard_domain::drop_spare_reference(object);
      return true;
    }
    object = displaced;
  }
  return left;
}

struct seen_slot {
  hazard_slot* slot;
  hazard_object* object;
};

constexpr int chunk = 64;  // slots handled at a time, so that a scan allocates nothing

// Gives each slot of the chunk that holds an object of the list a reference of its own.
void hand_over(seen_slot* seen, int count, hazard_object* list) noexcept {
  hazard_slot* parked[chunk];
  int waiting = 0;
  filter in_chunk;
  for (int i = 0; i < count; ++i) in_chunk.add(seen[i].object);
  for (hazard_object* object = list; object != nullptr; object = hazard_domain::next(object)) {
    if (!in_chunk.may_hold(object)) continue;
    for (int i = 0; i < count; ++i) {
      if (seen[i].object != object) continue;
      object->add_reference();
      if (settle(*seen[i].slot, object)) parked[waiting++] = seen[i].slot;
    }
  }
  // For promptness only: either the releaser saw what was handed over, or this sees the slot changed.
  while (waiting != 0) {
    heavy_fence();
    int still = 0;
    for (int i = 0; i < waiting; ++i) {
      hazard_slot& slot = *parked[i];
      // plain: a look; the exchange below acquires
      hazard_object* const given = hazard_domain::given_of(slot).load(std::memory_order_relaxed);
      if (given == nullptr || hazard_domain::see_slot(slot) == given) continue;
      // edge hazard.given: acq_rel
      hazard_object* const back = hazard_domain::given_of(slot).exchange(nullptr, std::memory_order_acq_rel);
      if (settle(slot, back)) parked[still++] = &slot;
    }
    waiting = still;
  }
}

void hand_over(hazard_object* list) noexcept {
  seen_slot seen[chunk];
  int count = 0;
  hazard_domain::for_each_slot([&](hazard_slot& slot) {
    hazard_object* const object = hazard_domain::see_slot(slot);
    if (object == nullptr || object == &hazard_domain::busy) return;
    seen[count++] = {&slot, object};
    if (count == chunk) {
      hand_over(seen, count, list);
      count = 0;
    }
  });
  if (count != 0) hand_over(seen, count, list);
}

}  // namespace

void hazard_domain::scan(hazard_record& me) noexcept {
  me.pending = 0;
  me.lazy_left = batch_to_scan() - 1;
  destroy_dead(me);
  // edge hazard.retired: acquire
  hazard_object* list = retired.exchange(nullptr, std::memory_order_acquire);
  if (me.lazy != nullptr) {
    next(me.oldest_lazy) = list;
    list = std::exchange(me.lazy, nullptr);
  }
  if (list == nullptr) return;
  const scan_timer timer;
  heavy_fence();
  timer.fence_done();
  filter held;
  for_each_slot([&](hazard_slot& slot) {
    if (hazard_object* const object = see_slot(slot); object != nullptr) held.add(object);
  });
  // As in destroy(), once for the whole list: what the destructors kill is queued and destroyed after.
  // plain: this thread and its handlers
  const bool outermost = !me.destroying.load(std::memory_order_relaxed);
  // plain: this thread and its handlers
  if (outermost) me.destroying.store(true, std::memory_order_relaxed);
  hazard_object* kept = nullptr;
  while (list != nullptr) {
    hazard_object* const object = list;
    list = next(object);
    __builtin_prefetch(list);
    if (held.may_hold(object)) {
      next(object) = kept;
      kept = object;
    } else if (outermost && solely_owned(object)) {
      run_destroyer(object);
    } else {
      object->drop_reference();
    }
  }
  if (outermost) {
    // plain: this thread and its handlers
    me.destroying.store(false, std::memory_order_relaxed);
    destroy_dead(me);
  }
  if (kept == nullptr) return;
  hand_over(kept);
  while (kept != nullptr) {
    hazard_object* const object = kept;
    kept = next(object);
    object->drop_reference();
  }
}

void hazard_domain::destroy(hazard_object* object) noexcept {
  hazard_record& me = here();
  // plain: this thread and its handlers
  if (!me.destroying.load(std::memory_order_relaxed)) {
    // plain: this thread and its handlers
    me.destroying.store(true, std::memory_order_relaxed);
    run_destroyer(object);
    // plain: this thread and its handlers
    me.destroying.store(false, std::memory_order_relaxed);
    destroy_dead(me);
    return;
  }
  // plain: this thread and its handlers
  next(object) = me.dead.load(std::memory_order_relaxed);
  // plain: this thread and its handlers; one step, since a handler may push in between
  while (!me.dead.compare_exchange_weak(next(object), object, std::memory_order_relaxed, std::memory_order_relaxed)) {
  }
}

// A destructor may read, publish, drop, make or destroy sources: whatever that kills is queued
// here, so that a chain of a million objects uses no stack.
void hazard_domain::destroy_dead(hazard_record& me) noexcept {
  // plain: this thread and its handlers
  if (me.destroying.load(std::memory_order_relaxed)) return;
  // plain: this thread and its handlers
  while (hazard_object* list = me.dead.load(std::memory_order_relaxed)) {
    // plain: this thread and its handlers
    list = me.dead.exchange(nullptr, std::memory_order_relaxed);
    // plain: this thread and its handlers
    me.destroying.store(true, std::memory_order_relaxed);
    while (list != nullptr) {
      hazard_object* const object = list;
      list = next(object);
      run_destroyer(object);
    }
    // plain: this thread and its handlers
    me.destroying.store(false, std::memory_order_relaxed);
  }
}

// Null: something further down the stack defers, or destroys, and will see to the queue.
hazard_record* hazard_domain::defer_destroying() noexcept {
  hazard_record& me = here();
  // plain: this thread and its handlers
  if (me.destroying.load(std::memory_order_relaxed)) return nullptr;
  // plain: this thread and its handlers
  me.destroying.store(true, std::memory_order_relaxed);
  return &me;
}
void hazard_domain::resume_destroying(hazard_record* deferred) noexcept {
  if (deferred == nullptr) return;
  // plain: this thread and its handlers
  deferred->destroying.store(false, std::memory_order_relaxed);
  destroy_dead(*deferred);
}

void hazard_object::drop_reference() noexcept {
  if (hazard_domain::solely_owned(this) ||
      // edge hazard.refs: acq_rel
      references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    hazard_domain::destroy(this);
  }
}

void hazard_retire(hazard_object* object) noexcept {
  hazard_record& me = hazard_domain::here();
  hazard_domain::push_retired(object);
  if (scan_due(++me.pending)) hazard_domain::scan(me);
}

void hazard_retire_last_of_batch(hazard_object* object) noexcept {
  hazard_record& me = hazard_domain::here();
  if (me.lazy == nullptr) me.oldest_lazy = object;
  hazard_domain::next(object) = me.lazy;
  me.lazy = object;
  hazard_domain::scan(me);
}

void drain() noexcept { hazard_domain::scan(hazard_domain::here()); }

}  // namespace acqrel
