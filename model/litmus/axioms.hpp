// The axioms, over bit matrices. A read-modify-write is one event here, as in herd's models; in core/ it is two.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "enumerate.hpp"

namespace acqrel::model::litmus {

inline constexpr unsigned most_events = 64;

struct node {
  int thread = -1;  ///< -1: an initial write
  bool reads = false, writes = false, atomic = true;
  order how = order::relaxed;
  int location = -1;  ///< -1: a fence
  int from = -1;      ///< of a read: the write it reads; -1: not known yet
  number seen = 0, written = 0;
  const instruction* code = nullptr;

  bool fence() const { return location < 0; }
  bool seq_cst() const { return atomic && how == order::seq_cst; }
};

/// An execution, or part of one. The first nodes are the initial writes, one for each location; those of a thread stand
/// in program order.
struct sketch {
  std::vector<node> nodes;
  std::vector<int>
      next;  ///< of a write: the one after it in modification order, -1 if it is the last or has no place yet

  unsigned size() const { return static_cast<unsigned>(nodes.size()); }
  node& operator[](unsigned i) { return nodes[i]; }
  const node& operator[](unsigned i) const { return nodes[i]; }
};

/// Row a: the set of all b with (a, b).
using matrix = std::array<std::uint64_t, most_events>;

struct relations {
  matrix sb, rf, mo, rb, sw, hb;
};

/// Whether the model allows it. What it forbids of a part it forbids of the whole.
bool consistent(const sketch&, memory_model);
/// The relations by which it does, and the first data race if there is one.
relations relate(const sketch&);
std::optional<arrow> race(const sketch&, const relations&);

}  // namespace acqrel::model::litmus
