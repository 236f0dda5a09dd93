// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/spin.hpp>

#include <atomic>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace acqrel {
namespace {

enum class cpus : std::uint8_t { unknown, one, several };
constinit std::atomic<cpus> known_cpus{cpus::unknown};

// 0 where the system does not say.
unsigned count_cpus() noexcept {
#if defined(__linux__)
  // Those this process may use: hardware_concurrency() counts those that are there.
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) return static_cast<unsigned>(CPU_COUNT(&usable));
#endif
  return std::thread::hardware_concurrency();
}

}  // namespace

bool spinner::spinning_pays() noexcept {
  // plain: every thread that asks gets the same answer from the system; nothing hangs on who asked first.
  cpus known = known_cpus.load(std::memory_order_relaxed);
  if (known == cpus::unknown) [[unlikely]] {
    // Not known: several is the better guess, for spinning is bounded anyway.
    known = count_cpus() == 1 ? cpus::one : cpus::several;
    // plain: as above.
    known_cpus.store(known, std::memory_order_relaxed);
  }
  return known == cpus::several;
}

namespace {
// Asked before main, so that no two threads are the first to ask; a thread that comes earlier still asks itself.
[[maybe_unused]] const bool asked = spinner::spinning_pays();
}  // namespace

void spinner::yield_cpu() noexcept { std::this_thread::yield(); }

}  // namespace acqrel
