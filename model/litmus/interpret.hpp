// The second engine: runs the threads of a program through the explorer of core/, which the program checker stands on.
// What it finds must be what enumerate() finds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "program.hpp"

namespace acqrel::model::litmus {

struct exploration_result {
  std::uint64_t executions = 0, positive = 0;
  std::vector<std::vector<number>> states;  ///< of shown(program), sorted, each once
  bool race = false;                        ///< then the search ended there, and the rest says nothing
  bool cut = false;
  bool exhaustive = true;
  std::uint64_t duplicates = 0;  ///< 0, unless the explorer is wrong
};

/// Plain accesses are data, checked by happens-before. A location that is accessed both ways throws mixed_accesses.
exploration_result explore(const program&);

struct mixed_accesses : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace acqrel::model::litmus
