// SPDX-License-Identifier: Apache-2.0
#include "possible_results.hpp"

#include <algorithm>

#include "json_text.hpp"

namespace flagserver {

namespace {

using results = std::vector<std::string>;

void add(const value& result, const flag& made, results& out) {
  if (result.is_nothing()) return;
  std::string buffer;
  const std::string_view name = variant_name(result, buffer);
  if (made.find_variant(name) == nullptr && std::find(out.begin(), out.end(), name) == out.end())
    out.emplace_back(name);
}

void collect(const rule& node, const flag& made, results& out) {
  switch (node.code) {
    case operation::constant: return add(node.constant, made, out);
    case operation::if_:
      for (std::size_t i = 1; i < node.size; i += 2) collect(node.arguments[i], made, out);
      if (node.size % 2 == 1) collect(node.arguments[node.size - 1], made, out);
      return;
    case operation::fractional:
      for (const rule& each : node.all()) {
        if (each.code == operation::list && each.size != 0) collect(each.arguments[0], made, out);
        const bool pair = each.code == operation::constant && each.constant.is(kind::array) && each.constant.size != 0;
        if (pair) add(each.constant.items[0], made, out);
      }
      return;
    case operation::not_:
    case operation::truth:
    case operation::equal:
    case operation::strictly_equal:
    case operation::unequal:
    case operation::strictly_unequal:
    case operation::less:
    case operation::less_or_equal:
    case operation::greater:
    case operation::greater_or_equal:
    case operation::in:
    case operation::in_set:
    case operation::all:
    case operation::none:
    case operation::some:
    case operation::starts_with:
    case operation::ends_with:
    case operation::sem_ver:
      add(value::of(true), made, out);
      add(value::of(false), made, out);
      return;
    default: return;  // computed
  }
}

}  // namespace

results results_without_variant(const flag& made) {
  results out;
  collect(made.targeting, made, out);
  return out;
}

std::string_view variant_name(const value& result, std::string& buffer) {
  if (result.is(kind::string) && result.string().find('"') == std::string_view::npos) return result.string();
  buffer.clear();
  if (result.is(kind::string))
    buffer = result.string();
  else
    write_json(result, buffer);
  buffer.erase(std::remove(buffer.begin(), buffer.end(), '"'), buffer.end());
  return buffer;
}

}  // namespace flagserver
