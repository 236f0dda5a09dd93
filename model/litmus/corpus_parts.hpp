// What the corpus is put together from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "corpus.hpp"

namespace acqrel::model::litmus {

void add_shapes(std::vector<entry>& to);
void add_publication(std::vector<entry>& to);
void add_seq_cst(std::vector<entry>& to);
void add_atomicity(std::vector<entry>& to);
void add_quizzes(std::vector<entry>& to);

/// Puts "C name", the summary as a comment, and an initial state if there is none, before the threads of a test.
entry make_entry(const char* name, const char* family, const char* summary, const std::string& threads,
                 const expectation&);

/// What a test comes to under the default model.
inline expectation cxx20(observation seen, std::optional<std::uint64_t> executions = {}) {
  return {memory_model::cxx20, seen, executions, false};
}
inline expectation races(observation seen, std::optional<std::uint64_t> executions = {}) {
  return {memory_model::cxx20, seen, executions, true};
}

/// P0(...) { ... } and so on.
std::string text_of_threads(const shape&, const variant&);
/// The fence that stands between two accesses of a thread.
std::optional<order> fence_between(const access& first, const access& second, const variant&);

}  // namespace acqrel::model::litmus
