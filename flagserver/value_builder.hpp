// SPDX-License-Identifier: Apache-2.0
// flagserver/value_builder.hpp - arrays and objects put together from what a parser has found.
#pragma once

#include <cstdint>
#include <span>

#include "arena.hpp"
#include "source_map.hpp"
#include "value.hpp"

namespace flagserver {

/// A member, or an item with an empty key, that has no array or object around it yet.
struct loose_entry {
  member entry;
  std::uint32_t order = 0;  // among its siblings
  place key_at, value_at;
};

/// The object of `entries`, which are sorted on the way. The last of equal keys counts; `places`, if given, is told.
value make_object(std::span<loose_entry> entries, arena& memory, source_map* places);
value make_array(std::span<const loose_entry> entries, arena& memory, source_map* places);

}  // namespace flagserver
