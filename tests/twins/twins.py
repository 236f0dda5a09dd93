#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Weakened twins: the library with one thing wrong, on which a test that passes must now fail.

    twins.py list sanitized                    the names of the twins that run under a sanitizer
    twins.py list checked TEST                 of those that run this test under the checker
    twins.py build NAME ROOT OUT COMPILER... [-- FLAG... -- OBJECT... -- LINK...]
                                               makes OUT: ROOT's code with NAME's edits, and the test
    twins.py run NAME OUT                      runs the test; succeeds if it does what the twin must do

A twin is an edit of the real code: a text that must stand exactly once in its file, and what
stands there instead. So twins cannot drift from the code that ships; an edit that no longer
applies is an error that says which.

Sanitized twins run a stress test, under a sanitizer. Most stand on `perturbed`, which yields at random
in every window between the two steps of a light fence. It changes no order and must pass every test: it is
the control of the others.

Checked twins run a model test, under the checker, which says in what execution they go wrong. They are compiled and
linked as that test is: CMake hands over its FLAGs, the OBJECT of its source, and what it LINKs. Only what
uses the edited text is compiled again. The control of the first test's is `model_unedited`.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

FENCE = "include/acqrel/base/asymmetric_fence.hpp"
HAZARD = "include/acqrel/reclaim/hazard.hpp"
DOMAIN = "src/reclaim/hazard_domain.hpp"
PROTECT = "src/reclaim/hazard_protect.cpp"
RECORD = "src/reclaim/hazard_record.cpp"
SCAN = "src/reclaim/hazard_scan.cpp"
SOURCE = "src/publish/snapshot_source.cpp"
SNAPSHOT = "include/acqrel/publish/snapshot_source.hpp"

CACHED = "include/acqrel/publish/cached_reader.hpp"
STACK = "include/acqrel/handoff/stack.hpp"
FAIR = "src/base/fair_mutex.cpp"
POOL = "src/keyed/resource_pool.cpp"

MODEL_TEST = "tests/reclaim/hazard_model.cpp"
FAIR_MODEL_TEST = "tests/base/fair_mutex_model.cpp"
POOL_MODEL_TEST = "tests/keyed/resource_pool_model.cpp"
SNAPSHOT_TEST = "tests/publish/snapshot_source_test.cpp"
HAZARD_TEST = "tests/reclaim/hazard_test.cpp"
CACHED_TEST = "tests/publish/cached_reader_test.cpp"
STACK_TEST = "tests/handoff/stack_test.cpp"

# Which units of a model test call what twins edit in a header. If one is forgotten, the twin does not fail, and that is seen.
USED_BY = {HAZARD: [MODEL_TEST], DOMAIN: [PROTECT, SCAN]}

# Yields in about one of sixteen windows, by a counter so that no lock or order comes in.
PERTURBED = [
    (FENCE, "#include <atomic>\n", "#include <atomic>\n#include <sched.h>\n"),
    (FENCE, "  std::atomic_signal_fence(std::memory_order_seq_cst);\n",
     "  std::atomic_signal_fence(std::memory_order_seq_cst);\n"
     "  static thread_local unsigned windows = 0;\n"
     "  windows = windows * 1664525u + 1013904223u;\n"
     "  if ((windows >> 28) == 0) sched_yield();\n"
     "  std::atomic_signal_fence(std::memory_order_seq_cst);\n"),
    (PROTECT, "  protection.object->add_reference();\n", "  compiler_fence();\n  protection.object->add_reference();\n"),
]
# Every read takes the slow lane: requests, and answers by publishers.
SLOW_LANE = [
    (HAZARD, "  if (slot.load(std::memory_order_relaxed) == nullptr) [[likely]] {",
     "  if (false) {"),
    (PROTECT, "  if (!hazard_domain::in_full_mode()) [[likely]] {", "  if (false) {"),
    (PROTECT, "constexpr int validations = 3;", "constexpr int validations = 0;"),
    # a window between reading the cell and taking the slot, for `perturbed` to widen
    (PROTECT, "  hazard_object* const object = cell.current.load(std::memory_order_seq_cst);\n",
     "  hazard_object* const object = cell.current.load(std::memory_order_seq_cst);\n  compiler_fence();\n"),
]

# One pop of sixteen is held up before it looks at the link, and before its exchange.
UNLINK = "    const bool won = hazard_unlink(top_, popped, popped->below);\n"
PERTURBED_POP = [
    (STACK, "#include <utility>\n", "#include <utility>\n#include <sched.h>\n"),
    (STACK, UNLINK, "    static thread_local unsigned pops = 0;\n"
     "    if (++pops % 16 == 0) sched_yield();\n"
     "    hazard_object* const below = popped->below;\n"
     "    if (pops % 16 == 8) sched_yield();\n"
     "    const bool won = hazard_unlink(top_, popped, below);\n"),
]

DEAD_READ = r"heap-use-after-free|FAILED|double-free"
RACE = r"ThreadSanitizer: (data race|heap-use-after-free)"


@dataclass
class twin:
    edits: list
    fails: str = ""            # what its output must show; empty: it must pass
    sanitizer: str = "address"
    test: str = SNAPSHOT_TEST
    only: str = "*"            # GoogleTest filter
    tries: int = 10            # a race may need more than one run to show


@dataclass
class checked:
    edits: list
    only: str                  # GoogleTest filter
    fails: str = ""            # as above
    test: str = MODEL_TEST

    tries = 1                  # the checker's runs are all the same


STRESS = "*stress*"
SLOW = "hazard.slow_lane_asymmetric:hazard.slow_lane_full"

# What the checker says: the trouble, the number of the execution, what does not hold.
USED_AFTER_FREE = "FAILED: use after free"
DEADLOCK = "FAILED: deadlock"
LEFT_BEHIND, HELD_BACK, WENT_BACK = (
    rf"FAILED: assertion in execution .*\n+.*{what}" for what in
    ("exactly the replaced versions are destroyed", "what no guard holds is destroyed", "versions never go back"))

TWINS = {
    # ---- controls: changed in nothing that matters, and green
    "perturbed": twin(PERTURBED),
    "perturbed_hazard": twin(PERTURBED, test=HAZARD_TEST),
    "perturbed_pop": twin(PERTURBED_POP, test=STACK_TEST),
    "slow_lane": twin(SLOW_LANE + PERTURBED),
    "slow_lane_hazard": twin(SLOW_LANE + PERTURBED, test=HAZARD_TEST),
    "slow_lane_in_full_mode": twin(SLOW_LANE, sanitizer="thread"),

    # ---- reading and reclaiming
    "delete_without_the_scan": twin(
        PERTURBED + [(SCAN, "    if (held.may_hold(object)) {", "    if (false) {")], fails=DEAD_READ, only=STRESS),
    "no_second_look_at_the_cell": twin(
        PERTURBED + [(HAZARD, "    hazard_object* const seen = cell.current.load(std::memory_order_relaxed);\n",
                      "    hazard_object* const seen = cell.current.load(std::memory_order_relaxed);\n    compiler_fence();\n"),
                     (HAZARD, "    if (cell.current.load(std::memory_order_acquire) == seen) [[likely]] {", "    if (true) {")],
        fails=DEAD_READ, only=STRESS),
    "publish_relaxed": twin(
        [(PROTECT, "cell.current.exchange(next, std::memory_order_seq_cst)", "cell.current.exchange(next, std::memory_order_relaxed)"),
         (HAZARD, "(expected, next, std::memory_order_seq_cst, std::memory_order_relaxed", "(expected, next, std::memory_order_relaxed, std::memory_order_relaxed")],
        fails=RACE, sanitizer="thread"),
    "reload_relaxed": twin(
        [(DOMAIN, "    return cell.current.load(std::memory_order_seq_cst);", "    return cell.current.load(std::memory_order_relaxed);")],
        fails=RACE, sanitizer="thread"),
    "slot_cleared_relaxed": twin(
        [(DOMAIN, "    slot.store(object, std::memory_order_seq_cst);", "    slot.store(object, std::memory_order_relaxed);")],
        fails=RACE, sanitizer="thread"),
    "slot_seen_relaxed": twin(
        [(DOMAIN, "    return slot.load(std::memory_order_seq_cst);", "    return slot.load(std::memory_order_relaxed);")],
        fails=RACE, sanitizer="thread"),
    "last_reference_relaxed": twin(
        [(DOMAIN, "references_.load(std::memory_order_acquire) == 1", "references_.load(std::memory_order_relaxed) == 1")],
        fails=RACE, sanitizer="thread"),
    "references_relaxed": twin(
        [(SCAN, "references_.fetch_sub(1, std::memory_order_acq_rel) == 1", "references_.fetch_sub(1, std::memory_order_relaxed) == 1")],
        fails=RACE, sanitizer="thread"),
    "retired_relaxed": twin(
        [(DOMAIN, "next(object), object, std::memory_order_release,", "next(object), object, std::memory_order_relaxed,")],
        fails=RACE, sanitizer="thread"),

    # ---- promptness: the references that scans hand over
    "release_does_not_look_at_given": twin(
        [(HAZARD, "  if (slot[4].load(std::memory_order_relaxed) != nullptr) [[unlikely]]\n    hazard_take_given(protection.where);\n", "")],
        fails="FAILED.*lets_the_last_guard_destroy"),
    "handed_over_without_a_reference": twin(
        [(SCAN, "      object->add_reference();\n      if (settle", "      if (settle")], fails=DEAD_READ),
    "scan_leaves_out_later_chunks": twin(
        [(SCAN, "  if (count != 0) hand_over(seen, count, list);\n", "")], fails=DEAD_READ),
    "retry_overwrites_the_slot": twin(
        PERTURBED + [(DOMAIN, "    if (look_at_given(slot) != nullptr) take_given(slot);\n", "")],
        fails="FAILED", test=SNAPSHOT_TEST),

    # ---- a stack
    "a_pop_lets_go_too_early": twin(
        PERTURBED_POP + [(STACK, "    node* const popped = static_cast<node*>(top.object);\n",
                          "    node* const popped = static_cast<node*>(top.object);\n    hazard_release(top);\n"),
                         (STACK, "    hazard_release(top);\n    if (!won) {\n", "    if (!won) {\n")],
        fails=DEAD_READ, test=STACK_TEST, only=STRESS),
    "a_pop_frees_its_node": twin(
        PERTURBED_POP + [(STACK, "    hazard_retire_lazily(popped);\n    return item;\n", "    node::destroy(popped);\n    return item;\n")],
        fails=DEAD_READ, test=STACK_TEST, only=STRESS),
    "a_pushed_item_is_not_published": twin(
        [(STACK, "added, std::memory_order_release,", "added, std::memory_order_relaxed,")],
        fails=RACE, sanitizer="thread", test=STACK_TEST, only=STRESS),

    # ---- the slow lane
    "requests_are_not_answered": twin(
        SLOW_LANE + PERTURBED + [(PROTECT, "  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]\n    answer_requests(cell);\n  return old;", "  return old;"),
                                 (HAZARD, "  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]\n    hazard_answer(cell);\n  return true;", "  return true;")],
        fails=DEAD_READ, only=STRESS),
    "answered_without_a_reference": twin(
        SLOW_LANE + PERTURBED + [(PROTECT, "      object->add_reference();\n      const std::uintptr_t answer", "      const std::uintptr_t answer")],
        fails=DEAD_READ, only=STRESS),

    # ---- more guards than slots, threads, processes, handlers
    "counted_without_a_reference": twin(
        [(PROTECT, "  protection.object->add_reference();\n", "")], fails=DEAD_READ),
    "a_thread_ends_without_a_scan": twin(
        [(RECORD, "  if (record.pending != 0 || record.lazy != nullptr) hazard_domain::scan(record);\n", "")],
        fails="outlived its thread", test=HAZARD_TEST),
    "a_record_with_a_guard_is_reused": twin(
        [(RECORD, "  if (holds_a_guard(record)) return;\n", "")], fails="FAILED", test=HAZARD_TEST),
    "fork_keeps_the_slots_of_other_threads": twin(
        [(RECORD, "    empty_slots(*r);\n    // plain: one thread\n", "    // plain: one thread\n")], fails="FAILED.*fork", test=HAZARD_TEST),
    "fork_keeps_what_was_handed_to_other_threads": twin(
        [(RECORD, "inherit(slots->word[i + 4].load(std::memory_order_relaxed))", "(void)i")], fails="FAILED.*fork", test=HAZARD_TEST, tries=20),
    "fork_keeps_the_turn": twin(
        [(SOURCE, "  era.fetch_add(1, std::memory_order_relaxed);\n", "  alarm(3);\n"), (SOURCE, "#include <pthread.h>\n", "#include <pthread.h>\n#include <unistd.h>\n")],
        fails="FAILED", test=HAZARD_TEST, only="*fork*"),
    "handlers_destroy": twin(
        [(RECORD, "    record_->destroying.store(true, std::memory_order_relaxed);\n", "")],
        fails="destroyed inside the scope", test=HAZARD_TEST),
    "destructors_nest": twin(
        [(SCAN, "  if (!me.destroying.load(std::memory_order_relaxed)) {", "  if (true) {")],
        fails="stack-overflow|SEGV|FAILED", only="*chain_of_a_million*:*300000_deep*"),

    "a_record_is_given_to_two_threads": twin(
        [(RECORD, "    if (record->in_use.compare_exchange_strong(taken, true, std::memory_order_acquire, std::memory_order_relaxed))\n      break;",
          "    if (!record->in_use.load(std::memory_order_acquire)) {\n      sched_yield();\n      record->in_use.store(true, std::memory_order_relaxed);\n      break;\n    }\n    (void)taken;")],
        fails="FAILED", test=HAZARD_TEST, only="*records*"),
    "a_handler_takes_the_slot_that_counts": twin(
        PERTURBED + [(PROTECT, "    if (record.internal.word[i].load(std::memory_order_relaxed) == nullptr) return record.internal.word[i];",
          "    return record.internal.word[i];"),
         (PROTECT, "  compiler_fence();\n  protection.object->add_reference();\n",
          "  for (int i = 0; i < 10; ++i) sched_yield();\n  protection.object->add_reference();\n")],
        fails=DEAD_READ, test=HAZARD_TEST, only="*handler*", tries=40),

    # ---- cached_reader
    "cached_without_a_reference": twin(
        [(CACHED, "    drop(old);\n", "    drop(old);\n    now.object_->drop_reference();\n")],
        fails=DEAD_READ, test=CACHED_TEST, only=STRESS),

    # ---- updates
    "updates_do_not_take_turns": twin(
        [(SNAPSHOT, "  const snapshot_update_turn turn(cell_.turn);\n", "")], fails="updates take turns", only="*concurrent_updates*"),
    "a_nested_update_queues": twin(
        [(SOURCE, "    : turn_(turns_held == 0 ? &turn : nullptr),", "    : turn_(&turn),"), (SOURCE, "  ++turns_held;\n", "  ++turns_held;\n  alarm(3);\n"),
         (SOURCE, "#include <pthread.h>\n", "#include <pthread.h>\n#include <unistd.h>\n")],
        fails="ended by signal 14", only="*nested*"),
    "an_update_that_lost_is_forgotten": twin(
        [(SNAPSHOT, "    if (compare_exchange(seen, next)) return true;\n", "    (void)compare_exchange(seen, next);\n    return true;\n")],
        fails="FAILED"),

    # ---- under the checker: what no stress test on x86 finds. Weakened orders stand beside the model tests, in .shows

    # the second look at the cell, in each of the three places that protect
    "model_no_second_look": checked(
        [(HAZARD, "    hazard_object* const seen = cell.current.load(std::memory_order_relaxed);", "    hazard_object* const seen = cell.current.load(std::memory_order_acquire);"),
         (HAZARD, "    if (cell.current.load(std::memory_order_acquire) == seen) [[likely]] {", "    if (true) {")],
        fails=USED_AFTER_FREE, only="hazard.two_reads_asymmetric"),
    "model_no_second_look_for_a_second_guard": checked(
        [(PROTECT, "      hazard_object* const seen = cell.current.load(std::memory_order_relaxed);", "      hazard_object* const seen = cell.current.load(std::memory_order_acquire);"),
         (PROTECT, "      if (cell.current.load(std::memory_order_acquire) == seen) return", "      return")],
        fails=USED_AFTER_FREE, only="hazard.second_guard_asymmetric"),
    "model_no_second_look_out_of_line": checked(
        [(PROTECT, "  object = cell.current.load(std::memory_order_relaxed);", "  object = cell.current.load(std::memory_order_acquire);"),
         (PROTECT, "  if (hazard_domain::reload(cell) == object) return true;", "  return true;")],
        fails=USED_AFTER_FREE, only="hazard.read_*"),

    # fences, which only the asymmetric mode has
    "model_no_light_fence_after_the_slot": checked(
        [(HAZARD, "    compiler_fence();\n    // edge hazard.publish: acquire\n", "")],
        fails=USED_AFTER_FREE, only="hazard.two_reads_asymmetric"),
    "model_no_light_fence_after_the_slot_of_a_second_guard": checked(
        [(PROTECT, "      compiler_fence();\n      // edge hazard.publish: acquire\n", "")],
        fails=USED_AFTER_FREE, only="hazard.second_guard_asymmetric"),
    "model_no_light_fence_out_of_line": checked(
        [(DOMAIN, "      slot.store(object, std::memory_order_release);\n      compiler_fence();\n", "      slot.store(object, std::memory_order_release);\n")],
        fails=USED_AFTER_FREE, only="hazard.read_asymmetric"),
    "model_no_light_fence_before_given": checked(
        [(HAZARD, "  compiler_fence();\n  // plain: a look; hazard_take_given acquires\n", "")],
        fails=LEFT_BEHIND, only="hazard.two_reads_asymmetric"),
    "model_no_heavy_fence_before_the_slots": checked(
        [(SCAN, "  heavy_fence();\n  timer.fence_done();\n", "  timer.fence_done();\n")],
        fails=USED_AFTER_FREE, only="hazard.read_asymmetric"),
    "model_no_heavy_fence_after_handing_over": checked(
        [(SCAN, "    heavy_fence();\n    int still = 0;\n", "    int still = 0;\n")],
        fails=LEFT_BEHIND, only="hazard.read_asymmetric"),

    # handing over
    "model_no_look_after_handing_over": checked(
        [(SCAN, "  while (waiting != 0) {\n", "  while (false) {\n")], fails=LEFT_BEHIND, only="hazard.read_*"),
    "model_release_does_not_look_at_given": checked(
        [(HAZARD, "  if (slot[4].load(std::memory_order_relaxed) != nullptr) [[unlikely]]\n    hazard_take_given(protection.where);\n", "")],
        fails=LEFT_BEHIND, only="hazard.two_reads_asymmetric"),
    "model_release_does_not_look_at_given_out_of_line": checked(
        [(DOMAIN, "    if (look_at_given(slot) != nullptr) take_given(slot);\n", "")],
        fails=LEFT_BEHIND, only="hazard.read_full:hazard.two_reads_full"),
    "model_handed_over_without_a_reference": checked(
        [(SCAN, "      object->add_reference();\n      if (settle", "      if (settle")],
        fails=USED_AFTER_FREE, only="hazard.read_*"),
    # What the slot was handed is dropped at the end of its next guard: harm only while that one is held.
    "model_retry_overwrites_the_slot": checked(
        [(PROTECT, "  hazard_domain::clear_slot(hazard_this_thread->guards.word[0]);\n",
          "  hazard_domain::set_slot(hazard_this_thread->guards.word[0], nullptr);\n")],
        fails=HELD_BACK, only="hazard.held_guard_asymmetric"),
    "model_retry_overwrites_the_slot_out_of_line": checked(
        [(PROTECT, "  hazard_domain::clear_slot(slot);\n  return false;\n", "  return false;\n")],
        fails=HELD_BACK, only="hazard.held_guard_full"),
    # The scan takes back what it put there, and puts it there again. Without only the first of these looks, the one
    # before anything is handed over, every test passes, and rightly: the second look takes it back.
    "model_settled_without_a_look_at_the_slot": checked(
        [(SCAN, "    if (hazard_domain::see_slot(slot) != object) {\n      object->drop_reference();\n      return left;\n    }\n", "")],
        fails="FAILED: livelock", only="hazard.read_*"),
    # These two need a slot that held something else before, and two scans; the tests of one cell pass.
    "model_taken_back_and_dropped": checked(
        [(SCAN, "      if (settle(slot, back)) parked[still++] = &slot;\n", "      if (back != nullptr) back->drop_reference();\n")],
        fails=USED_AFTER_FREE, only="hazard.two_cells_in_one_slot_*"),
    "model_displaced_and_dropped": checked(
        [(SCAN, "    object = displaced;\n", "    if (displaced != nullptr) displaced->drop_reference();\n    return true;\n")],
        fails=USED_AFTER_FREE, only="hazard.two_cells_in_one_slot_*"),

    # the slow lane, and more guards than slots
    "model_requests_are_not_answered": checked(
        [(PROTECT, "  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]\n    answer_requests(cell);\n  return old;", "  return old;")],
        fails=USED_AFTER_FREE, only=SLOW),
    "model_answered_before_the_exchange": checked(
        [(PROTECT, "  hazard_object* const old = cell.current.exchange(next, std::memory_order_seq_cst);\n",
          "  if (cell.slow.load(std::memory_order_seq_cst) != 0) answer_requests(cell);\n"
          "  hazard_object* const old = cell.current.exchange(next, std::memory_order_seq_cst);\n"),
         (PROTECT, "  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]\n    answer_requests(cell);\n  return old;", "  return old;")],
        fails=USED_AFTER_FREE, only=SLOW),
    "model_answered_without_a_second_look": checked(
        [(PROTECT, "      if (!try_protect(cell, slot, object)) continue;  // read the request again: the answer must be newer\n",
          "      object = cell.current.load(std::memory_order_acquire);\n      hazard_domain::set_slot(slot, object);\n")],
        fails=USED_AFTER_FREE, only="hazard.late_answer_*"),
    "model_requests_without_a_generation": checked(
        [(PROTECT, "(++record.generation << 2)", "(std::uintptr_t{1} << 2)")], fails=WENT_BACK, only="hazard.late_answer_*"),
    "model_counted_after_the_release": checked(
        [(PROTECT, "  protection.object->add_reference();\n  hazard_domain::clear_slot(slot);\n",
          "  hazard_domain::clear_slot(slot);\n  protection.object->add_reference();\n")],
        fails=USED_AFTER_FREE, only="hazard.counts_what_has_no_slot_*"),

    # the queue of a fair_mutex
    "fair_mutex_wakes_nobody": checked(
        [(FAIR, "if (bell != nullptr) unpark_one(*bell);", "(void)bell;")],
        fails=DEADLOCK, test=FAIR_MODEL_TEST, only="fair_mutex.excludes_in_order"),
    "fair_mutex_calls_only_once": checked(
        [(FAIR, "if (first) word &= ~called;", "")],
        fails=DEADLOCK, test=FAIR_MODEL_TEST, only="fair_mutex.wakes_again_who_was_woken_in_vain"),
    "fair_mutex_hands_over_to_nobody": checked(
        [(FAIR, "if (too_long(since)) word |= starving;", "")],
        fails="FAILED: assertion", test=FAIR_MODEL_TEST, only="fair_mutex.hands_over_to_who_waits"),
    "fair_mutex_leaves_its_place_behind": checked(
        [(FAIR, "put_back(self.leave(word));", "put_back(word);")],
        fails=USED_AFTER_FREE, test=FAIR_MODEL_TEST, only="fair_mutex.forgets_nobody_when_a_wait_gives_up_in_order"),
    "fair_mutex_keeps_the_call_of_who_left": checked(
        [(FAIR, "(word & (locked | starving))", "(word & flags)")],
        fails=DEADLOCK, test=FAIR_MODEL_TEST, only="fair_mutex.forgets_nobody_when_a_wait_gives_up"),
    "fair_mutex_looks_back_after_it_let_go": checked(
        [(FAIR, "if (bell != nullptr) unpark_one(*bell);",
          "if (bell != nullptr && word_.load(std::memory_order_relaxed) != 0) unpark_one(*bell);")],
        fails=USED_AFTER_FREE, test=FAIR_MODEL_TEST, only="fair_mutex.may_be_destroyed_by_who_was_handed_it"),

    # who waits for a resource_pool
    "resource_pool_serves_who_gave_up": checked(
        [(POOL, "    if (!one->choice.claim()) continue;\n", "    (void)one->choice.claim();\n")],
        fails="FAILED: assertion", test=POOL_MODEL_TEST, only="resource_pool.loses_nothing_to_one_who_gives_up"),
    "resource_pool_settles_before_it_gives": checked(
        [(POOL, "    next->given = &one;\n    lock.unlock();\n    return next->choice.settle();\n",
          "    lock.unlock();\n    next->choice.settle();\n    next->given = &one;\n    return;\n")],
        fails="FAILED: data race", test=POOL_MODEL_TEST, only="resource_pool.shows_who_waits_what_its_last_holder_wrote"),
    "resource_pool_gives_nobody_the_place_of_a_broken_one": checked(
        [(POOL, "  held lock(mutex_);\n  if (waiter* const next = claim(key)) {\n", "  held lock(mutex_);\n  if (waiter* const next = nullptr) {\n")],
        fails=DEADLOCK, test=POOL_MODEL_TEST, only="resource_pool.lets_who_waits_dial_when_one_is_broken"),
    "resource_pool_closes_without_a_word": checked(
        [(POOL, "      while (waiter* const one = claim(*key)) {\n", "      while (waiter* const one = nullptr) {\n")],
        fails=DEADLOCK, test=POOL_MODEL_TEST, only="resource_pool.lets_who_waits_go_when_it_is_closed"),
    "resource_pool_outlives_its_last_lease": checked(
        [(POOL, "  if (last) delete this;\n", "  (void)last;\n")],
        fails="FAILED: leak", test=POOL_MODEL_TEST, only="resource_pool.ends_with_its_last_lease"),
}
# The same tests on the code as it is, compiled in the same way.
TWINS["model_unedited"] = checked([], only=":".join(sorted(
    {t.only for t in TWINS.values() if isinstance(t, checked) and t.test == MODEL_TEST})))


def make(name, root, out):
    shutil.rmtree(out, ignore_errors=True)
    for folder in ("include", "src", "tests/base", "tests/reclaim"):
        shutil.copytree(os.path.join(root, folder), os.path.join(out, folder))
    for path, find, write in TWINS[name].edits:
        where = os.path.join(out, path)
        with open(where) as file:
            text = file.read()
        if text.count(find) != 1:
            sys.exit(f"twins.py: twin {name}: this text stands {text.count(find)} times in {path}, not once; "
                     f"the code has changed, change the twin with it:\n{find}")
        with open(where, "w") as file:
            file.write(text.replace(find, write))


def compile_all(sources, out, compiler, flags):
    """Inside OUT, by relative paths, so that ccache sees that most twins share most of their code."""
    objects = []
    for source in sources:
        objects.append(os.path.basename(source) + ".o")
        subprocess.run([*compiler, *flags, "-Iinclude", "-c", source, "-o", objects[-1]], cwd=out, check=True)
    return objects


def build_sanitized(name, root, out, compiler):
    t = TWINS[name]
    sources = sorted(glob.glob("src/base/*.cpp", root_dir=out) + glob.glob("src/reclaim/*.cpp", root_dir=out) +
                     glob.glob("src/publish/*.cpp", root_dir=out)) + [os.path.relpath(os.path.join(root, t.test), out)]
    flags = ["-std=c++20", "-O1", "-w", f"-fsanitize={t.sanitizer}"]
    objects = compile_all(sources, out, compiler, flags)
    subprocess.run([compiler[-1], *flags, *objects, "-o", "test", "-lgtest", "-lgtest_main", "-pthread"], cwd=out, check=True)


def build_checked(name, out, compiler, flags, test_object, link):
    """What is not compiled here comes from the library that LINK names: the linker takes from it what is missing."""
    test = TWINS[name].test
    units = {unit for path, _, _ in TWINS[name].edits for unit in USED_BY.get(path, [path])}
    units = sorted(units or glob.glob("src/reclaim/*.cpp", root_dir=out) + [test])
    objects = compile_all(units, out, compiler, [*flags, "-w"])
    if test not in units:
        objects += test_object
    subprocess.run([compiler[-1], *objects, *link, "-pthread", "-o", "test"], cwd=out, check=True)


def build(name, root, out, arguments):
    parts = [[]]
    for argument in arguments:
        if argument == "--":
            parts.append([])
        else:
            parts[-1].append(argument)
    make(name, root, out)
    if isinstance(TWINS[name], checked):
        build_checked(name, out, *parts)
    else:
        build_sanitized(name, root, out, *parts)


def run_once(out, t):
    """Inside OUT, where the checker finds the sources."""
    try:
        done = subprocess.run(["./test", f"--gtest_filter={t.only}", "--gtest_brief=1"], cwd=out, capture_output=True, text=True,
                              errors="replace", timeout=120, env={**os.environ, "TSAN_OPTIONS": "halt_on_error=1"})
    except subprocess.TimeoutExpired:
        return "time-out", ""
    output = done.stdout + done.stderr
    return done.returncode, output + (f"\nended by signal {-done.returncode}" if done.returncode < 0 else "")


def what_it_showed(t, output):
    """Nothing, unless it failed as it must: a model test in each of the tests that its filter names."""
    found = [match.group(0) for match in re.finditer(t.fails, output)]
    if isinstance(t, checked):
        ran = re.search(r"(\d+) tests? from .* ran", output)
        if ran is None or len(found) != int(ran.group(1)):
            return ""
        return ", ".join(re.findall(r"\S+: FAILED: .* in execution [\d,]*\d", output))
    return found[0] if found else ""


def run(name, out):
    t = TWINS[name]
    shown = []
    for attempt in range(1, max(t.tries, 1) + 1 if t.fails else 2):
        status, output = run_once(out, t)
        shown.append(f"run {attempt}: exit {status}\n{output[-4000:]}")
        if not t.fails:
            break
        if status != 0 and (what := what_it_showed(t, output)):
            print(f"{name}: fails as it must (run {attempt}): {what}")
            return 0
    if not t.fails and status == 0:
        print(f"{name}: passes as it must")
        return 0
    print("\n".join(shown[-2:]))
    print(f"{name}: " + (f"the test did not notice in {attempt} runs; it must fail showing /{t.fails}/" if t.fails else "a control must pass"))
    return 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["list", "sanitized"]:
            print("\n".join(name for name, t in TWINS.items() if isinstance(t, twin)))
        case ["list", "checked", test]:
            print("\n".join(name for name, t in TWINS.items() if isinstance(t, checked) and t.test == test))
        case ["build", name, root, out, *arguments]:
            build(name, os.path.abspath(root), os.path.abspath(out), arguments)
        case ["run", name, out]:
            sys.exit(run(name, out))
        case _:
            sys.exit(__doc__)
