// What a checked program synchronises with besides atomic operations: threads, locks, waits, kernel calls, thread-local
// state, clocks. Every function of the C library for these is defined here anew (threads.cpp, mutex.cpp, ...): a call by
// checked code within a run is modelled through run.hpp, any other goes to the C library.
//
// The words of these objects are objects of the execution graph (load_word() and so on), so the graph decides who locks
// and who waits. Beside them stand native queues and counts; they are touched only right after an event on the word that
// orders all their users, so they are the same whenever the same execution runs again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace acqrel::model {

struct sync_options {
  unsigned spurious_wakeups = 0;  ///< of waits, by each thread in one execution
  bool membarrier = true;         ///< whether the kernel offers it
};

/// Before every run: no locks held, nobody waits, every thread-specific value null, the clock at its start.
void begin_sync(const sync_options&);

/// What a thread does on its way out, in its own fiber, before its end event: destructors of its thread_local objects,
/// then those of its thread-specific values (pthread_key_create).
void leave_thread();

}  // namespace acqrel::model
