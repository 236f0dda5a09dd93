// SPDX-License-Identifier: Apache-2.0
// Operators on text, and the three that flagd adds.
#include <algorithm>
#include <cmath>

#include "coercion.hpp"
#include "machine.hpp"
#include "number_text.hpp"
#include "semver.hpp"

namespace flagserver {

namespace {

bool begins_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// Where character number `n` begins; the end if there are fewer.
std::size_t offset_of(std::string_view text, std::size_t n) noexcept {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (begins_character(text[at]) && n-- == 0) break;
  }
  return at;
}

/// JavaScript's substr, in characters.
std::string_view part(std::string_view text, double start, double length) noexcept {
  const auto size = static_cast<double>(characters(text));
  start = std::isnan(start) ? 0 : std::trunc(start);
  if (start < 0) start = std::max(size + start, 0.0);
  start = std::min(start, size);
  length = std::isnan(length) ? 0 : std::clamp(std::trunc(length), 0.0, size - start);
  text.remove_prefix(offset_of(text, static_cast<std::size_t>(start)));
  return text.substr(0, offset_of(text, static_cast<std::size_t>(length)));
}

}  // namespace

std::string_view machine::text_of(const value& v) {
  if (v.is(kind::string)) return v.string();
  buffer_.clear();
  append_text(v, buffer_);
  return scratch_.copy(buffer_);
}

value machine::run_cat(const rule& node, const value& data) {
  value* parts = scratch_.make<value>(node.size);
  for (std::size_t i = 0; i < node.size; ++i) parts[i] = run(node.arguments[i], data);
  buffer_.clear();
  for (std::size_t i = 0; i < node.size; ++i) append_joined_text(parts[i], buffer_);
  return value::of(scratch_.copy(buffer_));
}

value machine::run_substr(const rule& node, const value& data) {
  const std::string_view text = text_of(argument(node, 0, data));
  const double start = number_of(argument(node, 1, data));
  const value end = argument(node, 2, data);
  constexpr double everything = std::numeric_limits<double>::infinity();
  if (end.is(kind::missing)) return value::of(part(text, start, everything));
  const double length = number_of(end);
  if (!(length < 0)) return value::of(part(text, start, length));
  const std::string_view rest = part(text, start, everything);  // a negative length leaves out as many at the end
  return value::of(part(rest, 0, static_cast<double>(characters(rest)) + std::trunc(length)));
}

value machine::run_fractional(const rule& node, const value& data) {
  return fractional(version_, arguments(node, data), {flag_key_, data}, buffer_, scratch_);
}

value machine::run_affix(const rule& node, const value& data) {
  const std::span<const value> both = arguments(node, data);
  if (both.size() != 2 || !both[0].is(kind::string) || !both[1].is(kind::string)) return {};
  const std::string_view text = both[0].string(), affix = both[1].string();
  return value::of(node.code == operation::starts_with ? text.starts_with(affix) : text.ends_with(affix));
}

value machine::run_sem_ver(const rule& node, const value& data) {
  const std::span<const value> all = arguments(node, data);
  if (all.size() != 3 || !all[1].is(kind::string)) return {};
  number_buffer buffers[2];
  const auto version = [&](const value& v, number_buffer& buffer) -> std::string_view {
    if (v.is(kind::string)) return v.string();
    return v.is_number() ? number_text(v, buffer) : std::string_view{};  // which is no version
  };
  const auto result = compare_versions(version(all[0], buffers[0]), all[1].string(), version(all[2], buffers[1]));
  return result ? value::of(*result) : value{};
}

}  // namespace flagserver
