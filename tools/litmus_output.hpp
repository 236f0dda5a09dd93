// Answers as herd prints them, and as JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "litmus_options.hpp"
#include "model/litmus/answer.hpp"

namespace acqrel::tools {

/// What became of one test.
struct test_result {
  std::string file;   ///< or the built-in test's name
  std::string name;   ///< the test's own
  std::string error;  ///< not empty: nothing else is known
  model::litmus::program program;
  model::litmus::answer answer;
  std::optional<model::litmus::answer> letter;  ///< by the letter of ISO C++20, if that differs
};

std::string as_text(const test_result&, const litmus_options&);
/// A line of a table, for many tests at once.
std::string as_line(const test_result&);
/// One object, without the comma after it.
std::string as_json(const test_result&, const litmus_options&);
/// The drawn execution, or what there is none of.
std::string as_picture(const test_result&, const litmus_options&);

}  // namespace acqrel::tools
