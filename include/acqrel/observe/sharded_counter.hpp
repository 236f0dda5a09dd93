// acqrel/observe/sharded_counter.hpp - how often something has happened, counted by each thread for itself.
//
//   static acqrel::sharded_counter requests;
//   requests.add();                                 // any thread: no line that another one writes
//   report(requests.value());                       // adds up what all have counted, also those that have ended
//
// Publishes  nothing but the number.
// Edges      none of its own: thread_cells keeps the words.
// Progress   add() wait-free, but for a thread's first; value() wait-free.
// Memory     8 bytes here, and 8 for each thread that has counted, on a line of its own (thread_cells.hpp): what only one
//            thread counts takes 8 bytes, whatever the number of threads.
// Threads    add() and value() from any; not in a signal handler (counter). Destruction needs exclusive access.
// Errors     std::length_error for the 32,769th of a process; std::bad_alloc. add() ends the process if there is no memory for
//            a thread's first count. It wraps after 2^64.
// Cost       add(): five plain memory operations. value(): two loads for each thread alive at once. Bench sharded_counter/add.
// Model      tests/observe/sharded_counter_model.cpp.
// Not for    a number that is asked for as often as it is changed (counter).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/observe/thread_cells.hpp>

namespace acqrel {

class sharded_counter {
 public:
  sharded_counter() : cells_(1) {}

  void add(std::uint64_t n = 1) noexcept { thread_cells::add(*cells_.mine(), n); }
  /// All that was added before this call, as far as its caller can know of it; and perhaps more, but no more than has been
  /// added when it returns. Never less than before.
  [[nodiscard]] std::uint64_t value() const noexcept { return cells_.sum(0); }

 private:
  thread_cells cells_;
};

}  // namespace acqrel
