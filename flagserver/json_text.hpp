// SPDX-License-Identifier: Apache-2.0
// flagserver/json_text.hpp - JSON text read into values, with the place of each, and values written as JSON text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "arena.hpp"
#include "source_map.hpp"
#include "value.hpp"
#include "value_builder.hpp"

namespace flagserver {

/// Reads JSON text. Kept and used again, it takes no memory from the heap of its own.
class json_reader {
 public:
  /// Reads the whole of `text` into `memory`. False if it is not JSON or nests deeper than `max_depth`; error() and
  /// error_at() then say why and where. Places of values and repeated keys go to `places`, if given; that of the
  /// whole is kept for the address of `out`.
  bool read(std::string_view text, arena& memory, std::size_t max_depth, value& out, source_map* places = nullptr);

  const std::string& error() const noexcept { return error_; }
  place error_at() const noexcept { return error_at_; }

 private:
  class handler;
  bool fail(std::string why, std::string_view text, std::size_t offset);

  std::vector<loose_entry> open_;    // the members and items of what is not closed yet
  std::vector<std::size_t> starts_;  // for each open array or object, where its content begins in open_
  std::string part_;                 // of a string with escapes
  std::string error_;
  place error_at_;
};

/// Appends `v` as compact JSON. Numbers as JavaScript writes them; NaN, infinities and missing as null.
void write_json(const value& v, std::string& out);
/// Appends `text` as a JSON string, quotes included.
void write_json_string(std::string_view text, std::string& out);

}  // namespace flagserver
