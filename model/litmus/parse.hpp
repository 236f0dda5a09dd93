// Reads herd's C litmus format.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "program.hpp"

namespace acqrel::model::litmus {

/// what() is ready to print: "SB.litmus:7:12: expected ...", the line, and a caret under the place.
struct syntax_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct parse_options {
  /// while and do loops are run at most this often; an execution that would go on longer is left out. 0: refuse loops.
  unsigned unroll = 4;
};

program parse(std::string_view text, const std::string& file = "litmus", const parse_options& = {});

}  // namespace acqrel::model::litmus
