// What the corpus is put together from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "corpus.hpp"

namespace acqrel::model::litmus {

void add_shapes(std::vector<entry>& to);
void add_discriminators(std::vector<entry>& to);
void add_quizzes(std::vector<entry>& to);

/// P0(...) { ... } and so on.
std::string text_of_threads(const shape&, const variant&);
/// The fence that stands between two accesses of a thread.
std::optional<order> fence_between(const access& first, const access& second, const variant&);

}  // namespace acqrel::model::litmus
