// What src/reclaim/hazard_*.cpp share: the domain's state, and a slot's operations in both modes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/reclaim/hazard.hpp>

namespace acqrel {

using hazard_slot = std::atomic<hazard_object*>;

constexpr int hazard_guard_slots = 4;
constexpr int hazard_internal_slots = 2;

constexpr std::uintptr_t hazard_asked = 1;  // bits of hazard_record::request
constexpr std::uintptr_t hazard_answered = 2;
constexpr std::uintptr_t hazard_request_kind = 3;

struct [[gnu::visibility("hidden")]] hazard_domain {
  // Every record ever made, newest first; never shortened.
  static constinit std::atomic<hazard_record*> records;
  // Objects out of their cells, each with the reference that its cell owned.
  static constinit std::atomic<hazard_object*> retired;
  // No membarrier, or ThreadSanitizer: the protocol runs on seq_cst operations and without a
  // fence. Written before the first record exists.
  static constinit std::atomic<bool> full;
  // The record of a thread that has none: all its slots are taken, so that one test covers both.
  static constinit hazard_record nobody;
  // What a slot holds that is not to be used: never published, never retired.
  static constinit hazard_nothing_type busy;

  static bool in_full_mode() noexcept {
    // plain: written before the caller's record was made
    return full.load(std::memory_order_relaxed);
  }

  /// This thread's record; makes one at first use.
  static hazard_record& here() noexcept { return hazard_this_thread != &nobody ? *hazard_this_thread : enter(); }
  [[gnu::cold, gnu::noinline]] static hazard_record& enter() noexcept;

  static hazard_protection protect_by_request(const hazard_packed_cell& cell, hazard_record& record,
                                              hazard_slot& slot) noexcept;
  static void scan(hazard_record & me) noexcept;
  static void destroy(hazard_object * object) noexcept;
  static void destroy_dead(hazard_record & me) noexcept;
  /// What this thread would destroy from here on is queued, until resume_destroying() of what this returns.
  static hazard_record* defer_destroying() noexcept;
  static void resume_destroying(hazard_record * deferred) noexcept;

  // ---- a slot and the word beside it

  static hazard_slot& given_of(hazard_slot & slot) noexcept { return (&slot)[4]; }

  static void set_slot(hazard_slot & slot, hazard_object * object) noexcept {
    if (in_full_mode()) {
      // edge hazard.protect: seq_cst  shape SB
      slot.store(object, std::memory_order_seq_cst);
    } else {
      // edge hazard.clear: release  a scan that reads this value also sees the uses of the one before
      slot.store(object, std::memory_order_release);
      compiler_fence();
    }
  }

  /// The second look at a cell, after set_slot.
  static hazard_object* reload(const hazard_packed_cell& cell) noexcept {
    if (in_full_mode()) {
      // edge hazard.protect: seq_cst  shape SB
      return cell.current.load(std::memory_order_seq_cst);
    }
    // edge hazard.publish: acquire
    return cell.current.load(std::memory_order_acquire);
  }

  static hazard_object* see_slot(hazard_slot & slot) noexcept {
    if (in_full_mode()) {
      // edge hazard.protect: seq_cst  shape SB
      return slot.load(std::memory_order_seq_cst);
    }
    // edge hazard.clear: acquire
    return slot.load(std::memory_order_acquire);
  }

  static hazard_object* look_at_given(hazard_slot & slot) noexcept {
    if (in_full_mode()) {
      // edge hazard.given: seq_cst  shape SB: slot cleared, then this | handed over, then the slot
      return given_of(slot).load(std::memory_order_seq_cst);
    }
    // plain: a look; taking it acquires
    return given_of(slot).load(std::memory_order_relaxed);
  }

  /// Every step of a slot from an object to anything else ends in a look at `given`.
  static void clear_slot(hazard_slot & slot) noexcept {
    set_slot(slot, nullptr);
    if (look_at_given(slot) != nullptr) take_given(slot);
  }

  static void take_given(hazard_slot & slot) noexcept {
    // edge hazard.given: acq_rel  whoever takes the reference may destroy
    hazard_object* const object = given_of(slot).exchange(nullptr, std::memory_order_acq_rel);
    if (object != nullptr) object->drop_reference();
  }

  template <class F>
  static void for_each_slot(F f) noexcept {
    // edge hazard.record: seq_cst  shape SB: a new record, then the cell | the cell, then this
    for (hazard_record* r = records.load(std::memory_order_seq_cst); r != nullptr; r = r->next) {
      for (int i = 0; i < hazard_guard_slots; ++i) f(r->guards.word[i]);
      for (int i = 0; i < hazard_internal_slots; ++i) f(r->internal.word[i]);
    }
  }

  /// Of each guard, for who only looks: its slot, what that holds, whether a scan has handed it a reference, and whose it
  /// is. Disturbs nobody.
  template <class F>
  static void for_each_guard(F f) {
    // edge hazard.record: acquire
    for (const hazard_record* r = records.load(std::memory_order_acquire); r != nullptr; r = r->next) {
      for (int i = 0; i < hazard_guard_slots; ++i) {
        const hazard_slot& slot = r->guards.word[i];
        // plain: compared with others, never followed
        const hazard_object* const object = slot.load(std::memory_order_relaxed);
        if (object == nullptr) continue;
        // plain: as above
        const bool handed = r->guards.word[i + hazard_guard_slots].load(std::memory_order_relaxed) == object;
        // plain: a number
        f(slot, object, handed, static_cast<int>(r->thread.load(std::memory_order_relaxed)));
      }
    }
  }

  static void push_retired(hazard_object * object) noexcept {
    // plain: the exchange below publishes the object
    next(object) = retired.load(std::memory_order_relaxed);
    // edge hazard.retired: release
    // plain: the loop tries again with what it read
    while (!retired.compare_exchange_weak(next(object), object, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  // ---- what only the domain may touch of an object

  static hazard_object*& next(hazard_object * object) noexcept { return object->next_; }
  /// Nobody else owns a reference, so nobody can make one: the caller's is the last.
  static bool solely_owned(const hazard_object* object) noexcept {
    // edge hazard.refs: acquire
    return object->references_.load(std::memory_order_acquire) == 1;
  }
  /// How many there are now, for a report.
  static std::uint64_t count_references(const hazard_object* object) noexcept {
    // plain: a number
    return object->references_.load(std::memory_order_relaxed);
  }
  static void run_destroyer(hazard_object * object) noexcept { object->destroy_(object); }
  /// False, and nothing dropped: it is the last. Only where no other thread can drop.
  static bool drop_unless_last(hazard_object * object) noexcept {
    // plain: one thread
    return object->references_.load(std::memory_order_relaxed) != 1 &&
           // plain: one thread
           object->references_.fetch_sub(1, std::memory_order_relaxed) != 0;
  }
  /// Drops a reference that cannot be the last, because the caller knows of another.
  static void drop_spare_reference(hazard_object * object) noexcept {
    // edge hazard.refs: release
    object->references_.fetch_sub(1, std::memory_order_release);
  }
};

}  // namespace acqrel
