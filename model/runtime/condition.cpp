// Condition variables. To wait is to stand in the queue, to unlock the mutex, and to read a word that a notifier writes.
// Nothing happens before anything by a notification: what is ordered is ordered by the mutex.
//
// A wait with a time limit that ran out, and one that ended for no reason, are as if the thread had never stood in the
// queue: it only gave up the mutex for a while.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <cerrno>

#include "interpose.hpp"
#include "memory.hpp"
#include "mutex.hpp"
#include "queue.hpp"
#include "time.hpp"
#include "words.hpp"

namespace acqrel::model {
namespace {

constexpr unsigned everybody = ~0u;

std::string to_be_notified(const void* c) {
  return "to be notified by the condition variable " + describe(c) + ", and nobody does";
}

/// The clock of its deadlines, which pthread_cond_init was told.
clockid_t clock_of(const pthread_cond_t* c) {
  constexpr unsigned monotonic_bit = 2;
  return (c->__data.__wrefs & monotonic_bit) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

int wait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock, const timespec* deadline, const void* site) {
  const holding* const mine = held_by_self(m);
  if (mine == nullptr || mine->count > 1) {
    fail(trouble_kind::misuse,
         "thread " + std::to_string(self()) + " waits on the condition variable " + describe(c) + " with the mutex " +
             describe(m) +
             (mine == nullptr ? ", which it has not locked" + holders(m) : ", which it has locked twice") +
             ". Lock it once before the wait.",
         site);
  }
  if (deadline != nullptr && (deadline->tv_nsec < 0 || deadline->tv_nsec >= 1'000'000'000)) return EINVAL;
  give_way();
  const bool runs_out = deadline != nullptr && choose(2, site) == 0;
  if (runs_out || wakes_spuriously(site)) {
    word_of(c, site);
    unlock_mutex(m, site);
    if (runs_out) pass_deadline(clock, deadline);
    lock_mutex(m, site);
    return runs_out ? ETIMEDOUT : 0;
  }
  sleepers& queue = queue_of(word_of(c, site));
  sleeper me = new_sleeper(c);
  me.partner = m;
  take_turn(queue, order::relaxed, site);
  if (!queue.waiting.empty() && queue.waiting.front().partner != m) {
    fail(trouble_kind::misuse,
         "the condition variable " + describe(c) + " is waited on with the mutex " + describe(m) + " by thread " +
             std::to_string(self()) + ", and with the mutex " + describe(queue.waiting.front().partner) +
             " by thread " + std::to_string(queue.waiting.front().thread) +
             ". All that wait at one time must use the same mutex.",
         site);
  }
  queue.waiting.push_back(me);
  unlock_mutex(m, site);
  sleep(me, to_be_notified, site, deadline != nullptr);
  lock_mutex(m, site);
  return 0;
}

void notify(pthread_cond_t* c, unsigned most, const void* site) {
  wake(queue_of(word_of(c, site)), most, everybody, order::relaxed, site);
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

ACQREL_INTERPOSED int pthread_cond_init(pthread_cond_t* c, const pthread_condattr_t* attributes) noexcept {
  const call here = ACQREL_CALL;
  if (here.modelled()) {
    const checker_work work;
    make_or_end(c, sizeof *c, here.site());
  }
  return ACQREL_C_LIBRARY(pthread_cond_init)(c, attributes);
}

ACQREL_INTERPOSED int pthread_cond_destroy(pthread_cond_t* c) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_cond_destroy)(c);
  const checker_work work;
  const void* const site = here.site();
  if (const sleepers& queue = queue_of(word_of(c, site)); !queue.waiting.empty()) {
    fail(trouble_kind::misuse,
         "the condition variable " + describe(c) + " is destroyed while thread " +
             std::to_string(queue.waiting.front().thread) + " waits on it. Notify all that wait first.",
         site);
  }
  make_or_end(c, sizeof *c, site);
  return 0;
}

ACQREL_INTERPOSED int pthread_cond_wait(pthread_cond_t* __restrict c, pthread_mutex_t* __restrict m) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_cond_wait)(c, m);
  const checker_work work;
  return wait(c, m, CLOCK_REALTIME, nullptr, here.site());
}

ACQREL_INTERPOSED_LOOK(int, pthread_cond_timedwait,
                       (pthread_cond_t* __restrict c, pthread_mutex_t* __restrict m,
                        const timespec* __restrict deadline)) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_cond_timedwait)(c, m, deadline);
  const checker_work work;
  look(here);
  return wait(c, m, clock_of(c), deadline, here.site());
}

ACQREL_INTERPOSED_LOOK(int, pthread_cond_clockwait,
                       (pthread_cond_t* __restrict c, pthread_mutex_t* __restrict m, clockid_t clock,
                        const timespec* __restrict deadline)) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_cond_clockwait)(c, m, clock, deadline);
  const checker_work work;
  look(here);
  return wait(c, m, clock, deadline, here.site());
}

ACQREL_INTERPOSED int pthread_cond_signal(pthread_cond_t* c) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_cond_signal)(c);
  const checker_work work;
  notify(c, 1, here.site());
  return 0;
}

ACQREL_INTERPOSED int pthread_cond_broadcast(pthread_cond_t* c) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_cond_broadcast)(c);
  const checker_work work;
  notify(c, max_threads, here.site());
  return 0;
}
