// The probe for membarrier, and the heavy side.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/asymmetric_fence.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace acqrel {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool thread_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool thread_sanitizer = true;
#else
constexpr bool thread_sanitizer = false;
#endif
#else
constexpr bool thread_sanitizer = false;
#endif

#if defined(__linux__)
bool membarrier_granted() noexcept {
  const long offered = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
  return offered >= 0 && (offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
         syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

// The kernel hands the registration down to a forked child; registering again costs nothing
// and does not rely on it.
void register_again() noexcept { (void)membarrier_granted(); }
#else
bool membarrier_granted() noexcept { return false; }
#endif

unsigned char probe() noexcept {
  const char* const forced = std::getenv("ACQREL_FENCES");
  const bool want_full = forced != nullptr ? std::strcmp(forced, "full") == 0 : thread_sanitizer;
  unsigned char found = !want_full && membarrier_granted() ? fence_state::asymmetric : fence_state::full;
  unsigned char before = fence_state::unknown;
  // plain: the word carries no other data; the first probe wins, and all probes agree but for
  //        the environment, so that the process keeps one mode for its life
  if (!fence_state::mode.compare_exchange_strong(before, found, std::memory_order_relaxed, std::memory_order_relaxed)) {
    return before;
  }
#if defined(__linux__)
  if (found == fence_state::asymmetric) pthread_atfork(nullptr, nullptr, register_again);
#endif
  return found;
}

unsigned char mode_now() noexcept {
  // plain: see asymmetric_thread_fence_light
  const unsigned char known = fence_state::mode.load(std::memory_order_relaxed);
  return known != fence_state::unknown ? known : probe();
}

}  // namespace

constinit std::atomic<unsigned char> fence_state::mode{fence_state::unknown};

fence_mode current_fence_mode() noexcept {
  return mode_now() == fence_state::asymmetric ? fence_mode::asymmetric : fence_mode::full;
}

void asymmetric_thread_fence_light_full() noexcept {
  if (mode_now() == fence_state::asymmetric) {
    compiler_fence();
  } else {
    // edge fence.pair: seq_cst  shape SB; no membarrier, so this side pays as well
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

void asymmetric_thread_fence_heavy() noexcept {
  if (mode_now() == fence_state::asymmetric) {
#if defined(__linux__)
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
      std::fprintf(stderr,
                   "acqrel: membarrier failed (%s) although the kernel had granted it, perhaps because a "
                   "seccomp filter was installed since; start the process with ACQREL_FENCES=full\n",
                   std::strerror(errno));
      std::abort();
    }
#endif
    compiler_fence();
  } else {
    // edge fence.pair: seq_cst  shape SB
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace acqrel
