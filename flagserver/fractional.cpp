// SPDX-License-Identifier: Apache-2.0
#include "fractional.hpp"

#include <optional>

#include "cbor.hpp"
#include "hash.hpp"

namespace flagserver {

namespace {

constexpr std::int64_t max_weight = 0x7FFFFFFF;  // of one variant and of all together

/// Nothing if `pair` is no [variant, weight?] that may take part.
std::optional<std::int64_t> weight_of(const value& pair) noexcept {
  if (!pair.is(kind::array) || pair.size == 0) return std::nullopt;
  const value& variant = pair.items[0];
  if (variant.is(kind::array) || variant.is(kind::object)) return std::nullopt;
  if (pair.size == 1 || pair.items[1].is_nothing()) return 1;
  const value& weight = pair.items[1];
  if (!weight.is(kind::integer) || weight.integer > max_weight) return std::nullopt;
  return weight.integer < 0 ? 0 : weight.integer;  // a computed roll-out may fall below nothing
}

std::string_view targeting_key(const fractional_scope& scope) noexcept {
  const value* key = scope.data.find("targetingKey");
  return key != nullptr && key->is(kind::string) ? key->string() : std::string_view{};
}

value choose_v2(std::span<const value> arguments, const fractional_scope& scope) noexcept {
  const value& first = arguments.front();
  if (first.is(kind::string)) return distribute(murmur3(first.string()), arguments.subspan(1));
  const std::string_view user = targeting_key(scope);
  if (user.empty()) return {};
  return distribute(murmur3(scope.flag_key, user), arguments.subspan(first.is_nothing() ? 1 : 0));
}

value choose_v3(std::span<const value> arguments, const fractional_scope& scope, std::string& buffer, arena& scratch) {
  const value& first = arguments.front();
  if (first.is_nothing()) return {};
  buffer.clear();
  if (!first.is(kind::array)) {
    append_cbor(first, scratch, buffer);
    return distribute(murmur3(buffer), arguments.subspan(1));
  }
  const std::string_view user = targeting_key(scope);
  if (user.empty()) return {};
  append_cbor_array(2, buffer);
  append_cbor_text(scope.flag_key, buffer);
  append_cbor_text(user, buffer);
  return distribute(murmur3(buffer), arguments);
}

}  // namespace

value distribute(std::uint32_t hash, std::span<const value> distributions) noexcept {
  std::int64_t total = 0;
  for (const value& pair : distributions) {
    const auto weight = weight_of(pair);
    if (!weight) return {};
    total += *weight;
    if (total > max_weight) return {};
  }
  auto bucket = static_cast<std::int64_t>(static_cast<std::uint64_t>(hash) * static_cast<std::uint64_t>(total) >> 32);
  for (const value& pair : distributions) {
    bucket -= *weight_of(pair);
    if (bucket < 0) return pair.items[0];
  }
  return {};  // nothing weighs anything
}

value fractional(fractional_version version, std::span<const value> arguments, const fractional_scope& scope,
                 std::string& buffer, arena& scratch) {
  if (arguments.empty()) return {};
  return version == fractional_version::v2 ? choose_v2(arguments, scope) : choose_v3(arguments, scope, buffer, scratch);
}

}  // namespace flagserver
