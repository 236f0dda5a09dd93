// A thread of a litmus program, run from one memory operation to the next.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "program.hpp"

namespace acqrel::model::litmus {

/// A thread's body with its branches as jumps.
class flow {
 public:
  explicit flow(const thread&);

  struct state {
    unsigned at = 0;
    std::vector<number> registers;
    bool cut = false;  ///< a loop was left unfinished
  };

  state start() const;
  /// Runs what is between memory operations; returns the next one, or nullptr at the end.
  const instruction* advance(state&) const;
  /// Past the operation that advance() returned.
  static void pass(state& s) { ++s.at; }

 private:
  struct step {
    const instruction* what = nullptr;  ///< nullptr: go to `target`
    unsigned target = 0;                ///< branch: where to go if its condition does not hold
  };
  void add(const std::vector<instruction>& body);

  const thread& thread_;
  std::vector<step> steps_;
};

/// What an operation of the modify kind leaves, having found `seen`.
number modified(update, number seen, number operand);

}  // namespace acqrel::model::litmus
