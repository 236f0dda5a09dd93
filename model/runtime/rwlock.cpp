// Locks that many may read and one may write: a word that counts the readers, and more than there can be is the writer.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <cerrno>

#include "interpose.hpp"
#include "memory.hpp"
#include "time.hpp"
#include "words.hpp"

namespace acqrel::model {
namespace {

constexpr unsigned writer = 1u << 16;

std::string to_read(const void* lock) {
  return "to lock for reading the shared mutex " + describe(lock) + holders(lock);
}
std::string to_write(const void* lock) {
  return "to lock for writing the shared mutex " + describe(lock) + holders(lock);
}

bool take(const sync_word& word, bool shared, const void* site) {
  const bool taken = shared ? word.add_below(writer, 1, order::acquire, site) < writer
                            : word.replace(0, writer, order::acquire, site) == 0;
  if (!taken) return false;
  if (holding* const mine = held_by_self(word.object)) {
    ++mine->count;
  } else {
    hold(word.object, shared, site);
  }
  return true;
}

/// Whether the running thread has it in a way that forbids what it asks for now.
bool own(const void* lock, bool shared) {
  const holding* const mine = held_by_self(lock);
  return mine != nullptr && !(mine->shared && shared);
}

int lock(pthread_rwlock_t* l, bool shared, const void* site) {
  const sync_word word = word_of(l, site);
  if (own(l, shared)) {
    fail(trouble_kind::deadlock,
         "thread " + std::to_string(self()) + " locks the shared mutex " + describe(l) + " for " +
             (shared ? "reading" : "writing") + holders(l) +
             ", that is by itself: it would wait for ever. Unlock it first.",
         site);
  }
  if (!take(word, shared, site)) stuck(shared ? to_read : to_write, l, site);
  return 0;
}

int try_lock(pthread_rwlock_t* l, bool shared, const void* site) {
  const sync_word word = word_of(l, site);
  return !own(l, shared) && take(word, shared, site) ? 0 : EBUSY;
}

int lock_until(pthread_rwlock_t* l, bool shared, clockid_t clock, const timespec* deadline, const void* site) {
  const sync_word word = word_of(l, site);
  if (own(l, shared)) return EDEADLK;
  if (take(word, shared, site)) return 0;
  return pass_deadline(clock, deadline) ? ETIMEDOUT : EINVAL;
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

ACQREL_INTERPOSED int pthread_rwlock_init(pthread_rwlock_t* __restrict l,
                                          const pthread_rwlockattr_t* __restrict attributes) noexcept {
  const call here = ACQREL_CALL;
  if (here.modelled()) {
    const checker_work work;
    make_or_end(l, sizeof *l, here.site());
  }
  return ACQREL_C_LIBRARY(pthread_rwlock_init)(l, attributes);
}

ACQREL_INTERPOSED int pthread_rwlock_destroy(pthread_rwlock_t* l) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_rwlock_destroy)(l);
  const checker_work work;
  if (const std::string who = holders(l); !who.empty())
    fail(trouble_kind::misuse, "the shared mutex " + describe(l) + " is destroyed" + who + ". Unlock it first.",
         here.site());
  make_or_end(l, sizeof *l, here.site());
  return 0;
}

ACQREL_INTERPOSED int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_rwlock_unlock)(l);
  const checker_work work;
  const void* const site = here.site();
  const sync_word word = word_of(l, site);
  const holding* const mine = held_by_self(l);
  if (mine == nullptr) {
    const std::string who = holders(l);
    fail(trouble_kind::misuse,
         "thread " + std::to_string(self()) + " unlocks the shared mutex " + describe(l) +
             (who.empty() ? ", which nobody has locked" : who) + ". Only a thread that locked it may unlock it.",
         site);
  }
  const unsigned units = mine->shared ? 1 : writer;
  word.subtract(units, order::release, site);
  let_go(l);
  return 0;
}

#define ACQREL_RWLOCK(function, shared, step)                              \
  ACQREL_INTERPOSED_LOOK(int, function, (pthread_rwlock_t * l) noexcept) { \
    const call here = ACQREL_CALL;                                         \
    if (!here.modelled()) return ACQREL_C_LIBRARY(function)(l);            \
    const checker_work work;                                               \
    look(here);                                                            \
    return step(l, shared, here.site());                                   \
  }
ACQREL_RWLOCK(pthread_rwlock_rdlock, true, lock)
ACQREL_RWLOCK(pthread_rwlock_wrlock, false, lock)
ACQREL_RWLOCK(pthread_rwlock_tryrdlock, true, try_lock)
ACQREL_RWLOCK(pthread_rwlock_trywrlock, false, try_lock)

#define ACQREL_RWLOCK_UNTIL(function, shared)                                                  \
  ACQREL_INTERPOSED_LOOK(int, function, (pthread_rwlock_t * l, const timespec* at) noexcept) { \
    const call here = ACQREL_CALL;                                                             \
    if (!here.modelled()) return ACQREL_C_LIBRARY(function)(l, at);                            \
    const checker_work work;                                                                   \
    look(here);                                                                                \
    return lock_until(l, shared, CLOCK_REALTIME, at, here.site());                             \
  }
ACQREL_RWLOCK_UNTIL(pthread_rwlock_timedrdlock, true)
ACQREL_RWLOCK_UNTIL(pthread_rwlock_timedwrlock, false)

#define ACQREL_RWLOCK_UNTIL_CLOCK(function, shared)                                                             \
  ACQREL_INTERPOSED_LOOK(int, function, (pthread_rwlock_t * l, clockid_t clock, const timespec* at) noexcept) { \
    const call here = ACQREL_CALL;                                                                              \
    if (!here.modelled()) return ACQREL_C_LIBRARY(function)(l, clock, at);                                      \
    const checker_work work;                                                                                    \
    look(here);                                                                                                 \
    return lock_until(l, shared, clock, at, here.site());                                                       \
  }
ACQREL_RWLOCK_UNTIL_CLOCK(pthread_rwlock_clockrdlock, true)
ACQREL_RWLOCK_UNTIL_CLOCK(pthread_rwlock_clockwrlock, false)
