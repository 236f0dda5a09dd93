// SPDX-License-Identifier: Apache-2.0
#include "flag_set.hpp"

#include <algorithm>

#include "flag_set_content.hpp"

namespace flagserver {

const flag::variant* flag::find_variant(std::string_view name) const noexcept {
  constexpr std::size_t few = 12;
  if (variants.size() <= few) {
    for (const variant& each : variants) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }
  const auto found = std::lower_bound(variants.begin(), variants.end(), name,
                                      [](const variant& v, std::string_view n) { return v.name < n; });
  return found != variants.end() && found->name == name ? &*found : nullptr;
}

flag_set::flag_set(std::unique_ptr<content> made) noexcept : content_(std::move(made)) {}
flag_set::~flag_set() = default;

const std::string& flag_set::revision() const noexcept { return content_->revision; }
std::size_t flag_set::size() const noexcept { return content_->flags.size(); }
const std::string& flag_set::source() const noexcept { return content_->source; }
fractional_version flag_set::fractional() const noexcept { return content_->fractional; }
std::span<const flag> flag_set::flags() const noexcept { return content_->flags; }

bool flag_set::selects(const selector& wanted, const flag& candidate) const noexcept {
  return (!wanted.flag_set_id() || *wanted.flag_set_id() == candidate.set_id) &&
         (!wanted.source() || *wanted.source() == content_->source);
}

const flag* flag_set::find(std::string_view key, const selector& wanted) const noexcept {
  const auto found = content_->index.find(key);
  if (found == content_->index.end()) return nullptr;
  for (std::uint32_t at = found->second; at != flag::none; at = content_->flags[at].next) {
    if (selects(wanted, content_->flags[at])) return &content_->flags[at];
  }
  return nullptr;
}

bool flag_set::reads_time(const selector& wanted) const noexcept {
  const auto& timed = content_->timed;
  return std::any_of(timed.begin(), timed.end(),
                     [&](std::uint32_t at) { return selects(wanted, content_->flags[at]); });
}

}  // namespace flagserver
