// SPDX-License-Identifier: Apache-2.0
// flagserver/diagnostic.hpp - what is wrong with a flag file, and where.
#pragma once

#include <cstddef>
#include <string>

namespace flagserver {

struct diagnostic {
  enum class severity : unsigned char { error, warning };
  severity level;
  std::string message;
  std::size_t line, column;  ///< both from 1; 0 means the file as a whole
};

}  // namespace flagserver
