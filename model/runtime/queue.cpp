// SPDX-License-Identifier: Apache-2.0
#include "queue.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "memory.hpp"
#include "scheduler.hpp"

namespace acqrel::model {
namespace {

std::deque<sleepers> queues;  // the first `used` are of this run
std::size_t used = 0;
std::array<unsigned, max_threads> sleeps;
std::array<unsigned, max_threads> spurious;

std::string for_its_turn(const void* object) { return "for its turn at the waiters of " + describe(object); }

/// Takes the n-th of those that `mask` names out of the queue.
sleeper take_out(sleepers& queue, unsigned n, std::uint32_t mask) {
  auto it = queue.waiting.begin();
  for (;; ++it) {
    if ((it->mask & mask) != 0 && n-- == 0) break;
  }
  const sleeper found = *it;
  queue.waiting.erase(it);
  return found;
}

}  // namespace

void begin_queues(unsigned spurious_wakeups) {
  used = 0;
  sleeps.fill(0);
  spurious.fill(spurious_wakeups);
}

sleepers& queue_of(const sync_word& order) {
  for (std::size_t i = 0; i < used; ++i) {
    if (queues[i].order == order) return queues[i];
  }
  if (used == queues.size()) queues.emplace_back();
  sleepers& fresh = queues[used++];
  fresh.order = order;
  fresh.waiting.clear();
  return fresh;
}

sleeper new_sleeper(const void* object) {
  const thread_id me = self();
  const unsigned n = sleeps[me]++;
  return {me, {object, sleep_words | unsigned{me} << 8 | n}, 1, ~std::uint32_t{0}, nullptr};
}

void take_turn(sleepers& queue, order how, const void* site) {
  if (queue.order.replace(0, 0, how, site) != 0) stuck(for_its_turn, queue.order.object, site);
}

void begin_turn(sleepers& queue, order how, const void* site) {
  if (queue.order.replace(0, 1, how, site) != 0) stuck(for_its_turn, queue.order.object, site);
}

void end_turn(sleepers& queue, order how, const void* site) { queue.order.store(0, how, site); }

unsigned sleep(const sleeper& me, std::string (*waits_for)(const void*), const void* site, bool bounded) {
  const value told = me.woken.load(order::relaxed, site);
  if (told == 0) stuck(waits_for, me.woken.object, site, bounded);
  // Somebody spent a wake-up on it: a turn of a loop in which that happens is not one that only waits.
  loops_of_running().act();
  return static_cast<unsigned>(told);
}

unsigned wake(sleepers& queue, unsigned most, std::uint32_t mask, order how, const void* site) {
  const auto named = [&] {
    return static_cast<unsigned>(std::count_if(queue.waiting.begin(), queue.waiting.end(),
                                               [mask](const sleeper& s) { return (s.mask & mask) != 0; }));
  };
  std::array<sleeper, max_threads * 2> chosen;
  unsigned n = 0;
  take_turn(queue, how, site);
  if (named() <= most) {
    for (unsigned left = named(); left > 0 && n < chosen.size(); --left) chosen[n++] = take_out(queue, 0, mask);
  } else {
    // Which ones is a choice, and nobody may come or go before it is made.
    begin_turn(queue, how, site);
    for (unsigned left = named(); left > 0 && n < most && n < chosen.size(); --left)
      chosen[n++] = take_out(queue, choose(left, site), mask);
    end_turn(queue, how, site);
  }
  for (unsigned i = 0; i < n; ++i) chosen[i].woken.store(chosen[i].told, order::release, site);
  return n;
}

bool wakes_spuriously(const void* site) {
  unsigned& left = spurious[self()];
  if (left == 0 || choose(2, site) == 0) return false;
  --left;
  return true;
}

}  // namespace acqrel::model
