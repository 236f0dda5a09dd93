// Defining a function of the C library anew: modelled for a call by checked code within a run, the C library's own for any
// other.
//
//   ACQREL_INTERPOSED int sched_yield() noexcept {
//     const call here = ACQREL_CALL;
//     if (!here.modelled()) return ACQREL_C_LIBRARY(sched_yield)();
//     const checker_work work;
//     ...
//   }
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "caller.hpp"
#include "entry.hpp"
#include "run.hpp"
#include "scheduler.hpp"

namespace acqrel::model {

/// Who calls an interposed function.
struct call {
  const void* address;
  const void* frame;
  bool modelled() const { return !native && from_checked_code(address); }
  /// In checked code, for reports.
  const void* site() const { return caller_in_program(address, frame); }
};

/// While the checker calls back into checked code.
class program_work {
 public:
  program_work() : before_(native) { native = false; }
  ~program_work() { native = before_; }
  program_work(const program_work&) = delete;
  program_work& operator=(const program_work&) = delete;

 private:
  bool before_;
};

/// The next definition of `function` after this library's; ends the process if there is none.
void* c_library_function(const char* function);

template <class Function>
Function* found_in_c_library(Function*& known, const char* name) {
  // Two threads may look it up at once, outside of a run, and find the same.
  Function* f = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (f == nullptr) {
    f = reinterpret_cast<Function*>(c_library_function(name));
    __atomic_store_n(&known, f, __ATOMIC_RELAXED);
  }
  return f;
}

/// Where a function defined by ACQREL_INTERPOSED_LOOK is about to read what the graph says: the running thread waits for
/// its turn, and a loop that only waits is recognised.
inline void look(const call& here) { wait_turn_to_read(acqrel_model_registers, false, here.site()); }

}  // namespace acqrel::model

#define ACQREL_INTERPOSED extern "C" __attribute__((visibility("default")))
// The same for what a program may call in a loop until it finds what it waits for; see look().
#define ACQREL_INTERPOSED_LOOK(result, name, parameters)                            \
  extern "C" __attribute__((visibility("hidden"))) result acqrel_##name parameters; \
  ACQREL_ENTRY(name, acqrel_##name, acqrel_##name)                                  \
  extern "C" result acqrel_##name parameters
#define ACQREL_CALL (acqrel::model::call{__builtin_return_address(0), __builtin_frame_address(0)})
#define ACQREL_C_LIBRARY(function) ACQREL_NEXT(::function, #function)
#define ACQREL_NEXT(function, name)                        \
  ([]() noexcept {                                         \
    static decltype(&function) known = nullptr;            \
    return acqrel::model::found_in_c_library(known, name); \
  }())
