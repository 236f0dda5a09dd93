// Text, and the parts that explanations are put together from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "corpus.hpp"
#include "cycle.hpp"
#include "draw.hpp"

namespace acqrel::model::litmus {

std::string padded(std::string text, std::size_t width);
/// Paragraphs, broken at spaces; `first` begins the first line, the others are indented to match.
std::string wrapped(std::string_view text, const std::string& first = "    ");
std::string indented(const std::string& text);
std::string heading(const std::string& text);
/// "a, b and c"
std::string listed(const std::vector<std::string>& names);
/// "1 execution", "2 executions"
std::string counted(std::uint64_t n, const char* what);
const char* in_words(observation);

/// "a -sb-> b -rf-> c": steps from .. to-1 of a path.
std::string letters(const drawing&, const std::vector<step>&, std::size_t from, std::size_t to);
/// Why an execution is not one of the model's.
std::string reason(const drawing&, const verdict&);

std::string explain_shape(const shape&);

}  // namespace acqrel::model::litmus
