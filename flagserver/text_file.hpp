// SPDX-License-Identifier: Apache-2.0
// flagserver/text_file.hpp - files as the commands read them.
#pragma once

#include <string>

#include "flag_set.hpp"

namespace flagserver {

/// The file's content. Throws std::system_error, whose what() names the path and the reason.
std::string read_text_file(const std::string& path);

/// .yaml and .yml are YAML, every other name is JSON.
text_format format_of(const std::string& path);

}  // namespace flagserver
