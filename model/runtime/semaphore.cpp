// POSIX semaphores.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <semaphore.h>

#include <cerrno>
#include <climits>

#include "interpose.hpp"
#include "memory.hpp"
#include "time.hpp"
#include "words.hpp"

namespace acqrel::model {
namespace {

// The word of a semaphore is what is missing from the largest value: taking a unit adds one below a limit.
constexpr unsigned largest = SEM_VALUE_MAX;

std::string to_take_a_unit(const void* s) { return "for a unit of the semaphore " + describe(s); }

int failed(int error) {
  errno = error;
  return -1;
}

bool take_unit(sem_t* s, const void* site) {
  return word_of(s, site).add_below(largest, 1, order::acquire, site) < largest;
}

int take_unit_until(sem_t* s, clockid_t clock, const timespec* deadline, const void* site) {
  if (take_unit(s, site)) return 0;
  return failed(pass_deadline(clock, deadline) ? ETIMEDOUT : EINVAL);
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

// ---- semaphores

ACQREL_INTERPOSED int sem_init(sem_t* s, int shared, unsigned units) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled() || units > largest) return ACQREL_C_LIBRARY(sem_init)(s, shared, units);
  const checker_work work;
  make_or_end(s, sizeof *s, here.site());
  word_of(s, here.site()).store(largest - units, order::release, here.site());
  return 0;
}

ACQREL_INTERPOSED int sem_destroy(sem_t* s) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_destroy)(s);
  const checker_work work;
  make_or_end(s, sizeof *s, here.site());
  return 0;
}

ACQREL_INTERPOSED_LOOK(int, sem_wait, (sem_t * s)) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_wait)(s);
  const checker_work work;
  look(here);
  if (!take_unit(s, here.site())) stuck(to_take_a_unit, s, here.site());
  return 0;
}

ACQREL_INTERPOSED_LOOK(int, sem_trywait, (sem_t * s) noexcept) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_trywait)(s);
  const checker_work work;
  look(here);
  return take_unit(s, here.site()) ? 0 : failed(EAGAIN);
}

ACQREL_INTERPOSED_LOOK(int, sem_timedwait, (sem_t* __restrict s, const timespec* __restrict deadline)) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_timedwait)(s, deadline);
  const checker_work work;
  look(here);
  return take_unit_until(s, CLOCK_REALTIME, deadline, here.site());
}

ACQREL_INTERPOSED_LOOK(int, sem_clockwait,
                       (sem_t* __restrict s, clockid_t clock, const timespec* __restrict deadline)) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_clockwait)(s, clock, deadline);
  const checker_work work;
  look(here);
  return take_unit_until(s, clock, deadline, here.site());
}

ACQREL_INTERPOSED int sem_post(sem_t* s) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_post)(s);
  const checker_work work;
  const sync_word word = word_of(s, here.site());
  if (word.subtract(1, order::release, here.site()) != 0) return 0;
  word.add(1, order::relaxed, here.site());
  return failed(EOVERFLOW);
}

ACQREL_INTERPOSED int sem_getvalue(sem_t* __restrict s, int* __restrict to) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sem_getvalue)(s, to);
  const checker_work work;
  *to = static_cast<int>(largest - static_cast<unsigned>(word_of(s, here.site()).load(order::relaxed, here.site())));
  return 0;
}
