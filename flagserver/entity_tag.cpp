// SPDX-License-Identifier: Apache-2.0
#include "entity_tag.hpp"

namespace flagserver {

namespace {

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Length of the first list element: a quoted part may hold a comma.
std::size_t element_length(std::string_view list) noexcept {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (list[i] == ',' && !quoted) return i;
  }
  return list.size();
}

}  // namespace

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
  for (const char c : text) {
    seed ^= static_cast<unsigned char>(c);
    seed *= 0x100000001b3U;
  }
  return seed;
}

std::string make_entity_tag(std::string_view revision, std::uint64_t hash) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string tag = "\"";
  tag += revision;
  tag += '-';
  for (int shift = 60; shift >= 0; shift -= 4) tag += digits[(hash >> shift) & 15];
  tag += '"';
  return tag;
}

bool matches_none_match(std::string_view header, std::string_view entity_tag) noexcept {
  const std::string_view bare = entity_tag.substr(1, entity_tag.size() - 2);
  while (!header.empty()) {
    const std::size_t length = element_length(header);
    std::string_view element = trim(header.substr(0, length));
    header.remove_prefix(length == header.size() ? length : length + 1);
    if (element == "*") return true;
    if (element.starts_with("W/") || element.starts_with("w/")) element.remove_prefix(2);
    if (element == entity_tag || element == bare) return true;
  }
  return false;
}

}  // namespace flagserver
