// Who sleeps until somebody wakes him: what is behind condition variables and futexes.
//
// A word orders those who come to sleep and those who come to wake: it is 1 while one of them has to look at something else
// before it is done. The sleepers themselves stand in a native list. Each reads a word of his own, which is 1 once he was
// woken; nothing happens before anything by that.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "words.hpp"

namespace acqrel::model {

struct sleeper {
  thread_id thread;
  sync_word woken;      ///< what he reads: 0, or `told`
  unsigned told;        ///< which of several queues it was, from 1
  std::uint32_t mask;   ///< for whom he may be woken
  const void* partner;  ///< the mutex that he gave up
};

struct sleepers {
  sync_word order;
  std::vector<sleeper> waiting;
};

/// The queue whose users this word orders.
sleepers& queue_of(const sync_word& order);

// ---- of the running thread
/// Somebody who comes to sleep on `object`.
sleeper new_sleeper(const void* object);
/// Takes its place among all that use the queue. What follows natively, up to the next operation, is one step with it.
void take_turn(sleepers&, order, const void* site);
/// The same, but nobody else comes in before end_turn.
void begin_turn(sleepers&, order, const void* site);
void end_turn(sleepers&, order, const void* site);
/// Until he was woken; returns what he was told. `bounded` as for stuck().
unsigned sleep(const sleeper&, std::string (*waits_for)(const void*), const void* site, bool bounded);
/// Wakes as many as `most` of those that `mask` names: any of them, each choice in an execution of its own. Returns how many.
unsigned wake(sleepers&, unsigned most, std::uint32_t mask, order, const void* site);
/// Whether the running thread wakes for no reason now: once for each that the options allow it.
bool wakes_spuriously(const void* site);

/// Before every run.
void begin_queues(unsigned spurious_wakeups);

}  // namespace acqrel::model
