// SPDX-License-Identifier: Apache-2.0
// bench/publish/values.hpp - what the contenders publish: 64 bytes, and two kinds that tell when they die.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace bench {

struct plain_value {
  explicit plain_value(std::uint64_t number) noexcept : words{number} {}
  std::uint64_t words[8];
};
static_assert(sizeof(plain_value) == 64);

/// Counts how many of it are alive.
struct counted_value : plain_value {
  explicit counted_value(std::uint64_t number) noexcept : plain_value(number) { alive.fetch_add(1); }
  ~counted_value() { alive.fetch_sub(1); }
  counted_value(const counted_value&) = delete;
  counted_value& operator=(const counted_value&) = delete;
  static inline std::atomic<std::int64_t> alive{0};
};

/// Notes when and by which thread the watched number was destroyed.
struct traced_value : plain_value {
  using clock = std::chrono::steady_clock;
  using plain_value::plain_value;
  ~traced_value() {
    if (words[0] != watched.load()) return;
    destroyed_at = clock::now();
    destroyed_by = std::this_thread::get_id();
    watched.store(0);
  }
  traced_value(const traced_value&) = delete;
  traced_value& operator=(const traced_value&) = delete;
  static inline std::atomic<std::uint64_t> watched{0};  // back to 0 when it is gone; the two below may be read then
  static inline clock::time_point destroyed_at;
  static inline std::thread::id destroyed_by;
};

}  // namespace bench
