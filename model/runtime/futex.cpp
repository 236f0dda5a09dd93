// The kernel's futex. A waiter takes its turn at the queue of the address, with nobody else let in, looks at the word and
// stands in the queue if it holds what he expects; a waker takes a turn there too, and wakes whom it finds. Both issue a
// full fence. It is the address that names the queue: a waker does not look at the word, which may be gone.
// SPDX-License-Identifier: Apache-2.0
#include "futex.hpp"

#include <linux/futex.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <string>

#include "memory.hpp"
#include "queue.hpp"
#include "scheduler.hpp"
#include "time.hpp"

namespace acqrel::model {
namespace {

const void* pointer(long argument) { return reinterpret_cast<const void*>(argument); }

sleepers& queue_at(const void* address) { return queue_of({address, kernel_word}); }

void full_fence(const void* site) {
  wait_turn();
  tree().fence(self(), kind::fence, order::seq_cst, site);
}

std::string to_be_woken(const void* address) {
  return "in the kernel to be woken from a futex wait on " + describe(address);
}

/// The time limit of a wait, as its call states it.
struct limit {
  const timespec* at = nullptr;  ///< none
  bool absolute = false;
  clockid_t clock = CLOCK_MONOTONIC;

  bool valid() const { return at == nullptr || (at->tv_nsec >= 0 && at->tv_nsec < 1'000'000'000 && at->tv_sec >= 0); }
  void pass() const { absolute ? pass_deadline(clock, at) : pass_interval(at); }
};

long wait(const void* address, std::uint32_t expected, std::uint32_t mask, const limit& until, const void* site) {
  if (!until.valid() || mask == 0) return -EINVAL;
  give_way();
  sleepers& queue = queue_at(address);
  full_fence(site);
  begin_turn(queue, order::acquire, site);
  if (load(address, sizeof expected, order::relaxed, site) != expected) {
    end_turn(queue, order::release, site);
    return -EAGAIN;
  }
  // A wait that ends by itself is as if the thread had never stood in the queue.
  const bool runs_out = until.at != nullptr && choose(2, site) == 0;
  if (runs_out || wakes_spuriously(site)) {
    end_turn(queue, order::release, site);
    if (runs_out) until.pass();
    return runs_out ? -ETIMEDOUT : 0;
  }
  sleeper me = new_sleeper(address);
  me.mask = mask;
  queue.waiting.push_back(me);
  end_turn(queue, order::release, site);
  sleep(me, to_be_woken, site, until.at != nullptr);
  return 0;
}

long wake_up(const void* address, long most, std::uint32_t mask, const void* site) {
  if (mask == 0) return -EINVAL;
  full_fence(site);
  return wake(queue_at(address), static_cast<unsigned>(std::max(most, 1L)), mask, order::acq_rel, site);
}

/// One word of several to wait on: struct futex_waitv.
struct either {
  std::uint64_t expected, address;
  std::uint32_t flags, reserved;

  const void* word() const { return reinterpret_cast<const void*>(address); }
  bool valid() const { return flags == (2u | FUTEX_PRIVATE_FLAG) && reserved == 0 && address % 4 == 0 && address != 0; }
};

/// Whether the running thread still stood in the queue; it does no more.
bool step_out(const void* address, const sleeper& me, const void* site) {
  sleepers& queue = queue_at(address);
  take_turn(queue, order::acq_rel, site);
  return std::erase_if(queue.waiting, [&me](const sleeper& s) { return s.woken == me.woken; }) != 0;
}

}  // namespace

long futex(const std::array<long, 6>& arguments, const void* site) {
  const void* const address = pointer(arguments[0]);
  const long operation = arguments[1] & ~long{FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME};
  const auto expected = static_cast<std::uint32_t>(arguments[2]);
  const auto mask = static_cast<std::uint32_t>(arguments[5]);
  limit until{static_cast<const timespec*>(pointer(arguments[3]))};
  if ((arguments[1] & FUTEX_CLOCK_REALTIME) != 0) until.clock = CLOCK_REALTIME;
  if (arguments[0] % 4 != 0) return -EINVAL;
  switch (operation) {
    case FUTEX_WAIT: return wait(address, expected, FUTEX_BITSET_MATCH_ANY, until, site);
    case FUTEX_WAIT_BITSET: until.absolute = true; return wait(address, expected, mask, until, site);
    case FUTEX_WAKE: return wake_up(address, arguments[2], FUTEX_BITSET_MATCH_ANY, site);
    case FUTEX_WAKE_BITSET: return wake_up(address, arguments[2], mask, site);
    default: {
      const std::string name =
          "futex operation " + std::to_string(operation) + " (only WAIT, WAKE and their BITSET forms are)";
      not_modelled(name.c_str(), site);
    }
  }
}

long futex_waitv(const std::array<long, 6>& arguments, const void* site) {
  const auto* const words = static_cast<const either*>(pointer(arguments[0]));
  const auto n = static_cast<unsigned>(arguments[1]);
  constexpr unsigned most = 128;
  limit until{static_cast<const timespec*>(pointer(arguments[3])), true};
  until.clock = static_cast<clockid_t>(arguments[4]);
  if (words == nullptr || n == 0 || n > most || arguments[2] != 0 || !until.valid()) return -EINVAL;
  if (!std::all_of(words, words + n, [](const either& w) { return w.valid(); })) return -EINVAL;

  give_way();
  sleeper me = new_sleeper(words[0].word());
  /// Out of all queues but one; returns the last in which somebody had woken it, or none.
  const auto leave = [&](unsigned in, unsigned but) {
    unsigned woken_in = n;
    for (unsigned i = 0; i < in; ++i) {
      if (i != but && !step_out(words[i].word(), me, site)) woken_in = i;
    }
    return woken_in;
  };
  full_fence(site);
  for (unsigned i = 0; i < n; ++i) {
    sleepers& queue = queue_at(words[i].word());
    begin_turn(queue, order::acquire, site);
    const bool same = load(words[i].word(), 4, order::relaxed, site) == words[i].expected;
    if (same) {
      me.told = i + 1;
      queue.waiting.push_back(me);
    }
    end_turn(queue, order::release, site);
    if (same) continue;
    const unsigned woken_in = leave(i, n);
    return woken_in < n ? static_cast<long>(woken_in) : -EAGAIN;
  }
  const bool runs_out = until.at != nullptr && choose(2, site) == 0;
  if (runs_out || wakes_spuriously(site)) {
    const unsigned woken_in = leave(n, n);
    if (woken_in < n) return static_cast<long>(woken_in);
    if (runs_out) until.pass();
    return runs_out ? -ETIMEDOUT : -EINTR;
  }
  const unsigned by = sleep(me, to_be_woken, site, until.at != nullptr) - 1;
  leave(n, by);
  return static_cast<long>(by);
}

}  // namespace acqrel::model
