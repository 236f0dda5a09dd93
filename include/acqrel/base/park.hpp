// acqrel/base/park.hpp - sleep in the kernel while a 32-bit word keeps a value.
//
//   std::atomic<std::uint32_t> ready{0};
//   while (ready.load(std::memory_order_acquire) == 0) acqrel::park(ready, 0);   // waiter
//   ready.store(1, std::memory_order_release);                                   // notifier
//   acqrel::unpark_all(ready);
//
// Publishes  nothing. park() looks at the word with relaxed loads and promises no happens-before, whatever it returns;
//            the caller's own acquire load of the word, paired with the notifier's release store, gives the ordering.
// Edges      none.
// Progress   park blocks; unpark is one system call and never waits for a parked thread.
// Memory     none on Linux; elsewhere 64 fixed buckets, made at the first park, never freed.
// Threads    any. unpark uses the address of the word only and reads nothing behind it: whoever was woken, or saw the
//            word change, may destroy it while unpark is still on its way. A stale unpark wakes at most a waiter of
//            whatever lives at that address now, and every waiter here looks again before it returns.
// Errors     none. Deadlines saturate: any duration or time point of any period is accepted, the past included.
// Cost       one system call to sleep, one to wake, also when nobody is parked: spin first (spin.hpp).
// Model      tests/base/park_model.cpp: no wake-up is lost. No edge of its own.
// Not for    words of another size, or shared between processes (the futex is private).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>

namespace acqrel {

using park_word = std::atomic<std::uint32_t>;
using steady_deadline = std::chrono::steady_clock::time_point;
static_assert(sizeof(park_word) == 4 && park_word::is_always_lock_free);

/// Sleeps while `word` equals `expected`; returns once it was seen to differ. Spurious wake-ups stay inside, and so
/// does a word that changed and changed back: a protocol that needs to see every change counts.
void park(const park_word& word, std::uint32_t expected) noexcept;

/// The same, until `stop` is requested. True: the word was seen to differ; false: it did not and stop was requested.
[[nodiscard]] bool park(const park_word& word, std::uint32_t expected, const std::stop_token& stop) noexcept;

/// The same, until `deadline`. True: the word was seen to differ; false: it did not when the deadline had passed. Never
/// false before the deadline.
[[nodiscard]] bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept;

/// The same, until `deadline` or `stop`, whichever comes first.
[[nodiscard]] bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline,
                              const std::stop_token& stop) noexcept;

/// A word, and the value that it sleeps through.
struct park_case {
  const park_word* word;
  std::uint32_t expected;
};
inline constexpr std::size_t most_park_cases = 128;  // that of Linux

/// Sleeps while all of `count` words equal what is expected of them, until `deadline`. True: one was seen to differ;
/// false: the deadline has passed and none did. Only `futex_waitv` hears all of them; the other modes look every 10 ms.
[[nodiscard]] bool park_any(const park_case* cases, std::size_t count, steady_deadline deadline) noexcept;

/// Wakes at least one thread parked on `word`, if there is one. Only for words on which all wait for the same
/// `expected`; otherwise the one woken may be one that goes on sleeping.
void unpark_one(const park_word& word) noexcept;

/// Wakes every thread parked on `word`.
void unpark_all(const park_word& word) noexcept;

/// Converts any duration to the steady clock's, rounding up so that no wait ends early, and saturating.
template <class Rep, class Period>
[[nodiscard]] constexpr std::chrono::steady_clock::duration steady_duration(
    std::chrono::duration<Rep, Period> time) noexcept {
  using target = std::chrono::steady_clock::duration;
  using wide = std::chrono::duration<long double, target::period>;
  // long double has 64 bits of mantissa where it matters; the comparison also catches infinities.
  const wide exact = time;
  if (exact >= wide(target::max())) return target::max();
  if (exact <= wide(target::min())) return target::min();
  if (exact != exact) return target::zero();  // not a number: no wait
  return std::chrono::ceil<target>(time);
}

/// `time` from now as a deadline, saturating.
template <class Rep, class Period>
[[nodiscard]] steady_deadline deadline_after(std::chrono::duration<Rep, Period> time) noexcept {
  const auto now = std::chrono::steady_clock::now();
  const auto wait = steady_duration(time);
  if (wait <= wait.zero()) return now;
  return steady_deadline::max() - now < wait ? steady_deadline::max() : now + wait;
}

/// A steady time point of any duration as a deadline, saturating.
template <class Duration>
[[nodiscard]] constexpr steady_deadline to_deadline(
    std::chrono::time_point<std::chrono::steady_clock, Duration> point) noexcept {
  return steady_deadline(steady_duration(point.time_since_epoch()));
}

/// How this process parks. Chosen once, at the first park or unpark: the best the kernel has, or what the environment
/// variable ACQREL_PARK names (`futex_waitv`, `futex`, `table`), which is there to test the others.
enum class park_mode : std::uint8_t {
  futex_waitv,  // Linux 5.16 and later: a wait with a stop token sleeps on the word and on the stop at once
  futex,        // Linux before: a stop that comes between the last look and the sleep is noticed after 10 ms
  table,        // everywhere: hashed buckets of mutex and condition variable
};
[[nodiscard]] park_mode park_mode_in_use() noexcept;

}  // namespace acqrel
