// acqrel/signal/event.hpp - something that happens once, and that any number of threads may wait for.
//
//   acqrel::event ready;
//   table = load();            // one thread
//   ready.notify();            // true: it was the first
//   ready.wait();              // other threads; at once from then on
//   serve(table);
//
// Publishes  what the callers of notify() did before it.
// Edges      event.happened   notify() -> wait(), is_set() that is true, notify() that is false   all before notify()
// Progress   is_set() and notify() wait-free; wait() blocking: it spins a little, then parks.
// Memory     4 bytes; nothing is allocated.
// Threads    all from any, notify() from signal handlers too (where threads park by futex: Linux). A waiter may destroy
//            the event as soon as its wait has returned: the notify() that let it go touches nothing of it any more. A
//            second notify() must not come later than that.
// Errors     none.
// Cost       is_set() one acquire load. notify() one exchange, and a system call if somebody is parked.
//            Bench event/is_set, event/round_trip.
// Model      tests/signal/event_model.cpp.
// Not for    what happens again (pulse, generation), or after a number of steps (countdown).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

namespace acqrel {

class event : public waitable<event> {
 public:
  constexpr event() noexcept = default;
  event(const event&) = delete;  // threads wait at its address: share it by reference
  event& operator=(const event&) = delete;

  /// Whether it has happened.
  [[nodiscard]] bool is_set() const noexcept {
    // edge event.happened: acquire
    return (state_.load(std::memory_order_acquire) & happened) != 0;
  }

  /// Lets it happen. True for the first of all calls; false: another came before, and is_set() is true.
  bool notify() noexcept {
    // edge event.happened: acq_rel  who comes second may use what the first published
    const std::uint32_t before = state_.exchange(happened, std::memory_order_acq_rel);
    if ((before & awaited) != 0) unpark_all(state_);  // by its address: it may be gone
    return (before & happened) == 0;
  }

  /// For who waits for more than this (handoff/select): asks to be woken, and says where to sleep while is_set() is false.
  [[nodiscard]] park_case announce() const noexcept {
    // plain: asks to be woken and publishes nothing; is_set() acquires
    return {&state_, state_.fetch_or(awaited, std::memory_order_relaxed) | awaited};
  }
  /// What the forms of waiting come down to.
  [[nodiscard]] bool await(const patience& patience) const noexcept {
    return is_set() || patience.await(state_, awaited, [this] { return is_set(); });
  }

 private:
  static constexpr std::uint32_t happened = 1;
  static constexpr std::uint32_t awaited = 2;  // somebody is parked, or about to be

  mutable park_word state_{0};
};

static_assert(sizeof(event) == 4);

}  // namespace acqrel
