// SPDX-License-Identifier: Apache-2.0
// flagserver/fractional.hpp - flagd's `fractional`: a weighted choice that is the same for the same user every time.
//
// A hash of the bucketing value is a point on a line on which the variants lie one after the other, each as long as
// its weight. So a larger weight for the first variant only moves users into it, never out of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "arena.hpp"
#include "value.hpp"

namespace flagserver {

enum class fractional_version : unsigned char { v2, v3 };

/// What a fractional rule stands in: the flag's key, and the data of the rule, whose targetingKey counts.
struct fractional_scope {
  std::string_view flag_key;
  const value& data;
};

/// The chosen variant; null where the arguments leave no choice. v2 hashes text, v3 the CBOR of any value.
/// `buffer` and `scratch` are working memory.
value fractional(fractional_version, std::span<const value> arguments, const fractional_scope&, std::string& buffer,
                 arena& scratch);

/// The variant at `hash` among [variant, weight?] pairs; null if they are no such pairs or weigh nothing.
value distribute(std::uint32_t hash, std::span<const value> distributions) noexcept;

}  // namespace flagserver
