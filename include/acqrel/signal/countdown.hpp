// acqrel/signal/countdown.hpp - opens for all who wait when a number of steps has been taken.
//
//   acqrel::countdown parts(3);
//   result[i] = compute(i);        // each of three threads
//   parts.down();
//   parts.wait();                  // returns after the third, and sees what all three wrote
//   if (parts.reset(3)) again();   // once it is open
//
// Publishes  what the callers of down() did before it.
// Edges      none of its own: down() -> wait(), is_open() that is true is waitable_word.value
// Progress   is_open() wait-free; down() and reset() lock-free; wait() blocking: it spins a little, then parks.
// Memory     8 bytes; nothing is allocated.
// Threads    all from any. A waiter may destroy the countdown as soon as its wait has returned: the down() that let it go
//            touches nothing of it any more. A reset() may come while those it was open for are still on their way out:
//            each wait belongs to the count it began with (2^31 resets later that one may seem to have come again).
// Errors     std::invalid_argument for a count above 2^32 - 1. down() is false, and takes nothing, where less is left;
//            reset() is false, and changes nothing, while there is a count left, and so also while anybody waits.
// Cost       is_open() one acquire load. down() one compare-exchange, the last a system call if somebody is parked.
//            Bench countdown/down.
// Model      tests/signal/countdown_model.cpp.
// Not for    counts that also go up, or threads that meet again and again (std::barrier).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable_word.hpp>

namespace acqrel {

class countdown : public waitable<countdown> {
 public:
  static constexpr std::uint64_t max = 0xFFFF'FFFF;

  /// Opens after `count` steps; 0 is open. Throws std::invalid_argument if `count` is above max.
  constexpr explicit countdown(std::uint64_t count) : state_(checked(count)) {}

  [[nodiscard]] bool is_open() const noexcept { return remaining() == 0; }
  /// How many steps are left.
  [[nodiscard]] std::uint64_t remaining() const noexcept { return left(state_.value()); }

  /// Takes `steps` steps; the last one opens it. False: fewer are left, and none was taken.
  bool down(std::uint64_t steps = 1) noexcept {
    const std::uint64_t before =
        state_.change([=](std::uint64_t state) { return steps <= left(state) ? state - steps : state; },
                      [](std::uint64_t state) { return left(state) == 0; });
    return steps <= left(before);
  }

  /// Shuts it again, for `count` steps. False: it is not open. Throws std::invalid_argument if `count` is above max.
  [[nodiscard]] bool reset(std::uint64_t count) {
    const std::uint64_t wanted = checked(count);
    const std::uint64_t before =
        state_.change([=](std::uint64_t state) { return left(state) == 0 ? next_round(state) | wanted : state; },
                      [](std::uint64_t) { return false; });  // it was open: nobody sleeps
    return left(before) == 0;
  }

 private:
  friend class waitable<countdown>;
  bool await(const patience& patience) const noexcept {
    const std::uint64_t mine = round(state_.value());
    return state_.await(patience, [mine](std::uint64_t state) { return left(state) == 0 || round(state) != mine; });
  }

  // The state: the number of resets, 31 bits, above the steps left, 32 bits.
  static constexpr std::uint64_t left(std::uint64_t state) noexcept { return state & max; }
  static constexpr std::uint64_t round(std::uint64_t state) noexcept { return state >> 32; }
  static constexpr std::uint64_t next_round(std::uint64_t state) noexcept {
    return ((round(state) + 1) & 0x7FFF'FFFF) << 32;
  }
  static constexpr std::uint64_t checked(std::uint64_t count) { return count <= max ? count : refuse(count); }
  [[noreturn]] static std::uint64_t refuse(std::uint64_t count);

  waitable_word state_;
};

static_assert(sizeof(countdown) == 8);

}  // namespace acqrel
