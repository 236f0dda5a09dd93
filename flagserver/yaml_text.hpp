// SPDX-License-Identifier: Apache-2.0
// flagserver/yaml_text.hpp - YAML text read into the values that JSON text would give.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "arena.hpp"
#include "source_map.hpp"
#include "value.hpp"

namespace flagserver {

struct text_error {
  std::string message;
  place at;
};

/// Reads the one document in `text`. Plain scalars mean what Go's yaml package takes them for: true and false, null
/// and ~, integers and floats; yes, no, on and off are texts. Aliases and merge keys are followed.
/// An empty message in the result means success.
text_error read_yaml(std::string_view text, arena& memory, std::size_t max_depth, value& out, source_map& places);

}  // namespace flagserver
