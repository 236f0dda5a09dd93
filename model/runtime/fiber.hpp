// Model threads on one kernel thread: stacks at fixed addresses, a register switch, and thread-local storage borrowed from
// real threads that sleep for ever, so that each model thread has its own errno, exception state and thread_local objects.
// Also what must be put back before every run: the writable segments of the executable.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "../core/event.hpp"

namespace acqrel::model {

/// A stack, the registers a call must preserve, and the thread pointer.
class fiber {
 public:
  /// Makes this the fiber of model thread `t`, about to call body(argument) on its stack; its thread-local storage is as
  /// in a new thread. `body` must not return.
  void begin(thread_id t, void (*body)(void*), void* argument);

  /// Leaves the caller to run this fiber; returns when something resumes `from`. The scheduler has a fiber of its own:
  /// the kernel thread's stack and thread pointer.
  static void go(fiber& from, fiber& to);

  /// [low, high) of the stack; high is where it starts.
  const char* stack_low() const;
  const char* stack_high() const;
  /// Below this nothing is alive while the fiber does not run.
  const char* stack_pointer() const;

 private:
  void* sp_ = nullptr;
  std::uint64_t thread_pointer_ = 0;
  thread_id thread_ = 0;
  bool own_stack_ = false;
};

/// Called once before the first check: the sleeping threads, the stacks. Says what is missing on this machine and ends
/// the process if it can not (not x86-64 Linux).
void prepare_fibers();

/// The executable's writable segments as they are now; restore_globals() puts them back so. What stands read-only after
/// relocation is left out.
void remember_globals();
void restore_globals();
/// Whether `p` lies in those segments or in thread-local storage of model thread `*owner` (set to max_threads if not TLS).
bool is_global(const void* p);
bool is_thread_local(const void* p, thread_id* owner);

/// Turns SIGSEGV, SIGBUS, SIGFPE and SIGILL of checked code into a call of report(signal, address) on the checker's own
/// stack; it must not return.
void catch_crashes(void (*report)(int signal, void* address));
void release_crashes();

}  // namespace acqrel::model
