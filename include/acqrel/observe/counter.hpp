// acqrel/observe/counter.hpp - how often something has happened, counted in one place.
//
//   static constinit acqrel::counter refused;
//   refused.add();                                  // any thread, a signal handler too
//   report(refused.value());
//
// Publishes  nothing but the number.
// Edges      none: one word, changed by read-modify-writes only.
// Progress   wait-free.
// Memory     a range of false_sharing_range bytes of its own.
// Threads    any.
// Errors     none. It wraps after 2^64.
// Cost       one locked operation; on a line that other threads count on too, some ten to hundred times that.
//            Bench counter/add.
// Model      none: one word cannot be seen in two orders.
// Not for    hot paths of several threads (sharded_counter), or what goes down (gauge).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/padded.hpp>

#include <atomic>
#include <cstdint>

namespace acqrel {

class counter {
 public:
  constexpr counter() noexcept = default;
  counter(const counter&) = delete;
  counter& operator=(const counter&) = delete;

  void add(std::uint64_t n = 1) noexcept {
    // plain: a number by itself
    word_->fetch_add(n, std::memory_order_relaxed);
  }
  /// All that was added before this call, as far as its caller can know of it; and perhaps more. Never less than before.
  [[nodiscard]] std::uint64_t value() const noexcept {
    // plain: a number by itself
    return word_->load(std::memory_order_relaxed);
  }

 private:
  padded<std::atomic<std::uint64_t>> word_{std::in_place, std::uint64_t{0}};
};
static_assert(sizeof(counter) == false_sharing_range);

}  // namespace acqrel
