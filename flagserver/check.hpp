// SPDX-License-Identifier: Apache-2.0
// flagserver/check.hpp - the subcommand `check`: is this flag file good, and if not, where not?
#pragma once

#include <iosfwd>
#include <string>

#include "flag_set.hpp"

namespace flagserver {

/// Prints what is wrong with the file at `path`, and one line that sums up. Returns the exit status: 1 if a server would
/// not take the file. Throws std::system_error if it cannot be read.
int check(const std::string& path, fractional_version, std::ostream& out);

}  // namespace flagserver
