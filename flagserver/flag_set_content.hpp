// SPDX-License-Identifier: Apache-2.0
// flagserver/flag_set_content.hpp - what a flag_set holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arena.hpp"
#include "flag.hpp"
#include "flag_set.hpp"

namespace flagserver {

struct flag_set::content {
  static constexpr std::size_t max_memory = std::size_t{4} << 30;

  arena memory{max_memory};
  std::vector<flag> flags;                                    // by flag set, then key
  std::unordered_map<std::string_view, std::uint32_t> index;  // key to the last flag in the file that has it
  std::vector<std::uint32_t> timed;                           // the flags that read the time
  std::string revision, source;
  fractional_version fractional = fractional_version::v2;
};

}  // namespace flagserver
