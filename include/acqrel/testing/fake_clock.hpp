// acqrel/testing/fake_clock.hpp - a clock that stands until a test moves it.
//
//   acqrel::testing::fake_clock clock;
//   const auto tea = clock.now() + 1h;
//   clock.advance(1h);                   // whoever sleeps until a time within that hour wakes up
//
// Publishes  nothing: what a test orders by the clock it orders by what it waits for.
// Edges      clock.now  advance(), set() -> now()   what the test did before it moved the clock
// Progress   now() and advance() wait-free; a sleeper looks at the clock every half millisecond of real time.
// Memory     16 bytes.
// Threads    any.
// Errors     none; times saturate.
// Cost       one atomic operation.
// Model      tests/testing/fake_clock_model.cpp.
// Not for    programs: it is for tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>

#include <atomic>

namespace acqrel::testing {

class fake_clock final : public time_source {
 public:
  using duration = std::chrono::steady_clock::duration;

  /// Stands at `start`. The default is neither 0 nor near it, as after an hour of uptime.
  explicit fake_clock(steady_deadline start = steady_deadline(std::chrono::hours(1))) noexcept
      : now_(start.time_since_epoch().count()) {}

  [[nodiscard]] steady_deadline now() noexcept override {
    // edge clock.now: acquire
    return steady_deadline(duration(now_.load(std::memory_order_acquire)));
  }
  /// Moves it on; a negative duration sets it back, which no steady clock does, but a careless one might.
  void advance(duration by) noexcept {
    // edge clock.now: release
    now_.fetch_add(by.count(), std::memory_order_release);
  }
  void set(steady_deadline time) noexcept {
    // edge clock.now: release
    now_.store(time.time_since_epoch().count(), std::memory_order_release);
  }

  [[nodiscard]] bool park_until(const park_word& word, std::uint32_t expected,
                                steady_deadline deadline) noexcept override {
    for (;;) {
      const bool over = now() >= deadline;
      // Looked at after the clock, so that a word which changed before the clock moved is seen.
      const auto a_moment = over ? steady_deadline::min() : deadline_after(std::chrono::microseconds(500));
      if (acqrel::park_until(word, expected, a_moment)) return true;
      if (over) return false;
    }
  }

 private:
  std::atomic<duration::rep> now_;
};

}  // namespace acqrel::testing
