// SPDX-License-Identifier: Apache-2.0
#include "semver.hpp"

#include <cstddef>

namespace flagserver {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_identifier_character(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

bool is_all_digits(std::string_view text) noexcept {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

bool has_leading_zero(std::string_view digits) noexcept { return digits.size() > 1 && digits[0] == '0'; }

/// Takes a number without leading zeros from the front of `text`.
bool take_number(std::string_view& text, std::string_view& number) noexcept {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  number = text.substr(0, n);
  text.remove_prefix(n);
  return n != 0 && !has_leading_zero(number);
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// The identifier up to the next dot, taken with the dot from the front of `text`.
std::string_view take_identifier(std::string_view& text) noexcept {
  const std::size_t dot = text.find('.');
  const std::string_view identifier = text.substr(0, dot);
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return identifier;
}

bool are_identifiers(std::string_view text, bool zeros_may_lead) noexcept {
  if (text.empty() || text.back() == '.') return false;
  while (!text.empty()) {
    const std::string_view identifier = take_identifier(text);
    if (identifier.empty()) return false;
    for (const char c : identifier) {
      if (!is_identifier_character(c)) return false;
    }
    if (!zeros_may_lead && is_all_digits(identifier) && has_leading_zero(identifier)) return false;
  }
  return true;
}

int sign(int n) noexcept { return (n > 0) - (n < 0); }

int compare_numbers(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return sign(a.compare(b));
}

int compare_prereleases(std::string_view a, std::string_view b) noexcept {
  if (a.empty() || b.empty()) return static_cast<int>(a.empty()) - static_cast<int>(b.empty());
  while (!a.empty() && !b.empty()) {
    const std::string_view x = take_identifier(a), y = take_identifier(b);
    const bool x_number = is_all_digits(x), y_number = is_all_digits(y);
    if (x_number != y_number) return x_number ? -1 : 1;
    const int order = x_number ? compare_numbers(x, y) : sign(x.compare(y));
    if (order != 0) return order;
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

}  // namespace

std::optional<semantic_version> semantic_version::parse(std::string_view text) noexcept {
  if (!take(text, 'v')) take(text, 'V');
  semantic_version version{"", "0", "0", ""};
  if (!take_number(text, version.major)) return std::nullopt;
  if (text.empty()) return version;
  if (!take(text, '.') || !take_number(text, version.minor)) return std::nullopt;
  if (text.empty()) return version;
  if (!take(text, '.') || !take_number(text, version.patch)) return std::nullopt;
  if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!are_identifiers(text.substr(plus + 1), true)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (text.empty()) return version;
  if (!take(text, '-') || !are_identifiers(text, false)) return std::nullopt;
  version.prerelease = text;
  return version;
}

int semantic_version::compare(const semantic_version& other) const noexcept {
  if (const int order = compare_numbers(major, other.major)) return order;
  if (const int order = compare_numbers(minor, other.minor)) return order;
  if (const int order = compare_numbers(patch, other.patch)) return order;
  return compare_prereleases(prerelease, other.prerelease);
}

std::optional<bool> compare_versions(std::string_view left, std::string_view operation,
                                     std::string_view right) noexcept {
  const auto a = semantic_version::parse(left), b = semantic_version::parse(right);
  if (!a || !b) return std::nullopt;
  if (operation == "^") return a->major == b->major;
  if (operation == "~") return a->major == b->major && a->minor == b->minor;
  const int order = a->compare(*b);
  if (operation == "=") return order == 0;
  if (operation == "!=") return order != 0;
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  if (operation == ">=") return order >= 0;
  return std::nullopt;
}

}  // namespace flagserver
