// SPDX-License-Identifier: Apache-2.0
// flagserver/entity_tag.hpp - validators of bulk answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flagserver {

/// FNV-1a over `text`, going on from `seed`.
std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325U) noexcept;

/// `"<revision>-<16 hex digits>"`, quotes included. The revision alone would answer 304 to a client whose context has
/// changed; hashing the whole answer would need the evaluation that a 304 is to save.
std::string make_entity_tag(std::string_view revision, std::uint64_t hash);

/// If-None-Match as RFC 9110 13.1.2 has it: `*`, or a list compared weakly. The example in OFREP's specification has no
/// quotes, so a bare tag matches too.
bool matches_none_match(std::string_view header, std::string_view entity_tag) noexcept;

}  // namespace flagserver
