// Threads: made, joined, detached, ended. std::thread comes here through the C++ runtime library.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>
#include <unwind.h>

#include <cerrno>
#include <string>

#include "interpose.hpp"
#include "memory.hpp"
#include "threads.hpp"

namespace acqrel::model {
namespace {

enum class fate : std::uint8_t { unknown, joinable, joined, detached };
fate fates[max_threads];

// A pthread_t of a model thread is its number plus one: 0 is no thread.
pthread_t handle_of(thread_id t) { return pthread_t{t} + 1; }

thread_id thread_of(pthread_t handle, const char* action, const void* site) {
  if (handle == 0 || handle > max_threads || fates[handle - 1] == fate::unknown) {
    fail(trouble_kind::misuse, "thread " + std::to_string(self()) + " " + action + " what is no thread of this test.",
         site);
  }
  const auto t = static_cast<thread_id>(handle - 1);
  if (fates[t] != fate::joinable) {
    fail(trouble_kind::misuse,
         "thread " + std::to_string(self()) + " " + action + " thread " + std::to_string(t) + ", which is " +
             (t == 0                     ? "the test itself"
              : fates[t] == fate::joined ? "joined already"
                                         : "detached") +
             ". A thread is joined once or detached once.",
         site);
  }
  return t;
}

// ---- pthread_exit: as glibc does it, the frames of the thread are unwound, so that their objects are destroyed.
_Unwind_Exception leaving[max_threads];
void* results[max_threads];

_Unwind_Reason_Code unwind_step(int, _Unwind_Action actions, _Unwind_Exception_Class, _Unwind_Exception*,
                                _Unwind_Context*, void*) {
  if ((actions & _UA_END_OF_STACK) == 0) return _URC_NO_REASON;
  native = true;
  exit_thread(results[self()]);
}

void swallowed(_Unwind_Reason_Code, _Unwind_Exception*) {
  const checker_work work;
  fail(trouble_kind::misuse, "catch (...) swallowed pthread_exit: let it pass with `throw;`");
}

}  // namespace

void begin_threads() {
  for (fate& f : fates) f = fate::unknown;
  fates[0] = fate::detached;
}

}  // namespace acqrel::model

using namespace acqrel::model;

ACQREL_INTERPOSED int pthread_create(pthread_t* __restrict to, const pthread_attr_t* __restrict attributes,
                                     void* (*body)(void*), void* __restrict argument) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_create)(to, attributes, body, argument);
  const checker_work work;
  int state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) pthread_attr_getdetachstate(attributes, &state);
  plain_write(to, sizeof *to, here.site());
  const thread_id child = create_thread(body, argument, here.site());
  fates[child] = state == PTHREAD_CREATE_DETACHED ? fate::detached : fate::joinable;
  *to = handle_of(child);
  return 0;
}

ACQREL_INTERPOSED int pthread_join(pthread_t handle, void** result) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_join)(handle, result);
  const checker_work work;
  const void* const site = here.site();
  const thread_id t = thread_of(handle, "joins", site);
  if (t == self()) return EDEADLK;
  fates[t] = fate::joined;
  void* const returned = join_thread(t, site);
  if (result != nullptr) {
    plain_write(result, sizeof *result, site);
    *result = returned;
  }
  return 0;
}

ACQREL_INTERPOSED int pthread_detach(pthread_t handle) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_detach)(handle);
  const checker_work work;
  fates[thread_of(handle, "detaches", here.site())] = fate::detached;
  return 0;
}

ACQREL_INTERPOSED void pthread_exit(void* result) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) {
    ACQREL_C_LIBRARY(pthread_exit)(result);
    __builtin_unreachable();
  }
  const thread_id me = self();
  results[me] = result;
  leaving[me] = {};
  leaving[me].exception_cleanup = swallowed;
  _Unwind_ForcedUnwind(&leaving[me], unwind_step, nullptr);
  native = true;  // It met something that it can not unwind: the thread ends all the same.
  exit_thread(result);
}

ACQREL_INTERPOSED pthread_t pthread_self() noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? handle_of(self()) : ACQREL_C_LIBRARY(pthread_self)();
}

ACQREL_INTERPOSED pid_t gettid() noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? kernel_id_of(self()) : ACQREL_C_LIBRARY(gettid)();
}

ACQREL_INTERPOSED int sched_getcpu() noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? self() : ACQREL_C_LIBRARY(sched_getcpu)();
}

// ---- what has no effect on a model thread

ACQREL_INTERPOSED int pthread_setname_np(pthread_t handle, const char* name) noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? 0 : ACQREL_C_LIBRARY(pthread_setname_np)(handle, name);
}

ACQREL_INTERPOSED int pthread_setcancelstate(int state, int* before) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_setcancelstate)(state, before);
  if (before != nullptr) *before = PTHREAD_CANCEL_ENABLE;
  return 0;
}

ACQREL_INTERPOSED int pthread_setcanceltype(int type, int* before) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_setcanceltype)(type, before);
  if (before != nullptr) *before = PTHREAD_CANCEL_DEFERRED;
  return 0;
}

ACQREL_INTERPOSED void pthread_testcancel() {
  const call here = ACQREL_CALL;
  if (!here.modelled()) ACQREL_C_LIBRARY(pthread_testcancel)();
}

extern "C" int __register_atfork(void (*)(), void (*)(), void (*)(), void*) noexcept;

// pthread_atfork itself stands in every program; it comes here. A test can not fork, so there is nothing to register.
ACQREL_INTERPOSED int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* module) noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? 0 : ACQREL_C_LIBRARY(__register_atfork)(prepare, parent, child, module);
}
