// The queue of those who wait for a fair_mutex.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/base/probe.hpp>

#include <thread>

namespace acqrel {
namespace {

using std::chrono::steady_clock;

constinit std::atomic<std::chrono::nanoseconds::rep> threshold{1'000'000};  // that of Go

bool too_long(steady_deadline since) noexcept {
  // plain: a setting
  return steady_clock::now() - since >= std::chrono::nanoseconds(threshold.load(std::memory_order_relaxed));
}

}  // namespace

// A place in the queue: a ring, of which the word knows the first. All of it belongs to who has `busy`.
struct alignas(16) fair_mutex::waiter {
  static_assert(flags < 16);
  static waiter* first_of(std::uintptr_t word) noexcept { return reinterpret_cast<waiter*>(word & ~flags); }

  std::uintptr_t join(std::uintptr_t word) noexcept {
    waiter* const first = first_of(word);
    if (first == nullptr) {
      next = previous = this;
      return word | reinterpret_cast<std::uintptr_t>(this);
    }
    next = first;
    previous = first->previous;
    previous->next = first->previous = this;
    return word;
  }
  std::uintptr_t leave(std::uintptr_t word) noexcept {
    if (next == this) return word & locked;
    next->previous = previous;
    previous->next = next;
    if (first_of(word) != this) return word;
    return (word & (locked | starving)) | reinterpret_cast<std::uintptr_t>(next);
  }

  waiter* next = nullptr;
  waiter* previous = nullptr;
  park_word awake{0};  // the owner of the queue writes it; its waiter sleeps on it
};

void fair_mutex::hand_over_after(std::chrono::nanoseconds wait) noexcept {
  // plain: a setting
  threshold.store(wait.count(), std::memory_order_relaxed);
}

std::uintptr_t fair_mutex::take_queue() noexcept {
  for (spinner spin;;) {
    // edge fair_mutex.held: acquire
    const std::uintptr_t word = word_.fetch_or(busy, std::memory_order_acquire);
    if ((word & busy) == 0) return word;
    // plain: a look
    while ((word_.load(std::memory_order_relaxed) & busy) != 0) {
      if (!spin.spin()) std::this_thread::yield();
    }
  }
}

void fair_mutex::put_back(std::uintptr_t word) noexcept {
  // edge fair_mutex.held: release
  word_.store(word, std::memory_order_release);
}

// It is free but has waiters: the first has been called and is on its way.
bool fair_mutex::lock_passing(std::uintptr_t& seen) noexcept {
  while ((seen & (locked | busy | starving)) == 0) {
    // edge fair_mutex.held: acquire  / plain: tried again
    if (word_.compare_exchange_weak(seen, seen | locked, std::memory_order_acquire, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool fair_mutex::lock_slow(std::uintptr_t seen, const patience& how_long) noexcept {
  const probe_wait waiting(probe::lock);
  for (spinner spin;;) {
    if (lock_passing(seen)) return true;
    if ((seen & starving) != 0 || !spin.spin()) break;
    // plain: a look; the exchange acquires
    seen = word_.load(std::memory_order_relaxed);
  }
  waiter self;
  const steady_deadline since = steady_clock::now();
  for (bool queued = false, patient = true;; queued = true) {
    std::uintptr_t word = take_queue();
    const bool first = waiter::first_of(word) == &self;
    if ((word & locked) == 0 && (first || (word & starving) == 0)) {
      if (queued) word = self.leave(word);
      if ((word & starving) != 0 && !too_long(since)) word &= ~starving;
      put_back(word | locked);
      return true;
    }
    if (!patient) {
      put_back(self.leave(word));
      return false;
    }
    if (!queued) word = self.join(word);
    if (first) word &= ~called;  // the next unlock() calls again
    // plain: the queue's owner writes it
    self.awake.store(0, std::memory_order_relaxed);
    if (too_long(since)) word |= starving;
    put_back(word);
    patient = how_long.park(self.awake, 0);
  }
}

void fair_mutex::unlock_slow(std::uintptr_t seen) noexcept {
  while ((seen & (busy | called)) == called) {  // who was called has not looked yet
    // edge fair_mutex.held: release  / plain: tried again
    if (word_.compare_exchange_weak(seen, seen & ~locked, std::memory_order_release, std::memory_order_relaxed)) return;
  }
  std::uintptr_t word = take_queue() & ~locked;
  park_word* bell = nullptr;
  if (waiter* const first = waiter::first_of(word); first != nullptr && (word & called) == 0) {
    word |= called;
    bell = &first->awake;
    // plain: whoever sees it comes for the queue, which orders
    bell->store(1, std::memory_order_relaxed);
  }
  put_back(word);
  // From here on the mutex, and the waiter, may be gone: an address is all that unpark needs.
  if (bell != nullptr) unpark_one(*bell);
}

}  // namespace acqrel
