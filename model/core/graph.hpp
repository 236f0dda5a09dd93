// One execution: the events of every thread, the modification order of every object, and the axioms of C++20 over them.
//
// Happens before, reads-from reachability and "strongly happens before" are vector clocks, known when an event is added:
// an execution in this model can be built in an order in which everything an event depends on is already there. What is
// left to check are coherence, a comparison of clocks, and the order S of seq_cst operations, a search for a cycle.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "event.hpp"

namespace acqrel::model {

class graph {
 public:
  struct object {
    location where = 0;
    value initial = 0;             ///< meaningful while there is an access
    std::vector<event_id> writes;  ///< in modification order, without the initial one
    std::vector<event_id> reads;   ///< as added
    bool accessed() const { return !writes.empty() || !reads.empty(); }
  };

  // ---- for everybody
  unsigned threads() const;  ///< one more than the highest thread with an event
  unsigned size(unsigned thread) const { return static_cast<unsigned>(events_[thread].size()); }
  const event& at(event_id e) const { return events_[e.thread][e.index]; }
  const std::vector<event>& of(unsigned thread) const { return events_[thread]; }
  const std::vector<object>& objects() const { return objects_; }
  value value_of(event_id write, const object& of) const { return write.initial() ? of.initial : at(write).val; }
  /// Place of a write in its object's modification order: 0 is the initial value.
  unsigned place(event_id write, const object& of) const;
  /// The write at that place.
  event_id write_at(unsigned place, const object& of) const {
    return place == 0 ? initial_write : of.writes[place - 1];
  }
  /// Whether the read `r` reads the last write in modification order, or one after which only read-modify-writes stand
  /// that wrote back what they read.
  bool reads_latest(event_id r) const;
  /// Whether both are parts of one read-modify-write.
  bool one_operation(event_id a, event_id b) const;

  // ---- for the explorer
  void clear();
  /// Index of the object at `where`; one more is made if there is none. `initial` counts if nothing accesses it yet.
  std::uint16_t object_at(location where, value initial);
  std::optional<std::uint16_t> find(location where) const;
  /// Adds `e` as the last event of `thread` and settles it; a read enters its object's list, a write none yet.
  event_id append(unsigned thread, const event& e);
  void settle(event_id e);                        ///< value and clocks, from what it reads and what comes before it
  void read_from(event_id read, event_id write);  ///< the read is the last event of its thread
  void choose(event_id choice, std::uint32_t which) { events_[choice.thread][choice.index].val = which; }
  void put(event_id write,
           unsigned place);   ///< into the modification order, at `place` (1 is right after the initial value)
  void take(event_id write);  ///< out of it
  /// Removes what was added after `stamp`.
  void cut(std::uint32_t stamp);
  /// Copies the first keep[t] events of each thread.
  void copy_prefix(const graph& other, const clock& keep);

  // ---- the axioms
  /// The least place that `of` must have for a thread that knows `hb`: everything before it is overwritten for it.
  unsigned oldest(const object& of, const clock& hb, event_id except) const;
  /// Whether the write at `place` was read by a read-modify-write that wrote the next one.
  bool taken(const object& of, unsigned place) const;
  /// Whether the last event of its thread is coherent where it reads or stands, and no other write comes between the two
  /// parts of a read-modify-write.
  bool coherent(event_id e) const;
  /// Whether the order S of all seq_cst operations and fences exists ([atomics.order]/4). `newest`, a read or a write, is
  /// the last event of its thread, and nobody knows of it but the last event of another; without it the order existed.
  bool sequenced(event_id newest) const;

 private:
  class search;

  std::vector<event> events_[max_threads];
  std::vector<object> objects_;
  // What sequenced() looks at: by thread, which events may be seq_cst operations (the read of a read-modify-write stands
  // for both) or are fences; and how many of those are fences.
  std::vector<std::uint8_t> in_s_[max_threads];
  unsigned fences_ = 0;
};

}  // namespace acqrel::model
