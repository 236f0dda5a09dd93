// SPDX-License-Identifier: Apache-2.0
// flagserver/rule.hpp - a targeting rule, compiled once: a tree whose nodes lie in the arena of their flag_set.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "value.hpp"

namespace flagserver {

/// X-macro: the name of an operator in this code, and in rules.
// The formatter takes the entries for casts.
// clang-format off
#define FLAGSERVER_OPERATORS(X)                                                                              \
  X(if_, "if") X(if_alias, "?:") X(and_, "and") X(or_, "or") X(not_, "!") X(truth, "!!")                     \
  X(equal, "==") X(strictly_equal, "===") X(unequal, "!=") X(strictly_unequal, "!==")                        \
  X(less, "<") X(less_or_equal, "<=") X(greater, ">") X(greater_or_equal, ">=")                              \
  X(add, "+") X(subtract, "-") X(multiply, "*") X(divide, "/") X(remainder, "%") X(min, "min") X(max, "max") \
  X(var, "var") X(missing, "missing") X(missing_some, "missing_some")                                        \
  X(cat, "cat") X(substr, "substr") X(in, "in") X(merge, "merge") X(log, "log")                              \
  X(map, "map") X(filter, "filter") X(reduce, "reduce") X(all, "all") X(none, "none") X(some, "some")        \
  X(fractional, "fractional") X(starts_with, "starts_with") X(ends_with, "ends_with") X(sem_ver, "sem_ver")
// clang-format on

enum class operation : unsigned char {
  constant,  // `constant` itself
  list,      // an array of rules
  path,      // {"var": "a.b"}: `constant` is the list of keys, the arguments are the default, if any
  in_set,    // {"in": [x, [texts]]}: `constant` is the texts, sorted
  unknown,   // an operator that nobody knows: `constant` is its name
#define FLAGSERVER_OPERATOR(name, text) name,
  FLAGSERVER_OPERATORS(FLAGSERVER_OPERATOR)
#undef FLAGSERVER_OPERATOR
};

struct rule {
  operation code = operation::constant;
  bool bare = false;  // the argument stood alone, not in an array
  std::uint32_t size = 0;
  const rule* arguments = nullptr;
  value constant{};

  std::span<const rule> all() const noexcept { return {arguments, size}; }
};

}  // namespace flagserver
