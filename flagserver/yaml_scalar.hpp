// SPDX-License-Identifier: Apache-2.0
// flagserver/yaml_scalar.hpp - what a YAML scalar without quotes means, by the rules of Go's yaml package.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "value.hpp"

namespace flagserver {

/// null, true, false or a number. Nothing for every other text, which means itself.
std::optional<value> yaml_scalar(std::string_view text);

/// .inf and .nan, which no JSON value can be.
bool is_not_finite(std::string_view text);

}  // namespace flagserver
