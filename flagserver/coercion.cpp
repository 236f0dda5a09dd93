// SPDX-License-Identifier: Apache-2.0
#include "coercion.hpp"

#include <cmath>
#include <compare>
#include <limits>

#include "arena.hpp"
#include "number_text.hpp"

namespace flagserver {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t max_text_depth = 1024;
constexpr std::size_t max_text_size = std::size_t{16} << 20;

bool is_structure(const value& v) noexcept { return v.is(kind::array) || v.is(kind::object); }

void append(const value& v, std::string& out, bool joined, std::size_t depth) {
  if (depth > max_text_depth) throw limit_exceeded{"nested too deep"};
  if (out.size() > max_text_size) throw limit_exceeded{"text too long"};
  switch (v.type) {
    case kind::missing:
      if (!joined) out += "undefined";
      return;
    case kind::null:
      if (!joined) out += "null";
      return;
    case kind::boolean: out += v.boolean ? "true" : "false"; return;
    case kind::string: out += v.string(); return;
    case kind::integer:
    case kind::natural:
    case kind::real: {
      number_buffer buffer;
      out += number_text(v, buffer);
      return;
    }
    case kind::array:
      for (const value* item = v.begin(); item != v.end(); ++item) {
        if (item != v.begin()) out += ',';
        append(*item, out, true, depth + 1);
      }
      return;
    case kind::object: out += "[object Object]"; return;
  }
}

std::partial_ordering compare_numbers(const value& a, const value& b) noexcept {
  if (a.is(kind::integer) && b.is(kind::integer)) return a.integer <=> b.integer;
  if (a.is(kind::natural) && b.is(kind::natural)) return a.natural <=> b.natural;
  return as_double(a) <=> as_double(b);
}

/// Arrays and objects compare as their text; `buffer` receives both texts one after the other.
std::partial_ordering compare(const value& a, const value& b, std::string& buffer) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is(kind::string) && b.is(kind::string)) return a.string().compare(b.string()) <=> 0;
  const bool both_texts = (a.is(kind::string) || is_structure(a)) && (b.is(kind::string) || is_structure(b));
  if (!both_texts) return number_of(a) <=> number_of(b);
  buffer.clear();
  append_text(a, buffer);
  const std::size_t middle = buffer.size();
  append_text(b, buffer);
  const std::string_view texts = buffer;
  return texts.substr(0, middle).compare(texts.substr(middle)) <=> 0;
}

}  // namespace

bool truthy(const value& v) noexcept {
  switch (v.type) {
    case kind::missing:
    case kind::null: return false;
    case kind::boolean: return v.boolean;
    case kind::integer: return v.integer != 0;
    case kind::natural: return true;
    case kind::real: return v.real != 0 && !std::isnan(v.real);
    case kind::string:
    case kind::array: return v.size != 0;
    case kind::object: return true;
  }
  return false;
}

double number_of(const value& v) {
  const value* inner = &v;
  // [x] is the number that the text of x spells
  for (; inner->is(kind::array); inner = inner->items) {
    if (inner->size == 0) return 0;
    if (inner->size > 1) return not_a_number;
  }
  switch (inner->type) {
    case kind::missing: return inner == &v ? not_a_number : 0;
    case kind::null: return 0;
    case kind::boolean: return inner == &v ? static_cast<double>(v.boolean) : not_a_number;
    case kind::string: return number_from(inner->string());
    case kind::integer:
    case kind::natural:
    case kind::real: return as_double(*inner);
    default: return not_a_number;
  }
}

double parsed_number_of(const value& v) {
  const value* inner = &v;
  // the text of an array begins with that of its first item
  for (; inner->is(kind::array); inner = inner->items) {
    if (inner->size == 0) return not_a_number;
  }
  if (inner->is_number()) return as_double(*inner);
  if (inner->is(kind::string)) return number_prefix(inner->string());
  return not_a_number;
}

void append_text(const value& v, std::string& out) { append(v, out, false, 0); }

void append_joined_text(const value& v, std::string& out) { append(v, out, true, 0); }

bool strictly_equal(const value& a, const value& b) noexcept {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.type != b.type) return false;
  switch (a.type) {
    case kind::boolean: return a.boolean == b.boolean;
    case kind::string: return a.string() == b.string();
    case kind::array: return a.items == b.items && a.size == b.size;
    case kind::object: return a.members == b.members && a.size == b.size;
    default: return true;
  }
}

bool loosely_equal(const value& a, const value& b, std::string& buffer) {
  if (a.is_nothing() || b.is_nothing()) return a.is_nothing() && b.is_nothing();
  if (a.type == b.type || (is_structure(a) && is_structure(b))) return strictly_equal(a, b);
  return compare(a, b, buffer) == 0;
}

bool less(const value& a, const value& b, std::string& buffer) { return compare(a, b, buffer) < 0; }

bool less_or_equal(const value& a, const value& b, std::string& buffer) { return compare(a, b, buffer) <= 0; }

}  // namespace flagserver
