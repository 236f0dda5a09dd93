// SPDX-License-Identifier: Apache-2.0
// flagserver/flag.hpp - one flag, ready to answer: its rule compiled, the texts of its answers written out.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "rule.hpp"

namespace flagserver {

/// Everything it refers to lies in the memory of its flag_set.
struct flag {
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  struct variant {
    std::string_view name;
    std::string_view answer;  // ,"value":...,"variant":"..."
  };

  std::string_view key;
  std::string_view set_id;            // empty: in no flag set
  std::string_view head;              // {"key":"...",
  std::string_view tail;              // ,"metadata":{...}} or }
  std::span<const variant> variants;  // sorted by name
  std::uint32_t default_variant = none;
  std::uint32_t next = none;  // another flag with this key, of another set, earlier in the file
  std::uint32_t order = 0;    // in the file
  bool enabled = true;
  bool targeted = false;    // there is a rule
  bool reads_time = false;  // and it may read $flagd.timestamp
  rule targeting;

  const variant* find_variant(std::string_view name) const noexcept;
};

}  // namespace flagserver
