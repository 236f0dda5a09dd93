// The end of the process, as checked code asks for it: handlers that it would have, and calls that would bring it.
// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include <unistd.h>

#include "interpose.hpp"
#include "run.hpp"

using namespace acqrel::model;

extern "C" int __cxa_atexit(void (*function)(void*), void* object, void* module) noexcept;
extern "C" int __cxa_at_quick_exit(void (*function)(void*), void* module) noexcept;

// A run never comes to the end of the process, and what it made there is gone with it: the destructor of a function's
// static object, which every run constructs anew, must not stay on the list, once for each run.
ACQREL_INTERPOSED int __cxa_atexit(void (*function)(void*), void* object, void* module) noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? 0 : ACQREL_C_LIBRARY(__cxa_atexit)(function, object, module);
}

ACQREL_INTERPOSED int __cxa_at_quick_exit(void (*function)(void*), void* module) noexcept {
  const call here = ACQREL_CALL;
  return here.modelled() ? 0 : ACQREL_C_LIBRARY(__cxa_at_quick_exit)(function, module);
}

// These would end the check as if it had passed.
#define ACQREL_ENDS_THE_PROCESS(function, ...)                                                               \
  ACQREL_INTERPOSED void function(int status) __VA_ARGS__ {                                                  \
    const call here = ACQREL_CALL;                                                                           \
    if (here.modelled()) {                                                                                   \
      const checker_work work;                                                                               \
      fail(trouble_kind::assertion, #function "() was called, and would end the check: let the test return", \
           here.site());                                                                                     \
    }                                                                                                        \
    ACQREL_C_LIBRARY(function)(status);                                                                      \
    __builtin_unreachable();                                                                                 \
  }
ACQREL_ENDS_THE_PROCESS(exit, noexcept)
ACQREL_ENDS_THE_PROCESS(_exit)
ACQREL_ENDS_THE_PROCESS(_Exit, noexcept)
ACQREL_ENDS_THE_PROCESS(quick_exit, noexcept)
