// SPDX-License-Identifier: Apache-2.0
// flagserver/rule_compiler.hpp - JsonLogic as it is written into rules as they are run.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "arena.hpp"
#include "rule.hpp"
#include "value.hpp"

namespace flagserver {

class rule_compiler {
 public:
  /// Is told of what will fail when the rule is run; `at` is where it is written.
  using complaint = std::function<void(const value& at, std::string message)>;

  struct result {
    rule root;
    bool reads_time = false;  // it may read $flagd.timestamp
  };

  /// Rules go to `memory`; `evaluators` is the object that {"$ref": name} looks in, or nullptr.
  rule_compiler(arena& memory, const value* evaluators, complaint complain)
      : memory_(memory), evaluators_(evaluators), complain_(std::move(complain)) {}

  /// Values in `source` are used in place: they must live as long as the rule.
  result compile(const value& source);

 private:
  rule expression(const value& source);
  rule operation_of(const member& source);
  rule reference(const member& source);
  rule list(const value& source);
  rule unknown(const member& source, std::string message);
  void finish_var(rule& node);
  void finish_in(rule& node);
  void check(const rule& node, const value& source);
  void check_value(const value& source);
  const rule* compile_all(std::span<const value> sources, operation code);

  arena& memory_;
  const value* evaluators_;
  complaint complain_;
  std::map<std::string_view, result> compiled_;  // evaluators, each once
  bool reads_time_ = false;
  bool in_evaluator_ = false;
  unsigned scopes_ = 0;  // how many map, filter and the like stand around: there, data is not the context
};

}  // namespace flagserver
