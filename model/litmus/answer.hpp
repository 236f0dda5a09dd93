// What a litmus test comes to under a model: states, counts, verdict, a witness.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "enumerate.hpp"
#include "program.hpp"

namespace acqrel::model::litmus {

enum class observation : std::uint8_t { never, sometimes, always };

struct answer {
  std::uint64_t executions = 0;
  std::uint64_t positive = 0, negative = 0;  ///< executions in which the condition's proposition holds, and not
  std::vector<std::vector<number>> states;   ///< values of shown(program), sorted, each once
  std::optional<execution> witness;  ///< one in which the proposition holds, if any; without a race if it can be
  std::optional<execution> racy;     ///< one with a race
  bool cut = false;                  ///< loops were cut short
  observation seen() const {
    return positive == 0 ? observation::never : negative == 0 ? observation::always : observation::sometimes;
  }
  bool ok(const condition&) const;  ///< whether what the file claims is so
};

/// Throws too_large after `most_executions` of them; 0: no bound.
answer run(const program&, memory_model = memory_model::cxx20, std::uint64_t most_executions = 0);

/// The same to the letter of ISO C++20, which allows load buffering; nothing if that would take more than so many
/// combinations of values.
std::optional<answer> run_to_the_letter(const program&, const answer& by_default, double most_guesses = 20'000);

/// "0:r0=1; 1:r0=0;"
std::string state_text(const program&, const std::vector<number>& state);
const char* text(observation);   ///< "Never", ...
const char* text(memory_model);  ///< "c++20", ...

}  // namespace acqrel::model::litmus
