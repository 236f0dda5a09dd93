// SPDX-License-Identifier: Apache-2.0
// flagserver/possible_results.hpp - what a rule can give, as far as it can be seen without running it.
#pragma once

#include <string>
#include <vector>

#include "flag.hpp"

namespace flagserver {

/// The constant results of the flag's rule that name none of its variants, each once.
std::vector<std::string> results_without_variant(const flag&);

/// What a result is looked up as among variants: its JSON text without quotes. `buffer` may hold the text.
std::string_view variant_name(const value& result, std::string& buffer);

}  // namespace flagserver
