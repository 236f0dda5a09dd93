// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reclaim/tagged_ptr.hpp>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#define ACQREL_DOUBLE_WORD [[gnu::target("cx16")]]
#else
#define ACQREL_DOUBLE_WORD
#endif

namespace acqrel {
namespace {

__extension__ typedef unsigned __int128 wide;

// True, or there is no going on.
bool supported() noexcept {
#if defined(__x86_64__)
  unsigned a, b, c = 0, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_CMPXCHG16B) == 0) {
    std::fputs("acqrel: this processor has no cmpxchg16b, which atomic_tagged_ptr needs; use atomic_packed_ptr\n",
               stderr);
    std::abort();
  }
#endif
  return true;
}

}  // namespace

// std::atomic of 16 bytes calls libatomic, which may lock; the older builtin is the instruction, and sanitizers and the
// checker see it.
ACQREL_DOUBLE_WORD double_word exchange_double_word(double_word& at, double_word expected,
                                                    double_word desired) noexcept {
  [[maybe_unused]] static const bool checked = supported();
  return std::bit_cast<double_word>(__sync_val_compare_and_swap(
      reinterpret_cast<wide*>(&at), std::bit_cast<wide>(expected), std::bit_cast<wide>(desired)));
}

void refuse_address(std::uint64_t address) {
  char text[128];
  std::snprintf(text, sizeof text,
                "acqrel::atomic_packed_ptr: the address %#llx has more than 48 bits; use atomic_tagged_ptr",
                static_cast<unsigned long long>(address));
  throw std::range_error(text);
}

}  // namespace acqrel
