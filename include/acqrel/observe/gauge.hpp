// acqrel/observe/gauge.hpp - how much there is of something now.
//
//   static constinit acqrel::gauge connections;
//   connections.add(1);                             // any thread
//   connections.add(-1);
//   temperature.set(21.5);
//
// Publishes  nothing but the number.
// Edges      none: one word.
// Progress   set() and value() wait-free, add() lock-free.
// Memory     8 bytes.
// Threads    any.
// Errors     none. Sums are those of double: exact for whole numbers up to 2^53.
// Cost       set() a store, add() a compare-exchange. Bench gauge/add.
// Model      none: one word cannot be seen in two orders.
// Not for    what only grows (counter): who reads it could not tell a fall from a restart.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace acqrel {

class gauge {
 public:
  constexpr gauge() noexcept = default;
  gauge(const gauge&) = delete;
  gauge& operator=(const gauge&) = delete;

  void set(double value) noexcept {
    // plain: a number by itself
    word_.store(value, std::memory_order_relaxed);
  }
  void add(double n) noexcept {
    // plain: a number by itself
    word_.fetch_add(n, std::memory_order_relaxed);
  }
  [[nodiscard]] double value() const noexcept {
    // plain: a number by itself
    return word_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<double> word_{0};
};

}  // namespace acqrel
