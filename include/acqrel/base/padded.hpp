// acqrel/base/padded.hpp - one value alone on its cache lines.
//
//   acqrel::padded<std::atomic<long>> hits[4];      // one writer each, no line shared
//   hits[slot]->fetch_add(1, std::memory_order_relaxed);
//   long first = hits[0]->load(std::memory_order_relaxed);
//
// Publishes  nothing.
// Edges      none.
// Progress   none: it only places bytes.
// Memory     sizeof(T) rounded up to false_sharing_range, inline.
// Threads    as T; different padded objects never disturb each other.
// Errors     none of its own; T's constructor may throw.
// Cost       no instruction; a whole range of memory for each value.
// Model      none: layout is asserted at compile time.
// Not for    values that are read and written together (they should share a line).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace acqrel {

/// Two objects this far apart do not slow each other down. x86-64: lines are 64 bytes, but the adjacent-line prefetcher
/// fetches them in aligned pairs. aarch64: server cores have 64, Apple's have 128. s390x has 256. A constant of our own,
/// because std::hardware_destructive_interference_size is 64 on x86-64 and changes with compiler flags, hence with the ABI.
#if defined(__s390x__)
inline constexpr std::size_t false_sharing_range = 256;
#elif defined(__x86_64__) || defined(_M_X64) || defined(__aarch64__) || defined(_M_ARM64) || defined(__powerpc64__)
inline constexpr std::size_t false_sharing_range = 128;
#else
inline constexpr std::size_t false_sharing_range = 64;
#endif

/// A T that shares no cache line with any other object.
template <class T>
class alignas(false_sharing_range) padded {
 public:
  constexpr padded() noexcept(std::is_nothrow_default_constructible_v<T>) : value_() {}
  /// Builds the T in place from `arguments`.
  template <class... Arguments>
  requires(sizeof...(Arguments) > 0 && std::is_constructible_v<T, Arguments...>) constexpr explicit padded(
      std::in_place_t, Arguments&&... arguments) noexcept(std::is_nothrow_constructible_v<T, Arguments...>)
      : value_(std::forward<Arguments>(arguments)...) {}

  constexpr T& operator*() noexcept { return value_; }
  constexpr const T& operator*() const noexcept { return value_; }
  constexpr T* operator->() noexcept { return &value_; }
  constexpr const T* operator->() const noexcept { return &value_; }

 private:
  T value_;
};

static_assert(sizeof(padded<char>) == false_sharing_range && alignof(padded<char>) == false_sharing_range);
static_assert(sizeof(padded<char[false_sharing_range + 1]>) == 2 * false_sharing_range);

}  // namespace acqrel
