// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable.hpp>
#include <acqrel/handoff/bus.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <pthread.h>

namespace acqrel {

constinit thread_local bus_place* bus_free_place [[gnu::tls_model("initial-exec")]] = nullptr;

namespace {

// Every place ever made, newest first; never shortened.
constinit std::atomic<bus_place*> places{nullptr};

// Tells threads apart that are alive at the same time.
const void* this_thread() noexcept { return &bus_free_place; }

// The end of a thread. If one is ended within a callback, by pthread_exit, the places of its publishes stay taken.
void leave(void*) noexcept {
  bus_place* place = bus_free_place;
  bus_free_place = nullptr;
  while (place != nullptr) {
    bus_place* const inner = std::exchange(place->inner, nullptr);
    // edge bus.place: release
    place->in_use.store(false, std::memory_order_release);
    place = inner;
  }
}

// The child of a fork has one thread: nobody else calls anything.
void forked() noexcept {
  // plain: one thread
  for (bus_place* place = places.load(std::memory_order_relaxed); place != nullptr; place = place->next) {
    // plain: one thread
    if (place->owner.load(std::memory_order_relaxed) == this_thread()) continue;
    // plain: one thread
    place->called.store(nullptr, std::memory_order_relaxed);
    place->inner = nullptr;
    place->leaves_something = false;
    // plain: one thread
    place->in_use.store(false, std::memory_order_relaxed);
  }
}

pthread_key_t make_key() noexcept {
  (void)current_fence_mode();  // probed before anybody has a place
  pthread_key_t key;
  if (pthread_key_create(&key, leave) != 0 || pthread_atfork(nullptr, nullptr, forked) != 0) {
    std::fputs("acqrel: bus: no thread-specific key or fork handler left for this process\n", stderr);
    std::abort();
  }
  return key;
}

}  // namespace

bus_place& bus_calls::enter() noexcept {
  static const pthread_key_t key = make_key();
  bus_place* place;
  // edge bus.place: acquire
  for (place = places.load(std::memory_order_acquire); place != nullptr; place = place->next) {
    bool taken = false;
    // edge bus.place: acquire  / plain: a place in use is passed over
    if (place->in_use.compare_exchange_strong(taken, true, std::memory_order_acquire, std::memory_order_relaxed)) break;
  }
  const bool is_new = place == nullptr;
  if (is_new) {
    place = new (std::nothrow) bus_place;
    if (place == nullptr) {
      std::fprintf(stderr, "acqrel: bus: no memory for the %zu bytes that a thread's first publish needs\n",
                   sizeof(bus_place));
      std::abort();
    }
  }
  // plain: looked at by who has seen this thread's calls
  place->owner.store(this_thread(), std::memory_order_relaxed);
  if (is_new) {
    // plain: the exchange below publishes the place
    place->next = places.load(std::memory_order_relaxed);
    // edge bus.place: seq_cst  shape SB: this, then whether a subscriber has ended | ended, then the list
    // plain: tried again with what it read
    while (!places.compare_exchange_weak(place->next, place, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
  }
  pthread_setspecific(key, place);
  return *place;
}

void bus_calls::ring(bus_place& place) noexcept {
  // plain: wakes and publishes nothing; whoever wakes looks at `called`
  const std::uint32_t seen = place.bell.load(std::memory_order_relaxed);
  // plain: as above. Waiters only set the bit, which is set; the count tells one ring from the next.
  place.bell.store((seen & ~1u) + 2, std::memory_order_relaxed);
  unpark_all(place.bell);
}

void bus_calls::tidy(bus_place& place) noexcept {
  place.leaves_something = false;
  drain();
}

// Whoever reads here that a thread calls another now, or nobody, has all that the call did. Whoever begins after the fence
// sees that `one` has ended. It is never called again from a list that still has it.
bool bus_calls::await_calls(const bus_subscriber& one) noexcept {
  asymmetric_thread_fence_heavy();
  bool within = false;
  // edge bus.place: acquire
  bus_place* const first = places.load(std::memory_order_acquire);
  for (bus_place* place = first; place != nullptr; place = place->next) {
    // edge bus.left: acquire  whose call it is was said before: an owner of long ago may have had this thread's address
    if (place->called.load(std::memory_order_acquire) != &one) continue;
    // plain: acquired with the call
    if (place->owner.load(std::memory_order_relaxed) != this_thread()) continue;
    place->leaves_something = within = true;
  }
  if (within) return false;
  for (bus_place* place = first; place != nullptr; place = place->next) {
    // edge bus.left: acquire
    if (place->called.load(std::memory_order_acquire) != &one) continue;
    (void)patience().await(place->bell, 1, [&] {
      // edge bus.left: acquire
      if (place->called.load(std::memory_order_acquire) != &one) return true;
      // The bell, if it was asked for, then another look: either this sees the change or who made it sees the bell.
      asymmetric_thread_fence_heavy();
      // edge bus.left: acquire
      return place->called.load(std::memory_order_acquire) != &one;
    });
  }
  return true;
}

// Copies all that have not ended: one that could not be taken out, for want of memory, goes with the next change.
void bus_core::change(const std::shared_ptr<bus_subscriber>* joining) {
  subscribers_.update([&](const list* now) {
    auto next = std::make_unique<list>();
    next->reserve((now != nullptr ? now->size() : 0) + 1);
    if (now != nullptr) {
      for (const auto& each : *now) {
        // plain: whoever ends it takes it out afterwards
        if (!each->ended_.load(std::memory_order_relaxed)) next->push_back(each);
      }
    }
    if (joining != nullptr) next->push_back(*joining);
    return next;
  });
}

void bus_core::count_exception() noexcept {
  // plain: a statistic
  exceptions_.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t bus_core::exceptions() const noexcept {
  // plain: a statistic
  return exceptions_.load(std::memory_order_relaxed);
}

void subscription::reset() noexcept {
  if (subscriber_ == nullptr) return;
  const std::shared_ptr<bus_core> core = std::move(core_);
  const std::shared_ptr<bus_subscriber> mine = std::move(subscriber_);
  // plain: the heavy fence of await_calls orders it
  mine->ended_.store(true, std::memory_order_relaxed);
  try {
    core->change(nullptr);
  } catch (const std::bad_alloc&) {
    // It stays in the list, where it is passed over, until the next change.
  }
  if (bus_calls::await_calls(*mine)) mine->discard_(*mine);
}

}  // namespace acqrel
