// A value that tells whether it is whole, alive and how many of it there are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/reclaim/hazard.hpp>

#include <atomic>
#include <cstdint>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ACQREL_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define ACQREL_TEST_SANITIZED 1
#endif
#endif

#if defined(ACQREL_TEST_SANITIZED)
constexpr long fewer_when_sanitized = 10;
#else
constexpr long fewer_when_sanitized = 1;
#endif

/// 64 bytes, every field a function of one number; poisoned when destroyed, so that a read of a
/// dead value is seen without a sanitizer too.
struct checked {
  static inline std::atomic<long> live{0};

  explicit checked(long n) : number(n), inverse(~n), doubled(2 * n) {
    for (long& field : filler) field = n;
    live.fetch_add(1);
  }
  checked(const checked&) = delete;
  checked& operator=(const checked&) = delete;
  ~checked() {
    // volatile: or the compiler drops stores to an object that is about to be freed
    *static_cast<volatile long*>(&inverse) = number;
    *static_cast<volatile long*>(&doubled) = -1;
    live.fetch_sub(1);
  }
  bool whole() const {
    for (const long field : filler) {
      if (field != number) return false;
    }
    return inverse == ~number && doubled == 2 * number;
  }

  long number, inverse, doubled;
  long filler[5];
};
static_assert(sizeof(checked) == 64);

/// How many are alive once nothing waits to die; destructors may themselves have replaced something.
inline long live_now() {
  acqrel::drain();
  acqrel::drain();
  return checked::live;
}
