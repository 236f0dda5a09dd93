// One execution: events of every thread, the modification order of every object, and the axioms of C++20 over them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "event.hpp"

namespace acqrel::model {

class graph {
 public:
  struct object {
    location where = 0;
    value initial = 0;
    std::uint32_t accesses = 0;    ///< 0: `initial` is not known any more
    std::vector<event_id> writes;  ///< in modification order, without the initial one
    std::vector<event_id> reads;   ///< as added
  };

  unsigned threads() const;                      ///< one more than the highest thread with an event
  unsigned size(thread_id thread) const { return static_cast<unsigned>(events_[thread].size()); }
  const event& at(event_id e) const { return events_[e.thread][e.index]; }
  const std::vector<event>& of(thread_id thread) const { return events_[thread]; }
  const std::vector<object>& objects() const { return objects_; }
  value value_of(event_id write, std::uint16_t object) const;
  /// Place of a write in its object's modification order: 0 is the initial value.
  unsigned place(event_id write, std::uint16_t object) const;
  /// Whether the read `r` reads the last write in modification order, or one after which only read-modify-writes stand
  /// that wrote back what they read.
  bool reads_latest(event_id r) const;

 private:
  friend class explorer;
  std::vector<event> events_[max_threads];
  std::vector<object> objects_;
};

}  // namespace acqrel::model
