// Call sites: from the return address of an instrumented operation to file, line and `// edge NAME: ORDER` tags in the
// source; and weakening, which takes back at a site what the tag of a weakened edge promises there.
//
// A tag is a comment on the statement or in the comment lines directly above it:
//
//   // edge queue.ready: release           of a load, store, fence or read-modify-write
//   // edge queue.slot: acq_rel / acquire  of a compare-exchange: success / failure; `/ plain` where failing carries nothing
//
// Several tags may belong to one operation, of one edge or of more.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../core/event.hpp"

namespace acqrel::model {

/// One `// edge NAME: ORDER` tag.
struct edge_tag {
  std::string name;
  order success = order::relaxed;  ///< what it says of the operation
  order failure = order::relaxed;  ///< of a compare-exchange that fails; as `success`, unless the tag says
};

struct site {
  const void* address = nullptr;
  std::string file;      ///< as the debug information has it, of the innermost frame outside the standard library
  int line = 0;          ///< 0: not known
  std::string function;  ///< of that frame, demangled if it can be
  std::string text;      ///< the source line, without leading blanks; empty if the file is not there
  std::vector<edge_tag> edges;  ///< the tags of its statement
  /// "queue.hpp:31", or the function, or the address if nothing else is known.
  std::string brief() const;
};

/// Resolved once per address and kept. The first time needs some 20 kB of stack; the very first of a
/// process reads all its debug information, which takes tens of milliseconds.
const site& site_of(const void* return_address);

/// Whether the address is in a function of the standard library that was not inlined into the program's code.
bool in_library_function(const void* return_address);

/// The tags that hold for the operation on `line` (from 1) of a source text.
std::vector<edge_tag> tags_at(const std::vector<std::string>& lines, int line);

// ---- weakening
/// From now on the edges of these names promise nothing. None: all as shipped.
void weaken(const std::vector<std::string>& edges);

/// The order of the operation at this address, `written` in the source: without what the tags of weakened edges say of
/// it, but with what its other tags say. Remembers that the operation was met. Quick but for the first call at an address.
/// A fence that is relaxed then is none.
order effective(const void* return_address, order written);
/// The same of the order of a compare-exchange for when it fails.
order effective_on_failure(const void* return_address, order written);
/// Whether a tag of the operation at this address is of a weakened edge; remembers that it was met.
bool weakened(const void* return_address);

/// Edges of the operations met since the last call of forget_edges(), each once, in order of first meeting. Resolves what
/// was not: call it where there is stack.
std::vector<std::string> edges_met();
void forget_edges();
/// Source files of operations met that could not be read: their tags are not known.
std::vector<std::string> unread_sources();

}  // namespace acqrel::model
