// SPDX-License-Identifier: Apache-2.0
// flagserver/source_map.hpp - where in a file each value and key stands, so that a complaint can point at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "value.hpp"

namespace flagserver {

/// Line and column count from 1, columns in characters. 0 is nowhere.
struct place {
  std::uint32_t line = 0, column = 0;
};

class source_map {
 public:
  void put_value(const value* v, place at) { places_[v] = at; }
  void put_key(const member* m, place at) { places_[m] = at; }
  void put_repeated(std::string_view key, place at) { repeated_.push_back({std::string(key), at}); }

  /// Where the value at this address was read from. Copies of a value are nowhere.
  place of_value(const value& v) const { return find(&v); }
  place of_key(const member& m) const { return find(&m); }

  struct repetition {
    std::string key;
    place at;
  };
  /// Keys that an object has already had; the last of each counts.
  const std::vector<repetition>& repeated() const noexcept { return repeated_; }

 private:
  place find(const void* address) const {
    const auto found = places_.find(address);
    return found == places_.end() ? place{} : found->second;
  }
  // a member's key is kept by the member's address, its content by the content's: they differ
  static_assert(offsetof(member, content) != 0);
  std::unordered_map<const void*, place> places_;
  std::vector<repetition> repeated_;
};

}  // namespace flagserver
