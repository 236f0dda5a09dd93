// SPDX-License-Identifier: Apache-2.0
// flagserver/eval.hpp - the subcommand `eval`: a flag file evaluated for requests that come one a line.
#pragma once

#include <iosfwd>
#include <string>

#include "flag_set.hpp"

namespace flagserver {

struct eval_options {
  std::string flags;
  fractional_version fractional = fractional_version::v2;
  std::string selector = {};
};

/// Reads {"flagKey":K,"context":{...}} a line and writes {"status":N,"body":{...}} a line, in order. Returns the exit
/// status: 1 if the flag file or the selector is not good, which `problems` then says.
int eval(const eval_options&, std::istream& in, std::ostream& out, std::ostream& problems);

}  // namespace flagserver
