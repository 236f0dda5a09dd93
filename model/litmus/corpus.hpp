// The built-in litmus tests, under the literature's names, as text in herd's format with the answers that are known.
// docs/litmus.md says how the names are made: SHAPE+ORDERS, such as MP+ra or IRIW+rel+sc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"

namespace acqrel::model::litmus {

/// What a test is known to come to, from the literature, other tools, or by hand.
struct expectation {
  memory_model model = memory_model::cxx20;
  observation seen = observation::never;
  std::optional<std::uint64_t> executions;
  bool race = false;
};

struct entry {
  std::string name;                   ///< "SB+ra"
  std::string family;                 ///< "SB", "relseq", "quiz", ...
  std::string summary;                ///< one line
  std::string text;                   ///< the program, in herd's format
  std::vector<expectation> expected;  ///< one for a model at most; empty: nothing is claimed beforehand
  std::string notes;                  ///< paragraphs for --explain, where the summary is not enough
};

/// All of them: shapes first, each in every variant, then the discriminators, then the quizzes.
const std::vector<entry>& corpus();
/// The test of this name, upper or lower case, or nullptr.
const entry* find_entry(std::string_view name);
/// Tests whose name matches: a name, a family ("SB" gives all its variants), or a pattern with * and ?.
std::vector<const entry*> matching(std::string_view pattern);
/// Families in order, each once.
std::vector<std::string> families();
/// What the tests of a family have in common, in a line.
std::string about_family(std::string_view family);

// ---- the shapes behind most of it
struct access {
  bool write = false;
  char location = 'x';
  int value = 0;  ///< of a write
};

struct shape {
  std::string name;
  std::vector<std::vector<access>> threads;
  std::string weak;  ///< the outcome in question, as a herd proposition
  std::string summary;
};
const std::vector<shape>& shapes();

/// How the accesses of a shape are ordered.
struct variant {
  std::string name;  ///< "ra+f.sc"
  order stores = order::relaxed, loads = order::relaxed;
  enum class fences : std::uint8_t { none, fitting, acq_rel, seq_cst } between = fences::none;
};
const std::vector<variant>& variants();

}  // namespace acqrel::model::litmus
