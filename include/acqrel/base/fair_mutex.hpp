// acqrel/base/fair_mutex.hpp - a mutex that nobody waits for much longer than a millisecond because others are quicker.
//
//   acqrel::fair_mutex mutex;
//   {
//     const acqrel::fair_lock lock(mutex);      // or std::unique_lock, std::scoped_lock
//     balance += 5;
//   }
//   if (mutex.try_lock_for(20ms)) {             // also try_lock_until, each also with a stop token; lock(stop)
//     balance -= 3;
//     mutex.unlock();
//   }
//
// Publishes  what its holder wrote, to its next holder.
// Edges      fair_mutex.held   unlock() -> lock()   what is guarded; and the queue of waiters, to whoever changes it next
// Progress   blocking. Whoever comes while it is free may take it, before those who wait, as that is quickest. Once one
//            has waited 1 ms in vain, unlock() hands it to the waiters one after the other, in the order in which they
//            came; until none is left, or the next has waited less than that. The queue has a spin bit, held for a
//            few instructions.
// Memory     8 bytes; a waiter's place in the queue is on its own stack.
// Threads    any; the thread that locked unlocks. It may be destroyed by who holds it last and has unlocked it, also
//            while the unlock() that let it in is still on its way: that touches nothing after it has let go.
// Errors     noexcept. A wait that is handed the lock as its time is up, or stop is requested, has it and says true.
//            Locking twice in one thread hangs (publish/synchronized throws instead).
// Cost       one compare-exchange to lock, one to unlock. Bench fair_mutex/lock.
// Model      tests/base/fair_mutex_model.cpp, every edge also weakened.
// Not for    data that is read more often than written (publish/snapshot_source); a lock held across a wait.
//
// How: one word. Bit `locked` is the lock; the pointer above the bits is the first waiter. Whoever has to wait, or
// unlocks while others wait, takes the bit `busy` and then owns the whole word and the queue, until it stores the word.
// After Go's sync.Mutex, but with places in the queue that are kept while a waiter tries its luck, so that
// handing over needs no message: `starving` reserves the free lock for the first. Whatever the queue is asked for is
// asked under `busy`, so a wait that gives up either is the first at a free lock, and takes it, or leaves nothing behind.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/capability.hpp>
#include <acqrel/base/waitable.hpp>

namespace acqrel {

class ACQREL_CAPABILITY("mutex") fair_mutex {
 public:
  constexpr fair_mutex() noexcept = default;
  fair_mutex(const fair_mutex&) = delete;
  fair_mutex& operator=(const fair_mutex&) = delete;

  void lock() noexcept ACQREL_ACQUIRE() ACQREL_UNCHECKED {
    std::uintptr_t seen;
    if (!lock_idle(seen)) (void)lock_slow(seen, patience());
  }
  void unlock() noexcept ACQREL_RELEASE() ACQREL_UNCHECKED {
    std::uintptr_t expected = locked;
    // edge fair_mutex.held: release  / plain: somebody waits, and unlock_slow asks again
    if (!word_.compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed)) {
      unlock_slow(expected);
    }
  }
  /// Does not wait; may fail while the lock changes hands, and does where it is handed on in order.
  [[nodiscard]] bool try_lock() noexcept ACQREL_TRY_ACQUIRE(true) ACQREL_UNCHECKED {
    std::uintptr_t seen;
    return lock_idle(seen) || lock_passing(seen);
  }

  /// False: stop was requested first.
  [[nodiscard]] bool lock(const std::stop_token& stop) noexcept ACQREL_TRY_ACQUIRE(true) {
    return try_lock(patience(stop));
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> time) noexcept ACQREL_TRY_ACQUIRE(true) {
    return try_lock(patience(deadline_after(time)));
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> time, const std::stop_token& stop) noexcept
      ACQREL_TRY_ACQUIRE(true) {
    return try_lock(patience(deadline_after(time), stop));
  }
  template <class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline) noexcept
      ACQREL_TRY_ACQUIRE(true) {
    return try_lock(patience(to_deadline(deadline)));
  }
  template <class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                    const std::stop_token& stop) noexcept ACQREL_TRY_ACQUIRE(true) {
    return try_lock(patience(to_deadline(deadline), stop));
  }
  /// What the forms above come down to.
  [[nodiscard]] bool try_lock(const patience& how_long) noexcept ACQREL_TRY_ACQUIRE(true) ACQREL_UNCHECKED {
    std::uintptr_t seen;
    return lock_idle(seen) || lock_slow(seen, how_long);
  }

  /// For tests, and for the whole process: waiters are served in order once one has waited this long. At first 1 ms;
  /// zero: always; max(): never.
  static void hand_over_after(std::chrono::nanoseconds wait) noexcept;

 private:
  struct waiter;
  static constexpr std::uintptr_t locked = 1;
  static constexpr std::uintptr_t busy = 2;      // somebody owns word and queue; all others leave both alone
  static constexpr std::uintptr_t starving = 4;  // when free, for the first waiter only
  static constexpr std::uintptr_t called = 8;    // the first waiter was woken, and has not looked since
  static constexpr std::uintptr_t flags = 15;    // above: the first waiter
  // A free lock with waiters has `called`. Without waiters there is neither `starving` nor `called`.

  // Each leaves in `seen` what stood in its way.
  bool lock_idle(std::uintptr_t& seen) noexcept {
    seen = 0;
    // edge fair_mutex.held: acquire  / plain: taken otherwise, or waited for
    return word_.compare_exchange_strong(seen, locked, std::memory_order_acquire, std::memory_order_relaxed);
  }
  bool lock_passing(std::uintptr_t& seen) noexcept;
  bool lock_slow(std::uintptr_t seen, const patience& how_long) noexcept;
  void unlock_slow(std::uintptr_t seen) noexcept;
  std::uintptr_t take_queue() noexcept;
  void put_back(std::uintptr_t word) noexcept;

  std::atomic<std::uintptr_t> word_{0};
};

static_assert(sizeof(fair_mutex) == sizeof(void*));

/// std::lock_guard, but known to clang's analysis (capability.hpp).
class [[nodiscard]] ACQREL_SCOPED_CAPABILITY fair_lock {
 public:
  explicit fair_lock(fair_mutex& mutex) noexcept ACQREL_ACQUIRE(mutex) : mutex_(mutex) { mutex.lock(); }
  ~fair_lock() ACQREL_RELEASE() { mutex_.unlock(); }
  fair_lock(const fair_lock&) = delete;
  fair_lock& operator=(const fair_lock&) = delete;

 private:
  fair_mutex& mutex_;
};

}  // namespace acqrel
