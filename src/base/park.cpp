// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/padded.hpp>
#include <acqrel/base/park.hpp>
#include <acqrel/base/probe.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>

#if defined(__linux__) && defined(__LP64__)
#define ACQREL_HAS_FUTEX 1
#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#define ACQREL_HAS_FUTEX 0
#endif

namespace acqrel {
namespace {

using std::chrono::steady_clock;

// Where not all that is waited for can be slept on: a bound nobody notices, for 100 short wakes a second.
constexpr std::chrono::milliseconds stop_poll{10};

bool still(const park_word& word, std::uint32_t expected) noexcept {
  // plain: park promises no ordering; the caller's own acquire load follows.
  return word.load(std::memory_order_relaxed) == expected;
}

// ---- table: portable, and the reference the other two are tested against ----

struct bucket {
  std::mutex mutex;
  std::condition_variable changed;
};

bucket& bucket_of(const void* address) noexcept {
  constexpr std::size_t bits = 6;
  // Never destroyed: a thread may still park while static objects die.
  static auto* const table = new padded<bucket>[1U << bits];
  // Fibonacci hashing: the high bits of the product depend on all bits of the address.
  const auto hash = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address)) * 0x9E3779B97F4A7C15U;
  return *table[hash >> (64 - bits)];
}

// The look at the word and the sleep are one step to whoever takes the bucket's mutex, so a notifier, which takes it
// after its store, either comes first and the look sees the store, or comes later and finds the sleeper.
void table_unpark(const void* address) noexcept {
  bucket& home = bucket_of(address);
  { const std::lock_guard lock(home.mutex); }
  home.changed.notify_all();  // all, for the bucket is shared with other words
}

bool table_park(const park_word& word, std::uint32_t expected, steady_deadline deadline,
                const std::stop_token& stop) noexcept {
  const std::stop_callback wake(stop, [&word]() noexcept { table_unpark(&word); });
  bucket& home = bucket_of(&word);
  std::unique_lock lock(home.mutex);
  while (still(word, expected)) {
    if (stop.stop_requested()) return false;
    if (deadline == steady_deadline::max()) {
      const probe_wait asleep(probe::wait);
      home.changed.wait(lock);
    } else {
      if (steady_clock::now() >= deadline) return false;
      const probe_wait asleep(probe::wait);
      home.changed.wait_until(lock, deadline);
    }
  }
  return true;
  // Unlocks before `wake` is destroyed: that waits for a callback in progress, which may want the mutex.
}

#if ACQREL_HAS_FUTEX

// ---- futex: the kernel compares and sleeps as one step, per address ----

struct waiter {  // struct futex_waitv, which kernel headers before 5.16 lack
  std::uint64_t value, address;
  std::uint32_t flags, reserved;
};
static_assert(sizeof(waiter) == 24);
constexpr long futex_waitv_number = 449;                            // the same on every 64-bit architecture but alpha
constexpr std::uint32_t private_word = 0x02U | FUTEX_PRIVATE_FLAG;  // FUTEX_32

const timespec* to_timespec(steady_deadline deadline, timespec& storage) noexcept {
  if (deadline == steady_deadline::max()) return nullptr;
  const auto since = deadline.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  storage.tv_sec = static_cast<std::time_t>(seconds.count());
  storage.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count());
  return &storage;
}

// Both return at a wake-up, a signal, a value that differs, or the deadline: the callers look again in every case.
void futex_wait(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept {
  const probe_wait asleep(probe::wait);
  timespec storage;
  // WAIT_BITSET because it alone takes an absolute deadline, on CLOCK_MONOTONIC: repeating it does not lengthen the wait.
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, to_timespec(deadline, storage), nullptr,
          FUTEX_BITSET_MATCH_ANY);
}

void futex_wait_either(const park_word& word, std::uint32_t expected, const park_word& stopped,
                       steady_deadline deadline) noexcept {
  const probe_wait asleep(probe::wait);
  timespec storage;
  const waiter waiters[2] = {{expected, reinterpret_cast<std::uintptr_t>(&word), private_word, 0},
                             {0, reinterpret_cast<std::uintptr_t>(&stopped), private_word, 0}};
  syscall(futex_waitv_number, waiters, 2, 0, to_timespec(deadline, storage), CLOCK_MONOTONIC);
}

void futex_wake(const void* address, int count) noexcept {
  const int kept = errno;  // a notifier may be a signal handler
  syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  errno = kept;
}

bool futex_park(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept {
  while (still(word, expected)) {
    if (deadline != steady_deadline::max() && steady_clock::now() >= deadline) return false;
    futex_wait(word, expected, deadline);
  }
  return true;
}

bool futex_park(const park_word& word, std::uint32_t expected, steady_deadline deadline, const std::stop_token& stop,
                park_mode mode) noexcept {
  // A word of this call's own: the user's word does not change when stop is requested, so the kernel's comparison of it
  // would not see a stop that comes just before the sleep. The callback ends before this frame does: ~stop_callback.
  park_word stopped{0};
  const std::stop_callback wake(stop, [&]() noexcept {
    // plain: the stop carries no data; the waiter asks the token.
    stopped.store(1, std::memory_order_relaxed);
    if (mode == park_mode::futex_waitv)
      futex_wake(&stopped, 1);
    else
      futex_wake(&word, INT_MAX);
  });
  while (still(word, expected)) {
    if (stop.stop_requested()) return false;
    if (deadline != steady_deadline::max() && steady_clock::now() >= deadline) return false;
    if (mode == park_mode::futex_waitv) {
      futex_wait_either(word, expected, stopped, deadline);
    } else {
      futex_wait(word, expected, std::min(deadline, deadline_after(stop_poll)));
    }
  }
  return true;
}

void futex_wait_any(const park_case* cases, std::size_t count, steady_deadline deadline) noexcept {
  const probe_wait asleep(probe::wait);
  timespec storage;
  waiter waiters[most_park_cases];
  for (std::size_t i = 0; i != count; ++i) {
    waiters[i] = {cases[i].expected, reinterpret_cast<std::uintptr_t>(cases[i].word), private_word, 0};
  }
  syscall(futex_waitv_number, waiters, count, 0, to_timespec(deadline, storage), CLOCK_MONOTONIC);
}

bool kernel_has_futex_waitv() noexcept {
  // No waiters is an invalid argument to a kernel that knows the call; ENOSYS or a sandbox's EPERM otherwise.
  return syscall(futex_waitv_number, nullptr, 0, 0, nullptr, CLOCK_MONOTONIC) == -1 && errno == EINVAL;
}

#endif

// ---- which one ----

constexpr std::uint8_t unknown = 0xFF;
constinit std::atomic<std::uint8_t> chosen{unknown};

[[gnu::cold, gnu::noinline]] park_mode choose() noexcept {
  park_mode mode = park_mode::table;
#if ACQREL_HAS_FUTEX
  const char* const wish = std::getenv("ACQREL_PARK");
  const auto wants = [wish](const char* name) { return wish != nullptr && std::strcmp(wish, name) == 0; };
  if (wants("table"))
    mode = park_mode::table;
  else if (!wants("futex") && kernel_has_futex_waitv())
    mode = park_mode::futex_waitv;
  else
    mode = park_mode::futex;
#endif
  // Two first callers might disagree only if one of them changed the environment; then the first to get here wins.
  std::uint8_t expected = unknown;
  // plain: the mode carries no data, and all agree on it because they agree on one word.
  if (!chosen.compare_exchange_strong(expected, static_cast<std::uint8_t>(mode), std::memory_order_relaxed,
                                      std::memory_order_relaxed))
    return static_cast<park_mode>(expected);
  return mode;
}

}  // namespace

park_mode park_mode_in_use() noexcept {
  // plain: as in choose().
  const std::uint8_t mode = chosen.load(std::memory_order_relaxed);
  return mode == unknown ? choose() : static_cast<park_mode>(mode);
}

bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline,
                const std::stop_token& stop) noexcept {
  const park_mode mode = park_mode_in_use();
#if ACQREL_HAS_FUTEX
  if (mode != park_mode::table) {
    if (!stop.stop_possible()) return futex_park(word, expected, deadline);
    return futex_park(word, expected, deadline, stop, mode);
  }
#endif
  static_cast<void>(mode);
  return table_park(word, expected, deadline, stop);
}

bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept {
  return park_until(word, expected, deadline, std::stop_token());
}

bool park(const park_word& word, std::uint32_t expected, const std::stop_token& stop) noexcept {
  return park_until(word, expected, steady_deadline::max(), stop);
}

void park(const park_word& word, std::uint32_t expected) noexcept {
  static_cast<void>(park_until(word, expected, steady_deadline::max(), std::stop_token()));
}

bool park_any(const park_case* cases, std::size_t count, steady_deadline deadline) noexcept {
  const park_mode mode = park_mode_in_use();
  for (;;) {
    for (std::size_t i = 0; i != count; ++i) {
      if (!still(*cases[i].word, cases[i].expected)) return true;
    }
    if (deadline != steady_deadline::max() && steady_clock::now() >= deadline) return false;
#if ACQREL_HAS_FUTEX
    if (mode == park_mode::futex_waitv) {
      futex_wait_any(cases, count, deadline);
      continue;
    }
#endif
    static_cast<void>(mode);
    const steady_deadline look = count == 1 ? deadline : std::min(deadline, deadline_after(stop_poll));
    static_cast<void>(park_until(*cases[0].word, cases[0].expected, look));
  }
}

void unpark_one(const park_word& word) noexcept {
#if ACQREL_HAS_FUTEX
  if (park_mode_in_use() != park_mode::table) return futex_wake(&word, 1);
#endif
  table_unpark(&word);
}

void unpark_all(const park_word& word) noexcept {
#if ACQREL_HAS_FUTEX
  if (park_mode_in_use() != park_mode::table) return futex_wake(&word, INT_MAX);
#endif
  table_unpark(&word);
}

}  // namespace acqrel
