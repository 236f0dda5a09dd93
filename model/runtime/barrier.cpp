// POSIX barriers: a word that counts who has come, and one for each round that is complete.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <cerrno>

#include "interpose.hpp"
#include "memory.hpp"
#include "words.hpp"

namespace acqrel::model {
namespace {

// The object itself holds how many make a round; nothing else of it is used.
unsigned& round_of(pthread_barrier_t* b) { return *reinterpret_cast<unsigned*>(b); }

constexpr unsigned rounds = words_of_object - 1;

std::string for_the_others(const void* b) { return "at the barrier " + describe(b) + " for others to come"; }

int wait(pthread_barrier_t* b, const void* site) {
  const sync_word come = word_of(b, site);
  const auto before = static_cast<unsigned>(come.add(1, order::acq_rel, site));
  const unsigned round = before / round_of(b);
  if (round >= rounds) bound("a barrier was passed " + std::to_string(rounds) + " times");
  const sync_word complete{b, come.number + 1 + round};
  if (before % round_of(b) + 1 == round_of(b)) {
    complete.store(1, order::release, site);
    return PTHREAD_BARRIER_SERIAL_THREAD;
  }
  if (complete.load(order::acquire, site) == 0) stuck(for_the_others, b, site);
  return 0;
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

ACQREL_INTERPOSED int pthread_barrier_init(pthread_barrier_t* __restrict b,
                                           const pthread_barrierattr_t* __restrict attributes,
                                           unsigned round) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled() || round == 0) return ACQREL_C_LIBRARY(pthread_barrier_init)(b, attributes, round);
  const checker_work work;
  make_or_end(b, sizeof *b, here.site());
  round_of(b) = round;
  return 0;
}

ACQREL_INTERPOSED int pthread_barrier_destroy(pthread_barrier_t* b) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_barrier_destroy)(b);
  const checker_work work;
  make_or_end(b, sizeof *b, here.site());
  return 0;
}

ACQREL_INTERPOSED int pthread_barrier_wait(pthread_barrier_t* b) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_barrier_wait)(b);
  const checker_work work;
  return wait(b, here.site());
}
