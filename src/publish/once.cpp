// The turn at running what a once guards.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/once.hpp>

#include <stdexcept>

namespace acqrel {
namespace {

// The turns of this thread, the last one taken first. Who runs what stands here, so a once needs no room for it.
constinit thread_local once_turn* innermost = nullptr;

}  // namespace

// Takes the turn if it is free. False: somebody else has it.
bool once_turn::look() noexcept {
  for (;;) {
    // edge once.done: acquire
    std::uint32_t seen = guarded_.state_.load(std::memory_order_acquire);
    if ((seen & (once::is_done | once::is_closed)) != 0) {
      result_ = result::settled;
      return true;
    }
    if ((seen & once::is_running) != 0) return false;
    // edge once.reopened: acquire  / plain: looked at again
    if (guarded_.state_.compare_exchange_strong(seen, seen | once::is_running, std::memory_order_acquire,
                                                std::memory_order_relaxed)) {
      result_ = result::mine;
      held_ = true;
      outer_ = innermost;
      innermost = this;
      return true;
    }
  }
}

once_turn::once_turn(once& guarded, const patience& how_long) : guarded_(guarded) {
  if (look()) return;
  for (const once_turn* turn = innermost; turn != nullptr; turn = turn->outer_) {
    if (&turn->guarded_ == &guarded) {
      throw std::logic_error(
          "acqrel::once, lazy or retry_once: the function that is running was asked for again from within, on the same "
          "thread, and would wait for itself; let it do without its own result");
    }
  }
  (void)how_long.await(guarded_.state_, once::has_waiters, [this] { return look(); });
}

once_turn::~once_turn() {
  if (!held_) return;
  leave();
  // edge once.reopened: release
  const std::uint32_t before =
      guarded_.state_.fetch_add(once::one_reopening - once::is_running, std::memory_order_release);
  // One: the others wait for it. If it loses the turn to a newcomer, or gives up, whoever has the turn wakes the next.
  if ((before & once::has_waiters) != 0) unpark_one(guarded_.state_);
}

void once_turn::settle(std::uint32_t as) noexcept {
  leave();
  // edge once.done: release
  if ((guarded_.state_.exchange(as, std::memory_order_release) & once::has_waiters) != 0) unpark_all(guarded_.state_);
}

void once_turn::leave() noexcept {
  innermost = outer_;
  held_ = false;
}

bool once_turn::closed(const once& guarded) noexcept {
  // plain: asked by who has waited for it, or is alone
  return (guarded.state_.load(std::memory_order_relaxed) & once::is_closed) != 0;
}

}  // namespace acqrel
