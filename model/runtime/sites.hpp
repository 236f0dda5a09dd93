// Call sites: from the return address of an instrumented operation to file, line and `// edge NAME:` tag in the source.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace acqrel::model {

struct site {
  std::string file;      ///< as the debug information has it, of the innermost frame outside the standard library
  int line = 0;          ///< 0: not known
  std::string function;  ///< of that frame, demangled if it can be
  std::string text;      ///< the source line, without leading blanks; empty if the file is not there
  std::string edge;      ///< the name in the `// edge NAME: order` tag in the comment lines right above; empty if none
  /// "queue.hpp:31", or the address if nothing is known.
  std::string brief() const;
};

/// Resolved once per address and kept.
const site& site_of(const void* return_address);

/// From now on operations tagged with one of these edges count as relaxed, fences as absent.
void weaken(const std::vector<std::string>& edges);
/// Quick: whether the operation at this address is weakened; remembers that its edge was met.
bool weakened(const void* return_address);
/// Tags met since the last call of forget_edges(), each once, in order of first meeting.
const std::vector<std::string>& edges_met();
void forget_edges();

}  // namespace acqrel::model
