// Why an outcome of a shape is forbidden: the execution that would show it, and the axiom of C++20 that it breaks.
// Small enough to be written a second time, apart from the enumerator: a test holds the two to the same answers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "corpus.hpp"
#include "enumerate.hpp"

namespace acqrel::model::litmus {

/// Every way in which the weak outcome of a shape could come about, consistent or not.
std::vector<execution> candidates(const shape&, const variant&);

enum class axiom : std::uint8_t {
  none,       ///< it is consistent
  happens,    ///< happens-before would run in a circle
  coherence,  ///< one object's order would contradict happens-before
  total,      ///< the order S of seq_cst operations would run in a circle
  porf,       ///< program order and reads-from would run in a circle: this checker's addition to C++20
};

/// A path through an execution, edge by edge: "a -sb-> b -rf-> c".
struct step {
  unsigned from = 0, to = 0;  ///< events
  const char* by = "";        ///< "sb", "sw", "rf", "mo", "rb"
};

struct verdict {
  axiom broken = axiom::none;
  /// coherence: a happens-before path, then the way back; total, happens, porf: the circle.
  std::vector<step> circle;
  std::size_t turn = 0;  ///< coherence: where in circle the way back begins
};
verdict judge(const execution&, memory_model);

/// The shortest circle of sb, rf, mo and rb: what makes the outcome weak. Empty for one that interleaving explains.
std::vector<step> critical_circle(const execution&);
/// Whether what `read` reads from `write` makes the two threads synchronise, in the orders and fences of the execution.
bool synchronises(const execution&, unsigned write, unsigned read);

}  // namespace acqrel::model::litmus
