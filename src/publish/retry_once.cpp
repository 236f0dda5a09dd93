// The attempts of a retry_once.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/retry_once.hpp>

#include <algorithm>

namespace acqrel {

// The attempt to wait for, or to hear the failure of; a new one if the last has failed and may be followed.
std::shared_ptr<retry_once::attempt> retry_once::join() {
  const steady_deadline at = backoff_ != nullptr ? now() : steady_deadline::max();
  std::shared_ptr<attempt> next;  // then carries the last one out of the lock, where its exception may die
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      const attempt* const last = current_.get();
      if (last != nullptr && !(last->ran.done() && last->error != nullptr && at >= last->next_from)) return current_;
      if (next != nullptr) {
        current_.swap(next);
        return current_;
      }
    }
    next = std::make_shared<attempt>();
  }
}

void retry_once::begin() noexcept {
  // plain: counts
  state_.fetch_add(one_attempt, std::memory_order_relaxed);
}

void retry_once::succeed() noexcept {
  // edge retry_once.done: release
  state_.fetch_or(is_done, std::memory_order_release);
}

void retry_once::fail(attempt& mine) noexcept {
  if (backoff_ == nullptr) return;
  const auto wait = std::max(steady_duration(backoff_(attempts())), steady_deadline::duration::zero());
  const steady_deadline ended = now();
  mine.next_from = steady_deadline::max() - ended < wait ? steady_deadline::max() : ended + wait;
}

}  // namespace acqrel
