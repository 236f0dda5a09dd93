// SPDX-License-Identifier: Apache-2.0
#include "yaml_scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace flagserver {

namespace {

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&all)[N]) {
  return std::find(std::begin(all), std::end(all), text) != std::end(all);
}

std::optional<value> whole_number(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1] | 0x20;
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!negative) return value::of(magnitude);
  if (magnitude <= std::uint64_t{1} << 63) return value::of(static_cast<std::int64_t>(0 - magnitude));
  return std::nullopt;
}

std::optional<value> decimal_number(std::string_view text) {
  if (text.front() == '+') text.remove_prefix(1);
  const std::size_t sign = !text.empty() && text.front() == '-' ? 1 : 0;
  if (text.find_first_not_of("0123456789.eE+-", sign) != std::string_view::npos) return std::nullopt;  // inf, nan
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value::of(d);
}

std::optional<value> number_in(std::string_view scalar) {
  const char first = scalar.front();
  if (!(first >= '0' && first <= '9') && first != '-' && first != '+' && first != '.') return std::nullopt;
  std::string text(scalar);
  text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
  if (text.empty()) return std::nullopt;
  if (const auto whole = whole_number(text)) return whole;
  return decimal_number(text);
}

}  // namespace

std::optional<value> yaml_scalar(std::string_view text) {
  constexpr std::string_view nothing[] = {"", "~", "null", "Null", "NULL"};
  constexpr std::string_view yes[] = {"true", "True", "TRUE"}, no[] = {"false", "False", "FALSE"};
  if (is_one_of(text, nothing)) return value{};
  if (is_one_of(text, yes)) return value::of(true);
  if (is_one_of(text, no)) return value::of(false);
  return number_in(text);
}

bool is_not_finite(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  constexpr std::string_view all[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
  return is_one_of(text, all);
}

}  // namespace flagserver
