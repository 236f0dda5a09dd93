// What is done once: pthread_once, which std::call_once is made of, and variables of static storage within a function. A
// thread looks whether it is done; if it saw that it is not, it takes a lock and looks again.
// SPDX-License-Identifier: Apache-2.0
#include <cxxabi.h>
#include <pthread.h>

#include <cstdint>

#include "fiber.hpp"
#include "interpose.hpp"
#include "memory.hpp"
#include "modules.hpp"
#include "words.hpp"

namespace acqrel::model {
namespace {

constexpr unsigned done_word = 1;

std::string to_end_once(const void* once) {
  return "for the initialisation " + describe(once) + " to end" + holders(once);
}
std::string to_end_static(const void* guard) {
  return "for the initialisation of a function static, " + describe(guard) + ", to end" + holders(guard);
}

void enter(const sync_word& lock, std::string (*waits_for)(const void*), const void* site) {
  if (held_by_self(lock.object) != nullptr) {
    fail(trouble_kind::deadlock,
         "thread " + std::to_string(self()) + " comes again to the initialisation that it is in, " +
             describe(lock.object) + holders(lock.object) +
             ": it would wait for itself. An initialiser must not need what it initialises.",
         site);
  }
  if (lock.replace(0, 1, order::acquire, site) != 0) stuck(waits_for, lock.object, site);
  hold(lock.object, false, site);
}

void leave(const sync_word& lock, const void* site) {
  lock.store(0, order::release, site);
  let_go(lock.object);
}

/// A library's own, such as the locales of libstdc++: it outlives the run, and is none of the test's objects.
bool of_a_library(const void* control) {
  for (const module& m : modules()) {
    if (m.part == module::role::checked) continue;
    for (const range& r : m.writable)
      if (r.contains(control)) return true;
  }
  return false;
}

/// Once the routine has ended; by an exception: for the next one to try.
struct once_turn {
  sync_word lock, done;
  const void* site;
  bool finished = false;

  ~once_turn() {
    const checker_work work;
    if (finished) done.store(1, order::release, site);
    leave(lock, site);
  }
};

void once(pthread_once_t* control, void (*routine)(), const void* site) {
  sync_word lock{}, done{};
  {
    const checker_work work;
    lock = word_of(control, site);
    done = {control, lock.number + done_word};
    if (done.load(order::acquire, site) != 0) return;
    enter(lock, to_end_once, site);
    if (done.load(order::acquire, site) != 0) return leave(lock, site);
  }
  once_turn mine{lock, done, site};
  routine();
  mine.finished = true;
}

// The first byte of a guard says whether its variable is there; compiled code looks at it by itself first.
using guard = __cxxabiv1::__guard;
std::uint8_t* done_byte(guard* g) { return reinterpret_cast<std::uint8_t*>(g); }
/// Guards of the C++ runtime library's own variables, which outlive the run, are its own affair.
bool of_the_program(const guard* g) { return is_global(g); }

bool acquire(guard* g, const void* site) {
  const sync_word lock{g, guard_word};
  if (load(done_byte(g), 1, order::acquire, site) != 0) return false;
  enter(lock, to_end_static, site);
  if (load(done_byte(g), 1, order::relaxed, site) == 0) return true;
  leave(lock, site);
  return false;
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

ACQREL_INTERPOSED int pthread_once(pthread_once_t* control, void (*routine)()) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_once)(control, routine);
  if (of_a_library(control)) {
    const checker_work work;  // what it allocates outlives the run, too
    return ACQREL_C_LIBRARY(pthread_once)(control, routine);
  }
  once(control, routine, here.site());
  return 0;
}

namespace __cxxabiv1 {

ACQREL_INTERPOSED int __cxa_guard_acquire(__guard* g) {
  const call here = ACQREL_CALL;
  if (!here.modelled() || !of_the_program(g))
    return ACQREL_NEXT(__cxxabiv1::__cxa_guard_acquire, "__cxa_guard_acquire")(g);
  const checker_work work;
  return acquire(g, here.site()) ? 1 : 0;
}

ACQREL_INTERPOSED void __cxa_guard_release(__guard* g) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled() || !of_the_program(g))
    return ACQREL_NEXT(__cxxabiv1::__cxa_guard_release, "__cxa_guard_release")(g);
  const checker_work work;
  store(done_byte(g), 1, 1, order::release, here.site());
  leave({g, guard_word}, here.site());
}

ACQREL_INTERPOSED void __cxa_guard_abort(__guard* g) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled() || !of_the_program(g)) return ACQREL_NEXT(__cxxabiv1::__cxa_guard_abort, "__cxa_guard_abort")(g);
  const checker_work work;
  leave({g, guard_word}, here.site());
}

}  // namespace __cxxabiv1
