// Model threads on one kernel thread: stacks at fixed addresses, a register switch, and thread-local storage borrowed from
// real threads that sleep for ever, so that each model thread has its own errno, exception state and thread_local objects.
// Also what must be put back before every run: the writable segments of the executable.
//
// The test's own body, model thread 0, is a fiber like the others: its thread_local objects begin anew in every run, and
// the kernel thread's, which the checker and GoogleTest use between runs, are left alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "../core/event.hpp"

namespace acqrel::model {

/// A stack, the registers a call must preserve, and the thread pointer. Costs nothing to give up: one that was left in
/// the middle is begun again.
class fiber {
 public:
  /// Makes this the fiber of model thread `t`, about to call body(argument) on its stack; its thread-local storage is as
  /// in a new thread. `body` must not return. An exception that leaves it finds the end of the stack: std::terminate.
  void begin(thread_id t, void (*body)(void*), void* argument);

  /// Leaves the caller to run this fiber; returns when something resumes `from`. The scheduler has a fiber of its own,
  /// never begun: the kernel thread's stack and thread pointer.
  static void go(fiber& from, fiber& to);

  /// [low, high) of the stack; high is where it starts. Null for the scheduler's.
  const char* stack_low() const { return low_; }
  const char* stack_high() const { return high_; }
  /// Below this nothing is alive while the fiber does not run.
  const char* stack_pointer() const { return static_cast<const char*>(sp_); }

 private:
  void* sp_ = nullptr;
  std::uint64_t thread_pointer_ = 0;
  const char* low_ = nullptr;
  const char* high_ = nullptr;
};

/// How go() changes the thread pointer: by wrfsbase, or where the machine forbids that, by a system call (20 times
/// slower). prepare_fibers() chooses; this is for its test.
enum class thread_pointer_switch : std::uint8_t { instruction, system_call };
void switch_thread_pointer_by(thread_pointer_switch);

/// Called once before the first check: the sleeping threads, the stacks, find_modules(). Says what is missing on this
/// machine and ends the process if it can not.
void prepare_fibers();

/// The writable segments of checked code as they are now, and the blocks of the heap that they lead to;
/// restore_globals() puts them back so. What stands read-only after relocation is left out. Not before prepare_fibers():
/// making threads changes __libc_single_threaded.
void remember_globals();
void restore_globals();
/// Whether `p` lies in those segments.
bool is_global(const void* p);
/// Whether `p` lies in thread-local storage of model thread `*owner`; sets it to max_threads if not.
bool is_thread_local(const void* p, thread_id* owner);
/// Whether `p` lies on the stack of model thread `*owner`, alive or not; sets it to max_threads if not.
bool is_on_stack(const void* p, thread_id* owner);

/// Turns SIGSEGV, SIGBUS, SIGFPE and SIGILL on a fiber into a call of report(signal, address) on the checker's own stack,
/// with the thread pointer of the fiber that ran; it must not return, but may go() away. Overflow of a fiber's stack is a
/// SIGSEGV right below stack_low(). A crash elsewhere, of the checker between runs, ends the process as ever.
void catch_crashes(void (*report)(int signal, void* address));
/// Where the code was that crashed last, as sites.hpp takes it.
const void* crash_site();
/// What was there before catch_crashes().
void release_crashes();

}  // namespace acqrel::model
