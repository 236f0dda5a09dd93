// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/throttle.hpp>

namespace acqrel {

std::optional<std::uint64_t> throttle::claim() noexcept {
  if (interval_ == 0) return 0;
  constexpr rep never = std::numeric_limits<rep>::max();
  // plain: the exchange below finds out whether it still holds
  rep before = not_before_.load(std::memory_order_relaxed);
  const rep now = this->now().time_since_epoch().count();
  if (now < before || before == never) return refuse();
  // plain: one word, and each exchange reads the one before. If it fails, another caller has been allowed.
  if (!not_before_.compare_exchange_strong(before, now > never - interval_ ? never : now + interval_,
                                           std::memory_order_relaxed, std::memory_order_relaxed))
    return refuse();
  return take_skipped();
}

std::uint64_t throttle::take_skipped() noexcept {
  // plain: numbers only
  std::uint64_t told = told_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t all = skipped();
    if (all <= told) return 0;  // others were told more than was there at this look
    // plain: numbers only
    if (told_.compare_exchange_weak(told, all, std::memory_order_relaxed, std::memory_order_relaxed)) return all - told;
  }
}

}  // namespace acqrel
