// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/monotonic_clock.hpp>

namespace acqrel {

// The reading may only be old, if this thread was interrupted after it. One that is made after the last time was seen is not:
// what that time was made of had been read before. If it is behind nevertheless, the clock was set back.
monotonic_clock::time_point monotonic_clock::now_set_back() noexcept {
  // plain: the exchange finds out whether it still holds
  std::uint64_t offset = offset_.load(std::memory_order_relaxed);
  // edge monotonic_clock.last: acquire
  const rep last = last_.load(std::memory_order_acquire);
  const rep shown = sum(reading(), offset);
  if (is_behind(shown, last)) {
    // Whoever reads the sum reads the clock after it was set back. If it fails, another has found the same.
    // edge monotonic_clock.offset: release  / plain: it is read again
    offset_.compare_exchange_strong(offset, offset + gap(shown, last), std::memory_order_release,
                                    std::memory_order_relaxed);
  }
  return now();
}

}  // namespace acqrel
