// Virtual time. It stands still but for sleeps and for waits that run into their time limit. Each thread has its own, and
// knows of the others' what happens before: so the time is the same whenever the same execution runs again, in whatever
// order its threads take turns, and never runs backwards along happens-before.
// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <vector>

#include "interpose.hpp"
#include "time.hpp"
#include "memory.hpp"

namespace acqrel::model {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
// An hour after the machine was started, on a first of January.
constexpr std::uint64_t monotonic_start = 3'600 * second;
constexpr std::uint64_t calendar_start = 1'735'689'600 * second;

/// After so many events of its own a thread had this time.
struct moment {
  unsigned position;
  std::uint64_t time;
};
std::vector<moment> moments[max_threads];

bool is_time(const timespec* t) { return t->tv_nsec >= 0 && t->tv_nsec < static_cast<long>(second); }

std::uint64_t nanoseconds(const timespec& t) {
  constexpr std::uint64_t most = UINT64_MAX / second - 1;
  if (t.tv_sec < 0) return 0;
  const auto seconds = static_cast<std::uint64_t>(t.tv_sec);
  return seconds >= most ? most * second : seconds * second + static_cast<std::uint64_t>(t.tv_nsec);
}

timespec as_timespec(std::uint64_t time) {
  return {static_cast<std::time_t>(time / second), static_cast<long>(time % second)};
}

/// What `clock` shows when virtual time is 0.
std::uint64_t start_of(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI: return calendar_start;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID: return 0;
    default: return monotonic_start;
  }
}

std::uint64_t shown_by(clockid_t clock) { return start_of(clock) + virtual_time(); }

void pass(std::uint64_t time) {
  give_way();
  const std::uint64_t now = virtual_time();
  if (time != 0) virtual_time(time < UINT64_MAX / 2 - now ? time : UINT64_MAX / 2 - now);
}

}  // namespace

void begin_time() {
  for (auto& each : moments) each.clear();
}

std::uint64_t virtual_time(std::uint64_t by) {
  const thread_id me = self();
  const clock& known = tree().now(me);
  std::uint64_t now = moments[me].empty() ? 0 : moments[me].back().time;
  for (unsigned t = 0; t < max_threads; ++t) {
    if (t == me) continue;
    for (const moment& m : moments[t]) {
      if (m.position < known[t] && m.time > now) now = m.time;
    }
  }
  if (by != 0) {
    now += by;
    moments[me].push_back({tree().position(me), now});
  }
  return now;
}

bool pass_deadline(clockid_t clock, const timespec* deadline) {
  if (!is_time(deadline)) return false;
  const std::uint64_t end = nanoseconds(*deadline), now = shown_by(clock);
  if (end > now) pass(end - now);
  return true;
}

bool pass_interval(const timespec* interval) {
  if (!is_time(interval)) return false;
  pass(nanoseconds(*interval));
  return true;
}

}  // namespace acqrel::model

using namespace acqrel::model;

// ---- looking at a clock

ACQREL_INTERPOSED int clock_gettime(clockid_t clock, timespec* to) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(clock_gettime)(clock, to);
  const checker_work work;
  *to = as_timespec(shown_by(clock));
  return 0;
}

ACQREL_INTERPOSED int gettimeofday(timeval* __restrict to, void* __restrict zone) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(gettimeofday)(to, zone);
  const checker_work work;
  const std::uint64_t now = shown_by(CLOCK_REALTIME);
  *to = {static_cast<std::time_t>(now / second), static_cast<suseconds_t>(now % second / 1'000)};
  return 0;
}

ACQREL_INTERPOSED time_t time(time_t* to) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(time)(to);
  const checker_work work;
  const auto now = static_cast<time_t>(shown_by(CLOCK_REALTIME) / second);
  if (to != nullptr) {
    plain_write(to, sizeof *to, here.site());
    *to = now;
  }
  return now;
}

ACQREL_INTERPOSED int timespec_get(timespec* to, int base) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(timespec_get)(to, base);
  const checker_work work;
  if (base != TIME_UTC) return 0;
  *to = as_timespec(shown_by(CLOCK_REALTIME));
  return base;
}

ACQREL_INTERPOSED clock_t clock() noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(clock)();
  const checker_work work;
  return static_cast<clock_t>(virtual_time() / (second / CLOCKS_PER_SEC));
}

// ---- letting time pass

ACQREL_INTERPOSED int nanosleep(const timespec* interval, timespec* left) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(nanosleep)(interval, left);
  const checker_work work;
  if (pass_interval(interval)) return 0;
  errno = EINVAL;
  return -1;
}

ACQREL_INTERPOSED int clock_nanosleep(clockid_t clock, int flags, const timespec* until, timespec* left) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(clock_nanosleep)(clock, flags, until, left);
  const checker_work work;
  return ((flags & TIMER_ABSTIME) != 0 ? pass_deadline(clock, until) : pass_interval(until)) ? 0 : EINVAL;
}

ACQREL_INTERPOSED int usleep(useconds_t time) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(usleep)(time);
  const checker_work work;
  pass(std::uint64_t{time} * 1'000);
  return 0;
}

ACQREL_INTERPOSED unsigned sleep(unsigned time) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sleep)(time);
  const checker_work work;
  pass(time * second);
  return 0;
}

ACQREL_INTERPOSED int sched_yield() noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(sched_yield)();
  give_way();
  return 0;
}

// One cpu, whoever asks: on it nobody spins before sleeping, and what another look at the same words can show is what a
// first look can. With several, executions would be told apart by how often somebody looked.
ACQREL_INTERPOSED int sched_getaffinity(pid_t, std::size_t size, cpu_set_t* set) noexcept {
  CPU_ZERO_S(size, set);
  CPU_SET_S(0, size, set);
  return 0;
}
