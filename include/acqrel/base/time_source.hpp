// acqrel/base/time_source.hpp - where a part of the library gets its time from, so that a test can set it.
//
//   acqrel::time_source& time = acqrel::time_source::steady();   // what every part uses unless it is given another
//   const acqrel::steady_deadline deadline = time.now() + 10ms;
//
// Publishes  nothing.
// Edges      none.
// Progress   now() is wait-free; park_until blocks.
// Memory     none; steady() is one constant-initialised object that is never destroyed.
// Threads    any.
// Errors     none.
// Cost       a virtual call beside that of the clock.
// Model      none: it touches no shared data.
// Not for    hot paths that can be given a time read once for many uses.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/park.hpp>

namespace acqrel {

/// A clock and a way to sleep until it has reached a time. testing/fake_clock.hpp is the other one.
class time_source {
 public:
  /// std::chrono::steady_clock.
  [[nodiscard]] static time_source& steady() noexcept;
  /// The same clock as of its last tick, some milliseconds ago: several times cheaper to read, where the system has that.
  [[nodiscard]] static time_source& coarse() noexcept;

  [[nodiscard]] virtual steady_deadline now() noexcept = 0;
  /// Sleeps while `word` equals `expected` and this clock is before `deadline`. True: the word was seen to differ.
  [[nodiscard]] virtual bool park_until(const park_word& word, std::uint32_t expected,
                                        steady_deadline deadline) noexcept = 0;

 protected:
  ~time_source() = default;
};

}  // namespace acqrel
