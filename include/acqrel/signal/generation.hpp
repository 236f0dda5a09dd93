// acqrel/signal/generation.hpp - numbered rounds that end one after another; wait for any of them, past or to come.
//
//   acqrel::generation flushes;
//   const std::uint64_t mine = flushes.current();   // my record goes out with this flush
//   flushes.fire();                                 // the flusher: ends the current one, and begins the next
//   flushes.wait(mine);                             // any number of threads, each for its own number
//
// Publishes  what the callers of fire() did before it.
// Edges      none of its own: fire() -> wait(), current() is waitable_word.value
// Progress   current() wait-free; fire() lock-free; wait() blocking: it spins a little, then parks.
// Memory     8 bytes, however many wait, and for however many generations.
// Threads    all from any. A waiter may destroy the object as soon as its wait has returned: the fire() that let it go
//            touches nothing of it any more.
// Errors     none. Numbers are below 2^63 and never come again.
// Cost       current() one acquire load. fire() one compare-exchange, and a system call if somebody is parked: then all
//            who wait look whether it was theirs. Bench generation/fire.
// Model      tests/signal/generation_model.cpp.
// Not for    waiting for the next one only (pulse), or for what happens once (event).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable_word.hpp>

namespace acqrel {

class generation : public waitable_for<generation, std::uint64_t> {
 public:
  /// Begins with number `first`; those below have fired.
  constexpr explicit generation(std::uint64_t first = 0) noexcept : current_(first) {}

  /// The generation that has not fired yet; all below have.
  [[nodiscard]] std::uint64_t current() const noexcept { return current_.value(); }

  /// Ends the current generation: wakes who waits for it. Returns the number of the next, which is current now.
  std::uint64_t fire() noexcept {
    return current_.change([](std::uint64_t number) { return number + 1; }) + 1;
  }

 private:
  friend class waitable_for<generation, std::uint64_t>;
  bool await(std::uint64_t number, const patience& patience) const noexcept {
    return current_.await(patience, [number](std::uint64_t current) { return current > number; });
  }

  waitable_word current_;
};

static_assert(sizeof(generation) == 8);

}  // namespace acqrel
