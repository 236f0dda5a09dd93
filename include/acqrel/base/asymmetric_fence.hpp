// acqrel/base/asymmetric_fence.hpp - a fence pair whose frequent side costs nothing.
//
//   mine.store(1, std::memory_order_relaxed);     // frequent side
//   acqrel::asymmetric_thread_fence_light();
//   if (yours.load(std::memory_order_relaxed) == 0) enter();
//
//   yours.store(1, std::memory_order_relaxed);    // rare side
//   acqrel::asymmetric_thread_fence_heavy();
//   if (mine.load(std::memory_order_relaxed) == 0) enter();
//
// Publishes  nothing by itself: it orders what stands around it. Of two threads shaped as
//            above (store buffering) at least one sees the other's store.
// Edges      fence.pair      light and heavy, or heavy and heavy; light and light order nothing.
//                            Neither makes a happens-before by itself.
// Progress   light wait-free, no instruction at all in asymmetric mode; heavy a system call.
// Memory     one word for the process.
// Threads    any, at any time, static construction and destruction included.
// Errors     heavy ends the process, saying why, if the kernel withdraws membarrier after it
//            was granted (a seccomp filter installed late); see ACQREL_FENCES below.
// Cost       light: a compiler fence; heavy: one membarrier, which interrupts every CPU that
//            runs this process. Bench asymmetric_fence/heavy.
// Model      tests/base/asymmetric_fence_model.cpp.
// Not for    code where both sides are frequent: use seq_cst operations. Not for code that
//            must be clean under ThreadSanitizer, which sees no fences (hazard.hpp shows how).
//
// Names and meaning after WG21 P1202; the order is always seq_cst.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace acqrel {

/// How this process pays for the pair. Decided once, when first asked for:
/// `asymmetric` where the kernel offers membarrier, `full` (a seq_cst fence on both sides)
/// where it does not or where the library was compiled for ThreadSanitizer. The environment
/// variable ACQREL_FENCES=asymmetric|full, read at that moment, forces a mode; `asymmetric`
/// falls back to `full` where membarrier is missing.
enum class fence_mode : unsigned char { asymmetric, full };

/// The mode of this process; probes it at the first call.
[[nodiscard]] fence_mode current_fence_mode() noexcept;

/// The frequent side of the pair.
void asymmetric_thread_fence_light() noexcept;

/// The rare side of the pair.
void asymmetric_thread_fence_heavy() noexcept;

/// The light fence for code that already knows that the mode is asymmetric: it keeps the
/// compiler, and only the compiler, from moving memory accesses across it.
inline void compiler_fence() noexcept {
  // edge fence.pair: seq_cst  shape SB; the other end is asymmetric_thread_fence_heavy
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// ------------------------------------------------------------------------ Implementation

namespace fence_state {
enum : unsigned char { unknown, asymmetric, full };
/// Written once, by the probe; again only in the child of a fork.
extern constinit std::atomic<unsigned char> mode;
}  // namespace fence_state

/// The light fence where the mode is not known to be asymmetric.
void asymmetric_thread_fence_light_full() noexcept;

inline void asymmetric_thread_fence_light() noexcept {
  // plain: whoever reads `asymmetric` needs nothing else from the thread that probed
  if (fence_state::mode.load(std::memory_order_relaxed) == fence_state::asymmetric) [[likely]] {
    compiler_fence();
  } else {
    asymmetric_thread_fence_light_full();
  }
}

}  // namespace acqrel
