// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/token_bucket.hpp>

#include <string>

namespace acqrel {
namespace {

// Saturating, and none if it has passed.
std::chrono::steady_clock::duration gap(steady_deadline now, steady_deadline deadline) noexcept {
  if (deadline <= now) return deadline - deadline;
  if (now < steady_deadline() && deadline > steady_deadline::max() + now.time_since_epoch())
    return std::chrono::steady_clock::duration::max();
  return deadline - now;
}

}  // namespace

void token_bucket::refuse(std::int64_t n) const {
  if (n < 0)
    throw std::invalid_argument("acqrel: token_bucket: " + std::to_string(n) +
                                " tokens cannot be taken; give 0 or more");
  throw std::out_of_range("acqrel: token_bucket: " + std::to_string(n) +
                          " tokens will never be there at once in a bucket of " + std::to_string(capacity_) +
                          "; take fewer, or make the bucket larger");
}

std::int64_t token_bucket::tokens(steady_deadline now) const noexcept {
  const std::uint64_t at = units(now);
  // plain: a number, out of date at once
  const std::uint64_t missing = std::max(full_at_.load(std::memory_order_relaxed), at) - at;
  return missing >= room_ ? 0 : static_cast<std::int64_t>((room_ - missing) / cost_);
}

// Rounded up, and saturating.
token_bucket::duration token_bucket::time_of(std::uint64_t units) const noexcept {
  wide time = (wide{units} + 2) / 3;
  if (speed_ != 0) time = ((wide{units} << 62) + speed_ - 1) / speed_;
  return time < static_cast<wide>(duration::max().count()) ? duration(static_cast<std::int64_t>(time))
                                                           : duration::max();
}

// Nothing, if the tokens were there only after `longest`.
std::optional<token_bucket::reservation> token_bucket::reserve(std::uint64_t cost, steady_deadline now,
                                                               duration longest) noexcept {
  const std::uint64_t at = units(now);
  // plain: as in try_take()
  std::uint64_t full = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t from = std::max(full, at);
    if (from > std::numeric_limits<std::uint64_t>::max() - cost) return std::nullopt;
    const std::uint64_t missing = from + cost - at;
    const reservation made{from + cost, missing > room_ ? time_of(missing - room_) : duration::zero()};
    if (made.pause > longest) return std::nullopt;
    // plain: as in try_take()
    if (full_at_.compare_exchange_weak(full, made.full_at, std::memory_order_relaxed, std::memory_order_relaxed))
      return made;
  }
}

token_bucket::duration token_bucket::reserve(std::int64_t n) {
  check(n);
  if (n == 0) return duration::zero();
  const auto made = reserve(cost_of(n), now(), duration::max() - duration(1));
  return made ? made->pause : duration::max();
}

bool token_bucket::await(std::int64_t n, steady_deadline deadline, const std::stop_token& stop) {
  check(n);
  if (n == 0) return true;
  time_source& time = time_ != nullptr ? *time_ : time_source::steady();
  park_word stopped{0};
  const std::stop_callback wake(stop, [&stopped]() noexcept {
    // plain: says no more than that
    stopped.store(1, std::memory_order_relaxed);
    unpark_all(stopped);
  });
  for (;;) {
    const steady_deadline now = time.now();
    const duration longest = std::min(gap(now, deadline), duration::max() - duration(1));
    if (const auto made = reserve(cost_of(n), now, longest)) {
      if (made->pause == duration::zero()) return true;
      const steady_deadline due = later(now, made->pause);
      if (!time.park_until(stopped, 0, due) || time.now() >= due) return true;
      std::uint64_t expected = made->full_at;
      // plain: as in try_take(). If somebody has reserved since, what was counted on stays as it was.
      full_at_.compare_exchange_strong(expected, made->full_at - cost_of(n), std::memory_order_relaxed,
                                       std::memory_order_relaxed);
      return false;
    }
    if (now >= deadline || time.park_until(stopped, 0, deadline)) return false;
  }
}

}  // namespace acqrel
