// SPDX-License-Identifier: Apache-2.0
#include "scan_pace.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>

#if (defined(__x86_64__) || defined(__i386__)) && !defined(__SANITIZE_THREAD__)
#include <x86intrin.h>
#endif

namespace acqrel {
namespace {

std::uint64_t nanoseconds() noexcept {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

// A publish reads this once: a third of what clock_gettime costs. It only spaces scans, so an
// unsteady counter costs time, not correctness.
std::uint64_t ticks() noexcept {
#if defined(__SANITIZE_THREAD__)
  return nanoseconds();  // so that whoever stands in for the sanitizer can own the clock
#elif defined(__x86_64__) || defined(__i386__)
  return __rdtsc();
#elif defined(__aarch64__)
  std::uint64_t t;
  asm volatile("mrs %0, cntvct_el0" : "=r"(t));
  return t;
#else
  return nanoseconds();
#endif
}

constexpr double shortest_interval = 8e3;   // ns: below this a publish is in a storm
constexpr double longest_interval = 0.4e6;  // ns: above this a publish is never made to wait
constexpr double fences_per_interval = 16;  // a calm publisher spends at most 1/16 of its time fencing
constexpr double ns_per_retirement = 2.5;   // what a fence may add to a publish in a storm
constexpr std::uint32_t smallest_batch = 64, largest_batch = 1024;

// All plain: hints that any thread may write; each is right by itself.
struct pace {
  std::atomic<std::uint64_t> last_scan{0};
  std::atomic<std::uint64_t> interval{0};  // ticks; 0: the first publish scans and measures
  std::atomic<std::uint32_t> batch{smallest_batch};
  std::atomic<double> cost{0};  // ns of a heavy fence, smoothed: one preemption must not slow the scans after it
  std::atomic<std::uint64_t> first_ns{0}, first_ticks{0};
};
constinit pace paced;
constinit std::uint32_t fixed_batch = 0;  // 0: paced

}  // namespace

void scan_after(std::uint32_t retirements) noexcept { fixed_batch = retirements; }

std::uint32_t batch_to_scan() noexcept {
  // plain: see pace
  return fixed_batch != 0 ? fixed_batch : paced.batch.load(std::memory_order_relaxed);
}

bool scan_due(std::uint32_t pending) noexcept {
  if (pending >= batch_to_scan()) return true;
  if (fixed_batch != 0) return false;
  // plain: see pace
  const auto since = static_cast<std::int64_t>(ticks() - paced.last_scan.load(std::memory_order_relaxed));
  // plain: see pace
  return since > static_cast<std::int64_t>(paced.interval.load(std::memory_order_relaxed));
}

scan_timer::scan_timer() noexcept : from_ticks_(ticks()), from_ns_(nanoseconds()) {}

void scan_timer::fence_done() const noexcept {
  if (fixed_batch != 0) return;
  const std::uint64_t now_ticks = ticks(), now_ns = nanoseconds();

  // plain: see pace
  std::uint64_t first_ns = paced.first_ns.load(std::memory_order_relaxed);
  // plain: see pace
  const std::uint64_t first_ticks = paced.first_ticks.load(std::memory_order_relaxed);
  if (first_ns == 0) {
    // plain: see pace
    paced.first_ticks.store(from_ticks_, std::memory_order_relaxed);
    // plain: see pace
    paced.first_ns.store(from_ns_, std::memory_order_relaxed);
    first_ns = from_ns_;
  }
  // The counter's rate, from the longest span known; a guess of 3 GHz until there is one.
  const bool known = first_ticks != 0 && now_ns > first_ns && now_ticks > first_ticks;
  const double ticks_per_ns =
      known ? static_cast<double>(now_ticks - first_ticks) / static_cast<double>(now_ns - first_ns) : 3.0;

  const double sample = static_cast<double>(now_ns - from_ns_);
  // plain: see pace
  const double before = paced.cost.load(std::memory_order_relaxed);
  const double cost = before == 0 ? sample : before + (sample - before) / 8;
  const double interval = std::clamp(fences_per_interval * cost, shortest_interval, longest_interval);
  const double batch = std::clamp(cost / ns_per_retirement, double{smallest_batch}, double{largest_batch});
  // plain: see pace
  paced.cost.store(cost, std::memory_order_relaxed);
  // plain: see pace
  paced.interval.store(static_cast<std::uint64_t>(interval * ticks_per_ns), std::memory_order_relaxed);
  // plain: see pace
  paced.batch.store(static_cast<std::uint32_t>(batch), std::memory_order_relaxed);
  // plain: see pace
  paced.last_scan.store(now_ticks, std::memory_order_relaxed);
}

}  // namespace acqrel
