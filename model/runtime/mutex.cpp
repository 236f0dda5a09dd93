// Mutexes and spin locks: a word that is 0 when free. Locking is a compare-exchange that can not go on where it reads 1,
// unlocking a store that releases.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <cerrno>

#include "interpose.hpp"
#include "memory.hpp"
#include "mutex.hpp"
#include "time.hpp"
#include "words.hpp"

namespace acqrel::model {
namespace {

// Of what pthread_mutex_t::__data.__kind holds: the type of the mutex, and what else it may be.
constexpr int type_bits = 3, robust_bit = 16;

int type_of(const pthread_mutex_t* m, const void* site) {
  const int kind = m->__data.__kind;
  if ((kind & robust_bit) != 0) not_modelled("a robust mutex (PTHREAD_MUTEX_ROBUST)", site);
  return kind & type_bits;
}

std::string to_lock_mutex(const void* m) { return "to lock the mutex " + describe(m) + holders(m); }
std::string to_take_spin_lock(const void* lock) { return "to take the spin lock " + describe(lock) + holders(lock); }

/// Whether it is ours now; otherwise somebody else has it.
bool take(const sync_word& lock, const void* site) {
  if (lock.replace(0, 1, order::acquire, site) != 0) return false;
  hold(lock.object, false, site);
  return true;
}

void give(const sync_word& lock, const void* site) {
  lock.store(0, order::release, site);
  let_go(lock.object);
}

[[noreturn]] void locked_twice(const char* what, const void* lock, const void* site) {
  fail(trouble_kind::deadlock,
       "thread " + std::to_string(self()) + " locks the " + what + " " + describe(lock) + holders(lock) +
           ", that is by itself: it would wait for ever. Lock it once, or use a recursive mutex.",
       site);
}

[[noreturn]] void unlocked_by_stranger(const char* what, const void* lock, const void* site) {
  const std::string who = holders(lock);
  fail(trouble_kind::misuse,
       "thread " + std::to_string(self()) + " unlocks the " + what + " " + describe(lock) +
           (who.empty() ? ", which nobody has locked" : who) + ". Only the thread that locked it may unlock it.",
       site);
}

/// What there is to say of a lock by the thread that has it already: 0 if it has not.
enum class again : std::uint8_t { no, counted, refused };
again lock_again(pthread_mutex_t* m, const void* site) {
  const int type = type_of(m, site);
  holding* const mine = held_by_self(m);
  if (mine == nullptr) return again::no;
  if (type != PTHREAD_MUTEX_RECURSIVE) return again::refused;
  ++mine->count;
  return again::counted;
}

}  // namespace

int lock_mutex(pthread_mutex_t* m, const void* site) {
  const sync_word word = word_of(m, site);
  switch (lock_again(m, site)) {
    case again::counted: return 0;
    case again::refused:
      if (type_of(m, site) == PTHREAD_MUTEX_ERRORCHECK) return EDEADLK;
      locked_twice("mutex", m, site);
    case again::no: break;
  }
  if (!take(word, site)) stuck(to_lock_mutex, m, site);
  return 0;
}

int unlock_mutex(pthread_mutex_t* m, const void* site) {
  const sync_word word = word_of(m, site);
  const int type = type_of(m, site);
  holding* const mine = held_by_self(m);
  if (mine == nullptr) {
    if (type == PTHREAD_MUTEX_ERRORCHECK || type == PTHREAD_MUTEX_RECURSIVE) return EPERM;
    unlocked_by_stranger("mutex", m, site);
  }
  if (mine->count > 1) {
    let_go(m);
  } else {
    give(word, site);
  }
  return 0;
}

namespace {

int try_lock_mutex(pthread_mutex_t* m, const void* site) {
  const sync_word word = word_of(m, site);
  switch (lock_again(m, site)) {
    case again::counted: return 0;
    case again::refused: return EBUSY;
    case again::no: break;
  }
  return take(word, site) ? 0 : EBUSY;
}

int lock_mutex_until(pthread_mutex_t* m, clockid_t clock, const timespec* deadline, const void* site) {
  const sync_word word = word_of(m, site);
  switch (lock_again(m, site)) {
    case again::counted: return 0;
    case again::refused:
      if (type_of(m, site) == PTHREAD_MUTEX_ERRORCHECK) return EDEADLK;
      break;  // It waits for itself, as long as it wants to wait.
    case again::no:
      if (take(word, site)) return 0;
  }
  return pass_deadline(clock, deadline) ? ETIMEDOUT : EINVAL;
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

// ---- mutexes

ACQREL_INTERPOSED int pthread_mutex_init(pthread_mutex_t* m, const pthread_mutexattr_t* attributes) noexcept {
  const call here = ACQREL_CALL;
  if (here.modelled()) {
    const checker_work work;
    make_or_end(m, sizeof *m, here.site());
  }
  return ACQREL_C_LIBRARY(pthread_mutex_init)(m, attributes);
}

ACQREL_INTERPOSED int pthread_mutex_destroy(pthread_mutex_t* m) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_mutex_destroy)(m);
  const checker_work work;
  if (const std::string who = holders(m); !who.empty())
    fail(trouble_kind::misuse, "the mutex " + describe(m) + " is destroyed" + who + ". Unlock it first.", here.site());
  make_or_end(m, sizeof *m, here.site());
  return 0;
}

ACQREL_INTERPOSED_LOOK(int, pthread_mutex_lock, (pthread_mutex_t * m) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_mutex_lock)(m);
  const checker_work work;
  look(here);
  return lock_mutex(m, here.site());
}

ACQREL_INTERPOSED_LOOK(int, pthread_mutex_trylock, (pthread_mutex_t * m) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_mutex_trylock)(m);
  const checker_work work;
  look(here);
  return try_lock_mutex(m, here.site());
}

ACQREL_INTERPOSED_LOOK(int, pthread_mutex_timedlock, (pthread_mutex_t * m, const timespec* deadline) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_mutex_timedlock)(m, deadline);
  const checker_work work;
  look(here);
  return lock_mutex_until(m, CLOCK_REALTIME, deadline, here.site());
}

ACQREL_INTERPOSED_LOOK(int, pthread_mutex_clocklock,
                       (pthread_mutex_t * m, clockid_t clock, const timespec* deadline) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_mutex_clocklock)(m, clock, deadline);
  const checker_work work;
  look(here);
  return lock_mutex_until(m, clock, deadline, here.site());
}

ACQREL_INTERPOSED int pthread_mutex_unlock(pthread_mutex_t* m) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_mutex_unlock)(m);
  const checker_work work;
  return unlock_mutex(m, here.site());
}

// ---- spin locks

namespace {
sync_word word_of_spin_lock(pthread_spinlock_t* lock, const void* site) {
  return word_of(const_cast<const int*>(lock), site);
}
}  // namespace

ACQREL_INTERPOSED int pthread_spin_init(pthread_spinlock_t* lock, int shared) noexcept {
  const call here = ACQREL_CALL;
  if (here.modelled()) {
    const checker_work work;
    make_or_end(const_cast<int*>(lock), sizeof *lock, here.site());
  }
  return ACQREL_C_LIBRARY(pthread_spin_init)(lock, shared);
}

ACQREL_INTERPOSED int pthread_spin_destroy(pthread_spinlock_t* lock) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_spin_destroy)(lock);
  const checker_work work;
  make_or_end(const_cast<int*>(lock), sizeof *lock, here.site());
  return 0;
}

ACQREL_INTERPOSED_LOOK(int, pthread_spin_lock, (pthread_spinlock_t * lock) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_spin_lock)(lock);
  const checker_work work;
  look(here);
  const sync_word word = word_of_spin_lock(lock, here.site());
  if (held_by_self(word.object) != nullptr) locked_twice("spin lock", word.object, here.site());
  if (!take(word, here.site())) stuck(to_take_spin_lock, word.object, here.site());
  return 0;
}

ACQREL_INTERPOSED_LOOK(int, pthread_spin_trylock, (pthread_spinlock_t * lock) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_spin_trylock)(lock);
  const checker_work work;
  look(here);
  const sync_word word = word_of_spin_lock(lock, here.site());
  return held_by_self(word.object) == nullptr && take(word, here.site()) ? 0 : EBUSY;
}

ACQREL_INTERPOSED int pthread_spin_unlock(pthread_spinlock_t* lock) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_spin_unlock)(lock);
  const checker_work work;
  const sync_word word = word_of_spin_lock(lock, here.site());
  if (held_by_self(word.object) == nullptr) unlocked_by_stranger("spin lock", word.object, here.site());
  give(word, here.site());
  return 0;
}
