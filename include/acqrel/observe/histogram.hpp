// acqrel/observe/histogram.hpp - how many of some values lay within which bounds, counted by each thread for itself.
//
//   static acqrel::histogram seconds({0.001, 0.01, 0.1, 1});   // up to 1 ms, 10 ms, 0.1 s, 1 s, and above
//   seconds.observe(elapsed.count());                          // any thread
//   const acqrel::histogram::values now = seconds.read();
//   report(now.sum / static_cast<double>(now.count), now.buckets.back());
//
// Publishes  nothing but the numbers.
// Edges      none of its own: thread_cells keeps the words.
// Progress   observe() wait-free, but for a thread's first; with an example it takes a mutex, as read() does.
// Memory     the bounds; and 8 bytes for each bucket and thread that has observed.
// Threads    observe() and read() from any; not in a signal handler. Destruction needs exclusive access.
// Errors     the constructor: std::invalid_argument for bounds that are not finite and ascending, or more than 61;
//            std::length_error if the process counts too much (thread_cells.hpp); std::bad_alloc. What is not a number lies in no
//            bucket and would spoil the sum: it is counted apart.
// Cost       a comparison for each bound below the value, a count and an addition. Bench histogram/observe.
// Model      tests/observe/histogram_model.cpp.
// Not for    exact quantiles: whoever reads knows the bucket of a value, not the value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/observe/thread_cells.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace acqrel {

class histogram {
 public:
  static constexpr std::size_t most_bounds = thread_cells::most - 3;

  /// One value that was seen, and what to look at for it: {{"trace_id", "4bf92f35"}}.
  struct example {
    double value = 0;
    std::map<std::string, std::string> labels = {};
  };
  struct values {
    std::vector<double> bounds;          ///< the greatest value of each bucket but the last, inclusive
    std::vector<std::uint64_t> buckets;  ///< one more than bounds: what lay above all of them
    std::uint64_t count = 0;             ///< the sum of `buckets`
    double sum = 0;  ///< of the values; of those that come meanwhile it may lack some, or have them before `count`
    std::uint64_t not_numbers = 0;                 ///< observed, in none of the numbers above
    std::vector<std::optional<example>> examples;  ///< the last of each bucket; empty: there never was one
  };

  /// A value lies in the first bucket whose bound is not less: bounds are inclusive.
  explicit histogram(std::vector<double> bounds);
  /// `count` bounds: first, first * factor, first * factor^2 ...; or first, first + width ...
  [[nodiscard]] static std::vector<double> exponential(double first, double factor, std::size_t count);
  [[nodiscard]] static std::vector<double> linear(double first, double width, std::size_t count);

  void observe(double value) noexcept {
    thread_cells::cell* const mine = cells_.mine();
    std::size_t bucket = 0;
    while (bucket != size_ && value > first_[bucket]) ++bucket;
    if (value != value) [[unlikely]]
      return thread_cells::add(mine[size_ + 2], 1);
    thread_cells::add(mine[bucket], 1);
    thread_cells::add_double(mine[size_ + 1], value);
  }

  /// The same, with an example for its bucket, in place of the one before: for requests that are traced.
  void observe(double value, std::map<std::string, std::string> labels);

  /// A copy: what is observed later does not show.
  [[nodiscard]] values read() const;
  [[nodiscard]] const std::vector<double>& bounds() const noexcept { return bounds_; }

 private:
  const std::vector<double> bounds_;
  const double* const first_;
  const std::size_t size_;
  thread_cells cells_;  // buckets, the one above all bounds, the sum, what is not a number
  mutable std::mutex mutex_;
  std::vector<std::optional<example>> examples_;  // guarded by mutex_
};

}  // namespace acqrel
