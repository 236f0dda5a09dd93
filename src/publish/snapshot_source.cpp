// The turn at updating a source.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/park.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include "../reclaim/hazard_domain.hpp"

#include <pthread.h>
#include <stdexcept>

namespace acqrel {
namespace {

// turn: 0 free, else era << 1 | somebody waits. The era is that of the process: a turn that a
// thread of the parent held across a fork is free in the child.
constexpr std::uint32_t waited = 1;

constinit std::atomic<std::uint32_t> era{1};
constinit thread_local int turns_held = 0;

void next_era() noexcept {
  turns_held = turns_held == 0 ? 0 : 1;  // the forking thread goes on with its own turn
  // plain: one thread in the child of a fork
  era.fetch_add(1, std::memory_order_relaxed);
}

std::uint32_t this_era() noexcept {
  static const int registered = pthread_atfork(nullptr, nullptr, next_era);
  (void)registered;
  // plain: constant but in the child of a fork, whose only thread wrote it
  return era.load(std::memory_order_relaxed) << 1;
}

}  // namespace

snapshot_update_turn::snapshot_update_turn(std::atomic<std::uint32_t>& turn) noexcept
    : turn_(turns_held == 0 ? &turn : nullptr),
      deferred_(turn_ != nullptr ? hazard_domain::defer_destroying() : nullptr) {
  ++turns_held;
  if (turn_ == nullptr) return;
  const std::uint32_t mine = this_era();
  std::uint32_t seen = 0;
  // edge turn.held: acquire  / plain: tried again below
  if (turn.compare_exchange_strong(seen, mine, std::memory_order_acquire, std::memory_order_relaxed)) return;
  for (;;) {
    const bool free = seen == 0 || (seen & ~waited) != mine;
    // Whoever takes a turn that was waited for says that it still is: others may be parked.
    const std::uint32_t next = mine | waited;
    // edge turn.held: acquire  / plain: tried again
    if ((free || seen != next) &&
        !turn.compare_exchange_strong(seen, next, std::memory_order_acquire, std::memory_order_relaxed)) {
      continue;
    }
    if (free) return;
    park(turn, next);
    // plain: a look; the exchange acquires
    seen = turn.load(std::memory_order_relaxed);
  }
}

snapshot_update_turn::~snapshot_update_turn() {
  --turns_held;
  if (turn_ == nullptr) return;
  // edge turn.held: release
  if ((turn_->exchange(0, std::memory_order_release) & waited) != 0) unpark_one(*turn_);
  hazard_domain::resume_destroying(deferred_);
}

void throw_update_of_empty_snapshot_source() {
  throw std::logic_error(
      "snapshot_source::update: nothing was published yet, so there is no const T& for the function to take; "
      "publish a first value, or let the function take const T*, which is then null");
}

}  // namespace acqrel
