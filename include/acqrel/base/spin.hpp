// acqrel/base/spin.hpp - a bounded, exponential wait that says when to park instead.
//
//   acqrel::spinner spinner;
//   while (!ready()) {
//     if (!spinner.spin()) acqrel::park(word, not_ready);   // no more spinning: sleep
//   }
//
// Publishes  nothing.
// Edges      none: the condition's own load gives the ordering.
// Progress   spin() is wait-free; at most `spinner::rounds` calls return true.
// Memory     4 bytes, on the waiter's stack.
// Threads    one spinner belongs to one thread.
// Errors     none.
// Cost       127 pause instructions and 3 yields in all, then a compare a call.
// Model      none: it touches no shared data.
// Not for    waits known to be long (park at once) or signal handlers (it may yield).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace acqrel {

/// Tells the core that this is a spin loop, so that it saves power and leaves the loop without a pipeline flush.
inline void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  // `yield` is a no-op on cores without SMT; `isb` waits about as long as x86's pause.
  asm volatile("isb" ::: "memory");
#elif defined(__powerpc64__)
  asm volatile("or 27,27,27" ::: "memory");
#elif defined(__riscv)
  asm volatile(".insn i 0x0F, 0, x0, x0, 0x010" ::: "memory");
#endif
}

/// Counts how long one wait has spun.
class spinner {
 public:
  /// Rounds of 1, 2, 4 ... 64 pauses. All 127 take 0.4 us (pause of 10 cycles) to 6 us (140 cycles, Skylake and later):
  /// about what a park and an unpark cost, so a wait never costs more than twice the better choice.
  static constexpr std::uint32_t pause_rounds = 7;
  /// Then yields: with more runnable threads than cpus the one waited for may need exactly this cpu. Three, because a
  /// yield that found nobody else to run costs under a microsecond, and one that did find somebody has helped already.
  /// Without them a rendezvous took 4 to 6 times as long, a worker_pool's job 1.1 to 1.6 times (2 cpus, 2026).
  static constexpr std::uint32_t yield_rounds = 3;
  static constexpr std::uint32_t rounds = pause_rounds + yield_rounds;

  /// Waits a little, longer each time. False, at once: this wait has spun enough, park now. Always false where only one
  /// cpu may be used, since there whoever is waited for cannot run while this thread spins.
  [[nodiscard]] bool spin() noexcept {
    if (round_ >= rounds) return false;
    if (round_ == 0 && !spinning_pays()) {
      round_ = rounds;
      return false;
    }
    if (round_ < pause_rounds) {
      for (std::uint32_t left = 1U << round_; left != 0; --left) pause_cpu();
    } else {
      yield_cpu();
    }
    ++round_;
    return true;
  }

  /// Starts afresh, for the next wait.
  void reset() noexcept { round_ = 0; }

  /// Whether this process may use more than one cpu. Asked of the system once.
  [[nodiscard]] static bool spinning_pays() noexcept;

 private:
  static void yield_cpu() noexcept;

  std::uint32_t round_ = 0;  // only its thread
};

static_assert(sizeof(spinner) == 4);

}  // namespace acqrel
