// acqrel/signal/pulse.hpp - a signal that is given again and again; who waits says since when.
//
//   acqrel::pulse changed;
//   changed.notify();                                       // whoever changed what is looked at
//   for (;;) {
//     const acqrel::pulse_ticket seen = changed.ticket();   // before looking
//     if (look()) break;
//     changed.wait(seen);                                   // at once if a pulse came after the ticket
//   }
//
// Publishes  what the callers of notify() did before it.
// Edges      none of its own: notify() -> wait(), ticket() is waitable_word.value
// Progress   ticket() wait-free; notify() lock-free; wait() blocking: it spins a little, then parks.
// Memory     8 bytes; a ticket 8.
// Threads    all from any. A waiter may destroy the pulse as soon as its wait has returned: the notify() that let it go
//            touches nothing of it any more.
// Errors     none. Tickets do not age: pulses are counted below 2^63.
// Cost       ticket() one acquire load. notify() one compare-exchange, and a system call if somebody is parked.
//            Bench pulse/notify.
// Model      tests/signal/pulse_model.cpp.
// Not for    what happens once (event); seeing every pulse: several between two waits are one (generation counts them).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable_word.hpp>

namespace acqrel {

/// A moment in the life of one pulse.
class pulse_ticket {
  friend class pulse;
  constexpr explicit pulse_ticket(std::uint64_t given) noexcept : given_(given) {}

  std::uint64_t given_;  // how many pulses had been given
};

class pulse : public waitable_for<pulse, pulse_ticket> {
 public:
  constexpr pulse() noexcept = default;

  /// Take one before looking at what a pulse tells of: a wait with it misses no pulse that comes after.
  [[nodiscard]] pulse_ticket ticket() const noexcept { return pulse_ticket(given_.value()); }

  /// Lets go all who wait, and all who will wait with a ticket from before.
  void notify() noexcept {
    given_.change([](std::uint64_t given) { return given + 1; });
  }

 private:
  friend class waitable_for<pulse, pulse_ticket>;
  bool await(pulse_ticket seen, const patience& patience) const noexcept {
    return given_.await(patience, [seen](std::uint64_t given) { return given != seen.given_; });
  }

  waitable_word given_;  // how many pulses
};

static_assert(sizeof(pulse) == 8);

}  // namespace acqrel
