// The events of an execution: what a thread did that another thread may see, in the terms of C++20.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace acqrel::model {

/// The bits of an atomic object: up to 16 bytes, zero-extended.
__extension__ typedef unsigned __int128 value;
using thread_id = std::uint8_t;
/// What names an atomic object: any key that is the same in every run, such as its address and the number of times
/// that storage was begun anew.
using location = std::uint64_t;

inline constexpr unsigned max_threads = 16;  ///< the test's own thread included
inline constexpr unsigned max_events = 254;  ///< of one thread: clocks count them in a byte

enum class order : std::uint8_t { relaxed, acquire, release, acq_rel, seq_cst };

constexpr bool acquires(order o) { return o == order::acquire || o == order::acq_rel || o == order::seq_cst; }
constexpr bool releases(order o) { return o == order::release || o == order::acq_rel || o == order::seq_cst; }

enum class kind : std::uint8_t {
  start,   ///< first event of a thread
  end,     ///< last event of a thread
  read,    ///< an atomic load, or the load of a read-modify-write
  write,   ///< an atomic store, or the store of a read-modify-write: then it stands right after its read
  fence,   ///< atomic_thread_fence
  light,   ///< the cheap side of an asymmetric fence: a compiler barrier
  heavy,   ///< the dear side: membarrier
  create,  ///< of the thread `peer`
  join,    ///< with the thread `peer`, after its end
  choice,  ///< one of `choices` ways that no memory model decides: which waiter wakes, whether a weak CAS fails
};

/// What a read-modify-write makes of the value it read.
enum class update : std::uint8_t {
  none,
  exchange,
  add,
  subtract,
  bit_and,
  bit_or,
  bit_xor,
  bit_nand,
  compare_exchange,
  add_below,  ///< adds to what is less than `expected`; else only reads: a semaphore, a lock that many may read
};

/// A read-modify-write as its call states it.
struct modification {
  update how = update::none;
  std::uint8_t size = 8;           ///< bytes
  value operand = 0;               ///< new value, addend, mask
  value expected = 0;              ///< compare_exchange: what must be there; add_below: what must not
  order success = order::seq_cst;  ///< of the whole operation
  order failure = order::seq_cst;  ///< of the load, if it does not write

  constexpr value mask() const { return size >= 16 ? ~value{0} : (value{1} << (8 * size)) - 1; }
  /// Whether it writes, having read `seen`.
  constexpr bool writes(value seen) const {
    return how == update::compare_exchange ? seen == expected : how != update::add_below || seen < expected;
  }
  constexpr value apply(value seen) const {
    switch (how) {
      case update::add:
      case update::add_below: return (seen + operand) & mask();
      case update::subtract: return (seen - operand) & mask();
      case update::bit_and: return seen & operand;
      case update::bit_or: return seen | operand;
      case update::bit_xor: return seen ^ operand;
      case update::bit_nand: return ~(seen & operand) & mask();
      default: return operand & mask();
    }
  }
};

/// Thread and place in its program order. The initial value of an object counts as a write by nobody.
struct event_id {
  std::uint8_t thread = 0xff;
  std::uint8_t index = 0xff;

  constexpr bool initial() const { return thread == 0xff; }
  friend constexpr bool operator==(event_id, event_id) = default;
};
inline constexpr event_id initial_write{};

/// How many events of each thread come before: a vector clock.
struct clock {
  std::array<std::uint8_t, max_threads> count{};

  constexpr std::uint8_t& operator[](unsigned thread) { return count[thread]; }
  constexpr std::uint8_t operator[](unsigned thread) const { return count[thread]; }
  constexpr void join(const clock& other) {
    for (unsigned t = 0; t < max_threads; ++t) count[t] = count[t] < other.count[t] ? other.count[t] : count[t];
  }
  /// Whether event `e` is among those counted.
  constexpr bool covers(event_id e) const { return e.initial() || count[e.thread] > e.index; }
  constexpr void cover(event_id e) {
    if (!e.initial() && count[e.thread] <= e.index) count[e.thread] = static_cast<std::uint8_t>(e.index + 1);
  }
  friend constexpr bool operator==(const clock&, const clock&) = default;
};

/// One event, with what precedes it. `hb` and the other clocks are those right after the event, itself included.
struct event {
  kind what = kind::start;
  order how = order::relaxed;
  bool exclusive = false;      ///< part of a read-modify-write that writes
  thread_id peer = 0;          ///< create, join
  std::uint16_t object = 0;    ///< read, write: index of the location in the graph
  std::uint32_t stamp = 0;     ///< when it was added to the graph
  event_id from;               ///< read: the write it reads
  value val = 0;               ///< what was read or written, or chosen
  std::uint32_t choices = 0;   ///< choice
  modification rmw;            ///< read of a read-modify-write: all of it
  const void* site = nullptr;  ///< return address of the call, for reports

  clock hb;       ///< happens before
  clock porf;     ///< program order and reads-from
  clock release;  ///< write: what an acquiring reader learns (its release sequence)
  clock pending;  ///< what relaxed reads saw and an acquire fence would learn
  clock fenced;   ///< hb at the last release fence
  // The same for "strongly happens before" ([intro.races]/12), in which only seq_cst pairs synchronise at once.
  clock strong, strong_release, strong_pending, strong_fenced;
};

}  // namespace acqrel::model
