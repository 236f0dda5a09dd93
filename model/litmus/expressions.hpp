// The expressions of a thread. Loads and other operations within one become instructions of their own, left to right.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "lex.hpp"

namespace acqrel::model::litmus {

using code = std::vector<instruction>;

/// a + b, ...
expression combined(operation, expression a, expression b);

class expression_reader {
 public:
  expression_reader(token_stream& in, program& p, unsigned thread) : in_(in), program_(p), thread_(p.threads[thread]) {}

  /// An expression; what it does goes to `out`.
  expression whole(code& out);
  /// One operand: a name, a number, a call, something in parentheses, with its signs.
  expression unary(code& out);
  /// The address of a[...].
  expression element(code& out);
  /// A register, the address of a location, or a named constant.
  expression named(const token&);
  void skip_type();

  // ---- instructions
  static instruction branch(expression condition, place);
  void assign(code& out, unsigned reg, expression value, place);
  void plain_store(code& out, expression address, expression value, place);
  expression plain_load(code& out, expression address, place);

 private:
  class deeper;
  struct valued {
    code before;
    expression value;
  };
  struct expected_value {
    std::optional<unsigned> reg;  ///< &r: it holds the value, and gets what was found
    expression address;           ///< a location: read and, after a failure, written by plain accesses
    expression value;
  };

  expression choose(code& out, expression condition, valued yes, valued no, place);
  expression binary(code& out, int strength);
  expression shortcut(code& out, operation, expression left, int strength, place);
  expression postfix(code& out);
  expression call(code& out, const token& name, std::optional<expression> object);
  expected_value expected(code& out, bool reference, place);
  expression finished(code& out, instruction, const std::optional<expected_value>& wanted);
  order memory_order();
  void check_orders(const instruction&, const token& name);
  unsigned fresh();

  token_stream& in_;
  program& program_;
  thread& thread_;
  unsigned depth_ = 0;
};

}  // namespace acqrel::model::litmus
