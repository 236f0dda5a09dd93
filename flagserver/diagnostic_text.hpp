// SPDX-License-Identifier: Apache-2.0
// flagserver/diagnostic_text.hpp - diagnostics as people read them: file, line, column, and the line itself.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "diagnostic.hpp"

namespace flagserver {

/// One paragraph for each diagnostic, as compilers write them, without a line end after the last:
///
///   demo.json:3:14: error: state must be ENABLED or DISABLED
///       3 |     "state": "ENABLD"
///         |              ^
std::string describe(std::span<const diagnostic> diagnostics, std::string_view path, std::string_view text);

/// The first error in one line, "3:14: state must be ...", or empty.
std::string first_error(std::span<const diagnostic> diagnostics);

}  // namespace flagserver
