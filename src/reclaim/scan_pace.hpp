// How often to scan: a heavy fence costs 0.4 to 30 us, so its price is spread. A publish that comes
// more than 16 fences after the last scan scans at once; in a storm every 64th to 1,024th does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace acqrel {

/// Whether a thread that has retired `pending` objects since its last scan should scan now.
bool scan_due(std::uint32_t pending) noexcept;
/// After how many retirements that is so, however short the time.
std::uint32_t batch_to_scan() noexcept;

/// From now on a thread scans after that many retirements, whatever the time: for tests, and for the model checker, whose
/// clock stands still. 0 paces again. Called before there are other threads.
void scan_after(std::uint32_t retirements) noexcept;

/// Made right before the heavy fence of a scan; what the fence took decides when to scan next.
class scan_timer {
 public:
  scan_timer() noexcept;
  void fence_done() const noexcept;

 private:
  std::uint64_t from_ticks_, from_ns_;
};

}  // namespace acqrel
