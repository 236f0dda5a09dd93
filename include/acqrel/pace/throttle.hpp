// acqrel/pace/throttle.hpp - lets one caller through per interval, and tells it how many it did not.
//
//   static constinit acqrel::throttle slow_query(1min);
//   void ran_for(milliseconds time) {
//     if (const auto untold = slow_query.allow()) report(time, *untold);   // at once; after that once a minute
//   }
//
// Publishes  nothing.
// Edges      none: one word decides, and who is allowed gets a number only.
// Progress   wait-free for who is refused; lock-free for who is allowed, beside others who take the number.
// Memory     40 bytes, inline.
// Threads    any.
// Errors     std::invalid_argument for a negative interval; as a constinit object it does not compile.
// Cost       who is refused loads a word and counts itself; reading the clock costs more than both: give allow() a time
//            that you have. Who is allowed reads the clock once more. Bench throttle/allow.
// Model      tests/pace/throttle_model.cpp.
// Not for    bursts and rates (token_bucket), or doing it later rather than not at all (debouncer).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>

#include <atomic>
#include <limits>
#include <optional>
#include <stdexcept>

namespace acqrel {

/// Each call that is allowed has read the clock, and of any two that have, one did so at least an interval after the
/// other: by that clock, whatever it shows at first, and though it goes back or threads read it differently. The first
/// call is allowed, and of many at one time exactly one. A reading far ahead is believed, as nothing tells it from a long
/// silence: then nobody is allowed before the clock shows that and an interval more. steady_clock has no such readings.
class throttle {
 public:
  /// 0 allows every call.
  template <class Rep, class Period>
  constexpr explicit throttle(std::chrono::duration<Rep, Period> interval) : throttle(interval, nullptr) {}
  template <class Rep, class Period>
  constexpr throttle(std::chrono::duration<Rep, Period> interval, time_source& time) : throttle(interval, &time) {}
  throttle(const throttle&) = delete;
  throttle& operator=(const throttle&) = delete;

  /// Whether to do it now; and then how many calls were refused that nobody was told of yet.
  [[nodiscard]] std::optional<std::uint64_t> allow() noexcept { return allow(now()); }
  /// The same for who has read the clock already. Before `now` it may be that nobody is allowed; if somebody is, the clock
  /// is asked. So a time that is old or wrong may refuse the call, and never allows one too early.
  [[nodiscard]] std::optional<std::uint64_t> allow(steady_deadline now) noexcept {
    // plain: a refusal says nothing of what others did
    if (now.time_since_epoch().count() < not_before_.load(std::memory_order_relaxed)) [[likely]]
      return refuse();
    return claim();
  }

  /// How many calls were refused, ever. With those that were allowed: all, once nobody is in a call.
  [[nodiscard]] std::uint64_t skipped() const noexcept {
    // plain: a statistic
    return skipped_.load(std::memory_order_relaxed);
  }
  /// Those of them that nobody was told of yet. Each is told once: here, or to who is allowed.
  [[nodiscard]] std::uint64_t take_skipped() noexcept;

 private:
  using rep = std::chrono::steady_clock::rep;

  template <class Rep, class Period>
  constexpr throttle(std::chrono::duration<Rep, Period> interval, time_source* time)
      : interval_(steady_duration(interval).count()), time_(time) {
    if (!(interval >= interval.zero()))
      throw std::invalid_argument("acqrel: throttle: the interval is negative; give 0 to allow every call");
  }
  steady_deadline now() const noexcept { return time_ != nullptr ? time_->now() : std::chrono::steady_clock::now(); }
  std::nullopt_t refuse() noexcept {
    // plain: a statistic
    skipped_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  [[gnu::cold, gnu::noinline]] std::optional<std::uint64_t> claim() noexcept;

  std::atomic<rep> not_before_{std::numeric_limits<rep>::min()};  // grows only
  std::atomic<std::uint64_t> skipped_{0};
  std::atomic<std::uint64_t> told_{0};  // of skipped_
  const rep interval_;
  time_source* const time_;  // null: steady_clock
};
static_assert(sizeof(throttle) == 40);

}  // namespace acqrel
