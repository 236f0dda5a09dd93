// SPDX-License-Identifier: Apache-2.0
#include "flag_changes.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

#include "entity_tag.hpp"
#include "flag.hpp"
#include "json_text.hpp"

namespace flagserver {

namespace {

constexpr std::size_t names_shown = 5;

/// Text that two rules share only if they mean the same.
void append_rule(std::string& out, const rule& r) {
  out += std::to_string(static_cast<unsigned>(r.code)) + (r.bare ? "!" : "") + '(';
  write_json(r.constant, out);
  for (const rule& argument : r.all()) {
    out += ',';
    append_rule(out, argument);
  }
  out += ')';
}

std::uint64_t digest(const flag& f) {
  std::string text(f.head);
  text += f.tail;
  text += f.enabled ? "+" : "-";
  if (f.default_variant != flag::none) text += f.variants[f.default_variant].name;
  for (const flag::variant& v : f.variants) text += v.answer;
  if (f.targeted) append_rule(text, f.targeting);
  return hash_text(text);
}

void append_kind(std::string& out, std::string_view kind, const std::vector<std::string_view>& names) {
  if (names.empty()) return;
  if (!out.empty()) out += ", ";
  out += std::to_string(names.size()) + ' ';
  out += kind;
  for (std::size_t i = 0; i < names.size() && i < names_shown; ++i) {
    out += i == 0 ? " (" : ", ";
    out += names[i];
  }
  out += names.size() > names_shown ? ", ...)" : ")";
}

}  // namespace

flag_digests digest(const flag_set& flags) {
  flag_digests all;
  for (const flag& f : flags.flags()) all[{std::string(f.set_id), std::string(f.key)}] = digest(f);
  return all;
}

std::string describe_changes(const flag_digests& before, const flag_digests& after) {
  std::vector<std::string_view> added, changed, removed;
  for (const auto& [id, hash] : after) {
    const auto old = before.find(id);
    if (old == before.end())
      added.push_back(id.second);
    else if (old->second != hash)
      changed.push_back(id.second);
  }
  for (const auto& [id, hash] : before)
    if (!after.contains(id)) removed.push_back(id.second);
  std::string text;
  append_kind(text, "added", added);
  append_kind(text, "changed", changed);
  append_kind(text, "removed", removed);
  return text.empty() ? "no flag changed" : text;
}

}  // namespace flagserver
