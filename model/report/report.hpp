// What a person reads: an execution, a result, a token.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../core/graph.hpp"
#include "../runtime/run.hpp"

namespace acqrel::model {

// ---- an execution (execution.cpp)

/// Something to see in a printed execution that is no event: a plain access, a wait that nothing ends.
struct mark {
  thread_id thread;
  unsigned position;    ///< after so many of its events, as explorer::position() counts
  std::string what;     ///< "writes the int at 0x10, 4 bytes", "waits to lock the mutex at 0x20"
  const void* site;     ///< may be null
  bool failing = true;  ///< pointed at: the trouble is here
};

/// Where an operation stands in the source.
struct source {
  std::string place;  ///< "queue.hpp:31"; empty if nothing is known
  std::string text;   ///< the line
};

struct telling {
  /// Name of an object: "global `ready`", "8 bytes into a block of 24 ..."; empty if there is none.
  std::function<std::string(location)> object;
  std::function<source(const void* site)> where;
  std::vector<mark> marks;
  bool racing = false;  ///< the two marks that fail are accesses that nothing orders
  /// How many events of each thread were made; later ones, recorded but not reached again, are left out.
  std::optional<std::array<unsigned, max_threads>> made;
  unsigned width = 140;
};

/// Threads as columns, one row an event in an order that respects program order and reads-from; then modification orders, and
/// which event of one thread comes after which of another.
std::string print_execution(const graph&, const telling&);

/// Remembers a mark for the report of this run: what finds a trouble calls it before fail(). begin_marks() forgets all.
void begin_marks();
void add_mark(mark);
const std::vector<mark>& marks();

// ---- troubles (trouble.cpp)

/// "data race", "use after free", ...; empty for none. What result::trouble holds.
const char* name_of(trouble_kind);
/// What to do about one, a sentence or two; empty where what found it says so.
const char* advice(trouble_kind);

// ---- tokens (token.cpp)

/// What tells one program from another that has grown out of it: threads, kinds, objects and orders of the events made.
std::uint32_t shape_of(const graph&, const std::array<unsigned, max_threads>& made);
/// The token a user is shown: model version, program, shape of the execution, and the explorer's own token.
std::string seal_token(const std::string& choices, const std::string& program, std::uint32_t shape);

struct opened_token {
  std::string choices;  ///< for exploration::replay
  std::uint32_t shape = 0;
  std::string wrong;  ///< not empty: why it can not be used, and what to do
};
opened_token open_token(const std::string& token, const std::string& program);
/// For a replayed execution of another shape than the token says.
std::string stale_token(const std::string& token);

// ---- numbers
/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);

}  // namespace acqrel::model
