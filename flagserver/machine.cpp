// SPDX-License-Identifier: Apache-2.0
// The dispatch, control flow, comparison and arithmetic. Operators on data and text are in machine_data.cpp and
// machine_text.cpp. Each operator is a function of its own, so that the frame of run(), which recurses, stays small.
#include "machine.hpp"

#include <cmath>
#include <limits>

#include "coercion.hpp"

namespace flagserver {

value machine::run(const rule& node, const value& data) {
  if (++steps_ > max_steps) throw limit_exceeded{"too many steps"};
  switch (node.code) {
    case operation::constant: return node.constant;
    case operation::list: return run_list(node, data);
    case operation::path: return run_path(node, data);
    case operation::in_set: return run_in_set(node, data);
    case operation::unknown: return fail("unknown operator", node.constant.string());
    case operation::if_:
    case operation::if_alias: return run_if(node, data);
    case operation::and_:
    case operation::or_: return run_logic(node, data);
    case operation::not_: return value::of(!truthy(argument(node, 0, data)));
    case operation::truth: return value::of(truthy(argument(node, 0, data)));
    case operation::equal:
    case operation::strictly_equal:
    case operation::unequal:
    case operation::strictly_unequal:
    case operation::less:
    case operation::less_or_equal:
    case operation::greater:
    case operation::greater_or_equal: return run_comparison(node, data);
    case operation::add:
    case operation::subtract:
    case operation::multiply:
    case operation::divide:
    case operation::remainder: return run_arithmetic(node, data);
    case operation::min:
    case operation::max: return run_extreme(node, data);
    case operation::var: return run_var(node, data);
    case operation::missing: return run_missing(node, data);
    case operation::missing_some: return run_missing_some(node, data);
    case operation::cat: return run_cat(node, data);
    case operation::substr: return run_substr(node, data);
    case operation::in: return run_in(node, data);
    case operation::merge: return run_merge(node, data);
    case operation::log: return argument(node, 0, data);
    case operation::map: return run_map(node, data);
    case operation::filter: return run_filter(node, data);
    case operation::reduce: return run_reduce(node, data);
    case operation::all:
    case operation::none:
    case operation::some: return run_quantifier(node, data);
    case operation::fractional: return run_fractional(node, data);
    case operation::starts_with:
    case operation::ends_with: return run_affix(node, data);
    case operation::sem_ver: return run_sem_ver(node, data);
  }
  return {};
}

value machine::fail(std::string_view failure, std::string_view name) noexcept {
  if (!has_failed()) {
    failure_ = failure;
    failed_operator_ = name;
  }
  return {};
}

std::span<const value> machine::arguments(const rule& node, const value& data) {
  if (node.bare) {
    const value only = run(node.arguments[0], data);
    if (only.is(kind::array)) return {only.items, only.size};
    value* copy = scratch_.make<value>(1);
    *copy = only;
    return {copy, 1};
  }
  value* values = scratch_.make<value>(node.size);
  for (std::size_t i = 0; i < node.size; ++i) values[i] = run(node.arguments[i], data);
  return {values, node.size};
}

value machine::run_list(const rule& node, const value& data) {
  value* items = scratch_.make<value>(node.size);
  for (std::size_t i = 0; i < node.size; ++i) items[i] = run(node.arguments[i], data);
  return value::list(items, node.size);
}

value machine::run_if(const rule& node, const value& data) {
  std::size_t i = 0;
  for (; i + 1 < node.size; i += 2) {
    if (truthy(run(node.arguments[i], data))) return run(node.arguments[i + 1], data);
  }
  return i < node.size ? run(node.arguments[i], data) : value{};
}

value machine::run_logic(const rule& node, const value& data) {
  const bool stop_at = node.code == operation::or_;
  value current;
  for (const rule& each : node.all()) {
    current = run(each, data);
    if (truthy(current) == stop_at) break;
  }
  return current;
}

value machine::run_comparison(const rule& node, const value& data) {
  const value a = argument(node, 0, data), b = argument(node, 1, data);
  const bool between = node.size > 2;
  switch (node.code) {
    case operation::equal: return value::of(loosely_equal(a, b, buffer_));
    case operation::unequal: return value::of(!loosely_equal(a, b, buffer_));
    case operation::strictly_equal: return value::of(strictly_equal(a, b));
    case operation::strictly_unequal: return value::of(!strictly_equal(a, b));
    case operation::greater: return value::of(less(b, a, buffer_));
    case operation::greater_or_equal: return value::of(less_or_equal(b, a, buffer_));
    case operation::less: {
      const value c = argument(node, 2, data);
      return value::of(less(a, b, buffer_) && (!between || less(b, c, buffer_)));
    }
    default: {
      const value c = argument(node, 2, data);
      return value::of(less_or_equal(a, b, buffer_) && (!between || less_or_equal(b, c, buffer_)));
    }
  }
}

value machine::run_arithmetic(const rule& node, const value& data) {
  if (node.code == operation::add || node.code == operation::multiply) {
    const bool adds = node.code == operation::add;
    if (!adds && node.size == 0) return fail("no arguments for operator", "*");
    if (!adds && node.size == 1) return run(node.arguments[0], data);  // nothing to multiply: no conversion either
    double result = adds ? 0 : 1;
    for (const rule& each : node.all()) {
      const double operand = parsed_number_of(run(each, data));
      result = adds ? result + operand : result * operand;
    }
    return value::of(result);
  }
  const double a = number_of(argument(node, 0, data));
  const value second = argument(node, 1, data);
  if (node.code == operation::subtract && second.is(kind::missing)) return value::of(-a);
  const double b = number_of(second);
  if (node.code == operation::subtract) return value::of(a - b);
  return value::of(node.code == operation::divide ? a / b : std::fmod(a, b));
}

value machine::run_extreme(const rule& node, const value& data) {
  const bool smallest = node.code == operation::min;
  double result = smallest ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  for (const rule& each : node.all()) {
    const double operand = number_of(run(each, data));
    if (std::isnan(operand) || std::isnan(result))
      result = std::numeric_limits<double>::quiet_NaN();
    else if (smallest ? operand < result : operand > result)
      result = operand;
  }
  return value::of(result);
}

}  // namespace flagserver
