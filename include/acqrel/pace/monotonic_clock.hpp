// acqrel/pace/monotonic_clock.hpp - wall-clock times of which each is later than all before, on all threads.
//
//   static constinit acqrel::monotonic_clock stamps;
//   const auto first = stamps.now(), second = stamps.now();   // first < second, and nobody else gets either
//   if (stamps.drift() > 1min) report(stamps.drift());        // how far it was set back since it began
//
// Publishes  nothing: a later time says that its call came later, not that what was written before the other is visible.
// Edges      monotonic_clock.last     a time -> who sees a later one and looks whether the clock was set back   its reading
//            monotonic_clock.offset   the clock was found to be set back -> now()   the reading that showed it
// Progress   lock-free: now() tries again if another thread got a time at that moment.
// Memory     24 bytes, inline.
// Threads    any.
// Errors     none. At time_point::max() it stands: from there on times repeat.
// Cost       the clock that it reads, and a compare-exchange on one line for all. Bench monotonic_clock/now.
// Model      tests/pace/monotonic_clock_model.cpp, every edge also weakened.
// Not for    measuring (steady_clock), or a number that only has to be new (an atomic counter).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>

#include <atomic>
#include <cstdint>
#include <limits>

namespace acqrel {

/// What the clock shows and `drift()`, or a nanosecond more than the last time if that is not later. So it is ahead of the
/// clock and drift() by a nanosecond for each call at most, and never by more than `step`. If it would be, the clock was set
/// back: drift() grows by as much, and from there on time passes as fast as the clock does. A step back of less than
/// `step` is made up for: until the clock has caught up, each call adds a nanosecond. A step forward is followed at once.
class monotonic_clock {
 public:
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<std::chrono::system_clock, duration>;
  static constexpr duration step = std::chrono::milliseconds(1);

  /// Of std::chrono::system_clock.
  constexpr monotonic_clock() noexcept = default;
  /// Of another; its epoch is that of the times.
  constexpr explicit monotonic_clock(time_source& source) noexcept : source_(&source) {}
  monotonic_clock(const monotonic_clock&) = delete;
  monotonic_clock& operator=(const monotonic_clock&) = delete;

  /// A time that is later than every one before, of any thread.
  [[nodiscard]] time_point now() noexcept {
    // edge monotonic_clock.offset: acquire
    const std::uint64_t offset = offset_.load(std::memory_order_acquire);
    const rep shown = sum(reading(), offset);
    // plain: the exchange finds out whether it still holds
    rep last = last_.load(std::memory_order_relaxed);
    rep next = 0;
    do {
      if (is_behind(shown, last)) [[unlikely]]
        return now_set_back();
      next = shown > last ? shown : sum(last, 1);
      // edge monotonic_clock.last: release  / plain: it is looked at again
    } while (!last_.compare_exchange_weak(last, next, std::memory_order_release, std::memory_order_relaxed));
    return time_point(duration(next));
  }

  /// By how much the clock was set back in all: what its times are ahead of it, but for those nanoseconds.
  [[nodiscard]] duration drift() const noexcept {
    // plain: a number
    return duration(sum(0, offset_.load(std::memory_order_relaxed)));
  }

 private:
  using rep = std::int64_t;

  rep reading() const noexcept {
    if (source_ != nullptr) return duration(source_->now().time_since_epoch()).count();
    return duration(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  // Saturates.
  static constexpr rep sum(rep at, std::uint64_t more) noexcept {
    constexpr rep end = std::numeric_limits<rep>::max();
    return more > gap(at, end) ? end : static_cast<rep>(static_cast<std::uint64_t>(at) + more);
  }
  static constexpr std::uint64_t gap(rep low, rep high) noexcept {
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  }
  static constexpr bool is_behind(rep shown, rep last) noexcept {
    return shown < last && gap(shown, last) > std::uint64_t{step.count()};
  }
  [[gnu::cold, gnu::noinline]] time_point now_set_back() noexcept;

  std::atomic<rep> last_{std::numeric_limits<rep>::min()};  // grows only
  std::atomic<std::uint64_t> offset_{0};                    // grows only
  time_source* source_ = nullptr;                           // null: system_clock
};
static_assert(sizeof(monotonic_clock) == 24);

}  // namespace acqrel
