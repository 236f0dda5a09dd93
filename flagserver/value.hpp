// SPDX-License-Identifier: Apache-2.0
// flagserver/value.hpp - a JSON value as the engine computes with it: sixteen bytes that own nothing.
//
// Text, items and members lie in an arena or in a flag_set, so a value is copied like a number and never freed.
// Objects are sorted by key and hold each key once. Whole numbers that fit are integers however they were spelled
// (1, 1.0 and 1e0 are the same value); `natural` holds those above the range of std::int64_t.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flagserver {

/// How deep arrays and objects may nest: in a flag file (rules nest two levels for each operator), in a request.
inline constexpr std::size_t max_file_depth = 512;
inline constexpr std::size_t max_request_depth = 128;

/// `missing` is an argument that was not given: JavaScript's undefined.
enum class kind : unsigned char { missing, null, boolean, integer, natural, real, string, array, object };

struct member;

struct value {
  kind type = kind::null;
  std::uint32_t size = 0;  // of string, array, object
  union {
    bool boolean;
    std::int64_t integer = 0;
    std::uint64_t natural;
    double real;
    const char* text;
    const value* items;
    const member* members;
  };

  static value missing() noexcept { return with(kind::missing); }
  static value of(bool b) noexcept {
    value v = with(kind::boolean);
    v.boolean = b;
    return v;
  }
  static value of(std::int64_t i) noexcept {
    value v = with(kind::integer);
    v.integer = i;
    return v;
  }
  /// An integer where `u` fits one, else a natural.
  static value of(std::uint64_t u) noexcept;
  /// An integer or natural where `d` is whole and in range, else a real.
  static value of(double d) noexcept;
  static value of(std::string_view s) noexcept {
    value v = with(kind::string, s.size());
    v.text = s.data();
    return v;
  }
  static value of(const char*) = delete;  // would be a bool
  static value list(const value* items, std::size_t size) noexcept {
    value v = with(kind::array, size);
    v.items = items;
    return v;
  }
  /// `members` must be sorted by key, without duplicates.
  static value dictionary(const member* members, std::size_t size) noexcept {
    value v = with(kind::object, size);
    v.members = members;
    return v;
  }

  bool is(kind k) const noexcept { return type == k; }
  bool is_nothing() const noexcept { return type <= kind::null; }
  bool is_number() const noexcept { return type >= kind::integer && type <= kind::real; }
  std::string_view string() const noexcept { return {text, size}; }

  const value* begin() const noexcept { return items; }
  const value* end() const noexcept { return items + size; }

  /// The value of `key` in an object, or nullptr.
  const value* find(std::string_view key) const noexcept;

 private:
  static value with(kind k, std::size_t size = 0) noexcept {
    value v;
    v.type = k;
    v.size = static_cast<std::uint32_t>(size);
    return v;
  }
};
static_assert(sizeof(value) == 16);

struct member {
  std::string_view key;
  value content;
};

}  // namespace flagserver
