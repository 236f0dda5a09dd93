// SPDX-License-Identifier: Apache-2.0
#include "watch.hpp"

#include <signal.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "run.hpp"

namespace acqrel::model {

bool silence_is_due = false;

namespace {

struct {
  const std::uint64_t* operations = nullptr;
  std::uint64_t seen = 0;
  unsigned silent_for = 0;
  void (*silent)(const void*) = nullptr;
} watched;

struct sigaction action_before;

void tick(int, siginfo_t*, void* context) {
  if (watched.seen != *watched.operations) {
    watched.seen = *watched.operations;
    watched.silent_for = 0;
    silence_is_due = false;
    return;
  }
  if (++watched.silent_for < 2) return;
  silence_is_due = native;
  if (!native)
    watched.silent(reinterpret_cast<const char*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]) + 1);
}

}  // namespace

void look_for_silence(const void* site) {
  silence_is_due = false;
  if (watched.seen == *watched.operations) watched.silent(site);
}

watch::watch(const std::uint64_t* operations, void (*silent)(const void* site)) {
  silence_is_due = false;
  watched = {operations, *operations, 0, silent};
  struct sigaction action {};
  action.sa_sigaction = tick;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
  sigaction(SIGPROF, &action, &action_before);
  sigevent to_this_thread{};
  to_this_thread.sigev_notify = SIGEV_THREAD_ID;
  to_this_thread.sigev_signo = SIGPROF;
  to_this_thread._sigev_un._tid = gettid();
  // Without a timer a silent thread is silent for ever; nothing else depends on it.
  armed_ = timer_create(CLOCK_THREAD_CPUTIME_ID, &to_this_thread, &timer_) == 0;
  if (!armed_) return;
  const itimerspec every_second{{1, 0}, {1, 0}};
  timer_settime(timer_, 0, &every_second, nullptr);
}

watch::~watch() {
  if (armed_) timer_delete(timer_);
  sigaction(SIGPROF, &action_before, nullptr);
}

}  // namespace acqrel::model
