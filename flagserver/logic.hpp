// SPDX-License-Identifier: Apache-2.0
// flagserver/logic.hpp - the subcommand `logic`: a rule on data, to try out what a rule does.
#pragma once

#include <iosfwd>

#include "fractional.hpp"

namespace flagserver {

/// Reads {"rule":R,"data":D} a line and writes {"result":V} or {"error":"..."} a line, in order. Returns 0.
int logic(fractional_version, std::istream& in, std::ostream& out);

}  // namespace flagserver
