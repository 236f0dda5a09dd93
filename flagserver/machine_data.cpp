// SPDX-License-Identifier: Apache-2.0
// Operators that reach into data and go through arrays.
#include <algorithm>

#include "coercion.hpp"
#include "machine.hpp"

namespace flagserver {

namespace {

/// The item that a key like "0" or "12" names; nothing for any other key.
const value* item_at(const value& list, std::string_view key) noexcept {
  constexpr std::size_t max_digits = 9;
  if (key.empty() || key.size() > max_digits || (key.size() > 1 && key[0] == '0')) return nullptr;
  std::size_t index = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index < list.size ? list.items + index : nullptr;
}

const value* child(const value& data, std::string_view key) noexcept {
  if (data.is(kind::object)) return data.find(key);
  return data.is(kind::array) ? item_at(data, key) : nullptr;
}

/// What a dotted path leads to from `data`, or nullptr.
const value* follow(const value& data, std::string_view path) noexcept {
  const value* at = &data;
  if (path.empty()) return at;
  while (at != nullptr) {
    const std::size_t dot = path.find('.');
    at = child(*at, path.substr(0, dot));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  return at;
}

}  // namespace

value machine::run_path(const rule& node, const value& data) {
  const value* at = &data;
  for (const value& key : node.constant) {
    at = child(*at, key.string());
    if (at == nullptr) return node.size != 0 ? run(node.arguments[0], data) : value{};
  }
  return *at;
}

value machine::run_var(const rule& node, const value& data) {
  const value key = argument(node, 0, data);
  if (key.is_nothing()) return data;
  if (const value* found = follow(data, text_of(key))) return *found;
  const value otherwise = argument(node, 1, data);
  return otherwise.is(kind::missing) ? value{} : otherwise;
}

value machine::missing_of(std::span<const value> keys, const value& data) {
  value* absent = scratch_.make<value>(keys.size());
  std::size_t count = 0;
  for (const value& key : keys) {
    const value* found = key.is_nothing() ? &data : follow(data, text_of(key));
    if (found == nullptr || found->is_nothing() || (found->is(kind::string) && found->size == 0)) absent[count++] = key;
  }
  return value::list(absent, count);
}

value machine::run_missing(const rule& node, const value& data) {
  const std::span<const value> keys = arguments(node, data);
  if (!keys.empty() && keys[0].is(kind::array)) return missing_of({keys[0].items, keys[0].size}, data);
  return missing_of(keys, data);
}

value machine::run_missing_some(const rule& node, const value& data) {
  const value needed = argument(node, 0, data), options = argument(node, 1, data);
  if (!options.is(kind::array)) return value::list(nullptr, 0);
  const value absent = missing_of({options.items, options.size}, data);
  const bool enough = static_cast<double>(options.size - absent.size) >= number_of(needed);
  return enough ? value::list(nullptr, 0) : absent;
}

value machine::run_in(const rule& node, const value& data) {
  const value what = argument(node, 0, data), where = argument(node, 1, data);
  if (where.is(kind::string)) {
    return value::of(where.size != 0 && where.string().find(text_of(what)) != std::string_view::npos);
  }
  if (!where.is(kind::array)) return value::of(false);
  return value::of(std::any_of(where.begin(), where.end(), [&](const value& v) { return strictly_equal(v, what); }));
}

value machine::run_in_set(const rule& node, const value& data) {
  const value what = run(node.arguments[0], data);
  if (!what.is(kind::string)) return value::of(false);
  const value& all = node.constant;
  const value* found = std::lower_bound(all.begin(), all.end(), what.string(),
                                        [](const value& v, std::string_view text) { return v.string() < text; });
  return value::of(found != all.end() && found->string() == what.string());
}

value machine::run_merge(const rule& node, const value& data) {
  value* parts = scratch_.make<value>(node.size);
  std::size_t total = 0;
  for (std::size_t i = 0; i < node.size; ++i) {
    parts[i] = run(node.arguments[i], data);
    total += parts[i].is(kind::array) ? parts[i].size : 1;
  }
  value* merged = scratch_.make<value>(total);
  value* to = merged;
  for (std::size_t i = 0; i < node.size; ++i) {
    if (parts[i].is(kind::array))
      to = std::copy(parts[i].begin(), parts[i].end(), to);
    else
      *to++ = parts[i];
  }
  return value::list(merged, total);
}

value machine::run_map(const rule& node, const value& data) {
  const value source = argument(node, 0, data);
  if (!source.is(kind::array)) return value::list(nullptr, 0);
  value* items = scratch_.make<value>(source.size);
  for (std::size_t i = 0; i < source.size; ++i) {
    const value item = argument(node, 1, source.items[i]);
    items[i] = item.is(kind::missing) ? value{} : item;
  }
  return value::list(items, source.size);
}

value machine::run_filter(const rule& node, const value& data) {
  const value source = argument(node, 0, data);
  if (!source.is(kind::array)) return value::list(nullptr, 0);
  value* items = scratch_.make<value>(source.size);
  std::size_t count = 0;
  for (const value& item : source) {
    if (truthy(argument(node, 1, item))) items[count++] = item;
  }
  return value::list(items, count);
}

value machine::run_reduce(const rule& node, const value& data) {
  const value source = argument(node, 0, data);
  value accumulator = argument(node, 2, data);
  if (accumulator.is(kind::missing)) accumulator = {};
  if (!source.is(kind::array)) return accumulator;
  for (const value& item : source) {
    // anew for each step: what a step returns may hold on to its data
    member* step = scratch_.make<member>(2);
    step[0] = {"accumulator", accumulator};
    step[1] = {"current", item};
    accumulator = argument(node, 1, value::dictionary(step, 2));
  }
  return accumulator;
}

value machine::run_quantifier(const rule& node, const value& data) {
  const value source = argument(node, 0, data);
  const bool all = node.code == operation::all;
  if (!source.is(kind::array) || source.size == 0) return value::of(node.code == operation::none);
  for (const value& item : source) {
    if (truthy(argument(node, 1, item)) != all) return value::of(node.code == operation::some);
  }
  return value::of(node.code != operation::some);
}

}  // namespace flagserver
