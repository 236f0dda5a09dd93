// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fiber.hpp"
#include "thread_storage.hpp"

namespace acqrel::model {
namespace {

constexpr std::array<int, 4> crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL};
std::array<struct sigaction, crashes.size()> actions_before;
stack_t stack_before;
void* stack = nullptr;
void (*reporter)(int, void*) = nullptr;
const void* site = nullptr;

void restore_actions() {
  for (std::size_t i = 0; i < crashes.size(); ++i) sigaction(crashes[i], &actions_before[i], nullptr);
}

void crashed(int signal, siginfo_t* info, void* context) {
  void* thread_pointer = nullptr;
  asm("movq %%fs:0, %0" : "=r"(thread_pointer));
  if (thread_id owner = 0; is_thread_local(thread_pointer, &owner)) {
    // As call sites are written: behind the instruction.
    site = reinterpret_cast<const char*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]) + 1;
    reporter(signal, info->si_addr);
    abort();
  }
  restore_actions();  // not of a model thread: to return is to crash again, where it shows
}

}  // namespace

void catch_crashes(void (*report)(int signal, void* address)) {
  if (reporter == nullptr) {
    // Reports are written on it, so it is as large as a thread's; the lowest page is for what overflows even so.
    constexpr std::size_t size = 1u << 20, guard = 4096;
    if (stack == nullptr) {
      stack = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (stack == MAP_FAILED || mprotect(stack, guard, PROT_NONE) != 0)
        cannot_run("no memory for a stack to report crashes on", "free some");
    }
    const stack_t own{.ss_sp = stack, .ss_flags = 0, .ss_size = size};
    sigaltstack(&own, &stack_before);
    struct sigaction action {};
    action.sa_sigaction = crashed;
    // The report never returns from the handler, so the signal must not stay blocked.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (std::size_t i = 0; i < crashes.size(); ++i) sigaction(crashes[i], &action, &actions_before[i]);
  }
  reporter = report;
}

const void* crash_site() { return site; }

void release_crashes() {
  if (reporter == nullptr) return;
  restore_actions();
  sigaltstack(&stack_before, nullptr);
  reporter = nullptr;
}

}  // namespace acqrel::model
