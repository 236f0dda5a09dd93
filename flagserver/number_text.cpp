// SPDX-License-Identifier: Apache-2.0
#include "number_text.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace flagserver {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string_view real_text(double d, number_buffer& buffer) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  if (d == 0) return "0";

  // the shortest digits, as d.ddde+XX
  char scientific[32];
  const auto end = std::to_chars(scientific, scientific + sizeof scientific, d, std::chars_format::scientific).ptr;
  const char* from = scientific;
  char* to = buffer.bytes;
  if (*from == '-') *to++ = *from++;
  char digits[20];
  int count = 0;
  for (; *from != 'e'; ++from) {
    if (*from != '.') digits[count++] = *from;
  }
  int exponent = 0;
  std::from_chars(from + (from[1] == '+' ? 2 : 1), end, exponent);

  const int point = exponent + 1;  // where the decimal point falls among the digits
  const auto put = [&to](const char* what, int n) {
    std::memcpy(to, what, static_cast<std::size_t>(n));
    to += n;
  };
  const auto zeros = [&to](int n) {
    std::memset(to, '0', static_cast<std::size_t>(n));
    to += n;
  };
  if (count <= point && point <= 21) {
    put(digits, count);
    zeros(point - count);
  } else if (0 < point && point <= 21) {
    put(digits, point);
    *to++ = '.';
    put(digits + point, count - point);
  } else if (-6 < point && point <= 0) {
    put("0.", 2);
    zeros(-point);
    put(digits, count);
  } else {
    *to++ = digits[0];
    if (count > 1) {
      *to++ = '.';
      put(digits + 1, count - 1);
    }
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    to = std::to_chars(to, buffer.bytes + sizeof buffer.bytes, std::abs(exponent)).ptr;
  }
  return {buffer.bytes, static_cast<std::size_t>(to - buffer.bytes)};
}

/// Reads a decimal number at `text`'s front and removes it. NaN, and `text` unchanged, if there is none.
double take_decimal(std::string_view& text) {
  std::size_t at = 0;
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
  constexpr std::string_view infinity = "Infinity";
  if (text.substr(at, infinity.size()) == infinity) {
    text.remove_prefix(at + infinity.size());
    const double d = std::numeric_limits<double>::infinity();
    return negative ? -d : d;
  }
  const bool starts =
      at < text.size() && (is_digit(text[at]) || (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1])));
  if (!starts) return not_a_number;
  double d = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), d);
  if (error == std::errc::result_out_of_range) {
    d = std::strtod(std::string(text.data() + at, end).c_str(), nullptr);  // rare: an infinity or nearly nothing
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return negative ? -d : d;
}

/// 0x1f, 0o17, 0b101: the digits behind the prefix.
double radix_number(std::string_view digits, int radix) {
  if (digits.empty()) return not_a_number;
  double d = 0;
  for (const char c : digits) {
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 99;
    if (digit >= radix) return not_a_number;
    d = d * radix + digit;
  }
  return d;
}

}  // namespace

std::string_view number_text(const value& number, number_buffer& buffer) {
  if (number.is(kind::real)) return real_text(number.real, buffer);
  char* const end = buffer.bytes + sizeof buffer.bytes;
  const auto result = number.is(kind::integer) ? std::to_chars(buffer.bytes, end, number.integer)
                                               : std::to_chars(buffer.bytes, end, number.natural);
  return {buffer.bytes, static_cast<std::size_t>(result.ptr - buffer.bytes)};
}

double as_double(const value& number) noexcept {
  if (number.is(kind::integer)) return static_cast<double>(number.integer);
  if (number.is(kind::natural)) return static_cast<double>(number.natural);
  return number.real;
}

double number_from(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return 0;
  if (text.size() > 1 && text[0] == '0') {
    switch (text[1]) {
      case 'x':
      case 'X': return radix_number(text.substr(2), 16);
      case 'o':
      case 'O': return radix_number(text.substr(2), 8);
      case 'b':
      case 'B': return radix_number(text.substr(2), 2);
      default: break;
    }
  }
  const double d = take_decimal(text);
  return text.empty() ? d : not_a_number;
}

double number_prefix(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return take_decimal(text);
}

}  // namespace flagserver
