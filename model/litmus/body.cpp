// SPDX-License-Identifier: Apache-2.0
#include "body.hpp"

#include <array>
#include <optional>
#include <utility>

#include "calls.hpp"
#include "expressions.hpp"
#include "names.hpp"

namespace acqrel::model::litmus {
namespace {

constexpr std::array<std::pair<std::string_view, operation>, 10> assigning = {{{"+=", operation::add},
                                                                               {"-=", operation::subtract},
                                                                               {"*=", operation::multiply},
                                                                               {"/=", operation::divide},
                                                                               {"%=", operation::remainder},
                                                                               {"&=", operation::bit_and},
                                                                               {"|=", operation::bit_or},
                                                                               {"^=", operation::bit_xor},
                                                                               {"<<=", operation::shift_left},
                                                                               {">>=", operation::shift_right}}};

class body_reader {
 public:
  body_reader(token_stream& in, program& p, unsigned thread, const parse_options& options)
      : in_(in), program_(p), thread_(p.threads[thread]), options_(options), expressions_(in, p, thread) {}

  code block() {
    code body;
    in_.expect("{", "at the start of a block");
    while (!in_.accept("}")) {
      if (in_.peek().what == token::kind::end) in_.expected("`}` at the end of the block");
      statement(body);
    }
    return body;
  }

 private:
  // ---- statements
  void statement(code& out) {
    // A file can not exhaust the stack.
    if (++depth_ > 100) in_.from().fail(in_.peek().at, "statements are nested too deeply here");
    one_statement(out);
    --depth_;
  }

  void one_statement(code& out) {
    const token first = in_.peek();
    if (in_.accept(";")) return;
    if (first.is("{")) {
      code inner = block();
      out.insert(out.end(), std::make_move_iterator(inner.begin()), std::make_move_iterator(inner.end()));
      return;
    }
    if (in_.accept("if")) return if_statement(out, first.at);
    if (in_.accept("while")) return while_statement(out, first.at);
    if (in_.accept("do")) return do_statement(out, first.at);
    if (in_.accept("for")) return for_statement(out, first.at);
    for (std::string_view word : {"return", "break", "continue", "goto", "switch", "case"}) {
      if (first.is(word)) {
        in_.from().fail(first.at, "`" + first.text + "` is not modelled: use if and else");
      }
    }
    simple(out);
    in_.expect(";", "after the statement");
  }

  code statement_alone() {
    code out;
    statement(out);
    return out;
  }

  expression parenthesised_condition(code& out, std::string_view after) {
    in_.expect("(", after);
    expression e = expressions_.whole(out);
    in_.expect(")", "after the condition");
    return e;
  }

  void if_statement(code& out, place at) {
    instruction i = expression_reader::branch(parenthesised_condition(out, "after `if`"), at);
    i.then = statement_alone();
    if (in_.accept("else")) i.otherwise = statement_alone();
    out.push_back(std::move(i));
  }

  // A loop is its first turns, each in the branch that the one before leaves open; whoever wants more is cut off.
  void unrolled(code& out, const code& ask, const expression& condition, const code& turn, place at) {
    code rest;
    instruction end;
    end.what = opcode::cut;
    end.at = at;
    rest.push_back(end);
    for (unsigned n = 0;; ++n) {
      instruction i = expression_reader::branch(condition, at);
      i.then = std::move(rest);
      rest = ask;
      rest.push_back(std::move(i));
      if (n == options_.unroll) break;
      rest.insert(rest.begin(), turn.begin(), turn.end());
    }
    out.insert(out.end(), rest.begin(), rest.end());
  }

  void allow_loops(place at) const {
    if (options_.unroll == 0) in_.from().fail(at, "a loop: --unroll N runs the first N turns of each");
  }

  void while_statement(code& out, place at) {
    allow_loops(at);
    code ask;
    const expression condition = parenthesised_condition(ask, "after `while`");
    unrolled(out, ask, condition, statement_alone(), at);
  }

  void do_statement(code& out, place at) {
    allow_loops(at);
    const code turn = statement_alone();
    in_.expect("while", "after the body of `do`");
    code ask;
    const expression condition = parenthesised_condition(ask, "after `while`");
    in_.expect(";", "after `do ... while (...)`");
    out.insert(out.end(), turn.begin(), turn.end());
    unrolled(out, ask, condition, turn, at);
  }

  void for_statement(code& out, place at) {
    allow_loops(at);
    in_.expect("(", "after `for`");
    if (!in_.next_is(";")) simple(out);
    in_.expect(";", "after the first part of `for (...)`");
    code ask;
    expression condition = expression::constant(1);
    if (!in_.next_is(";")) condition = expressions_.whole(ask);
    in_.expect(";", "after the condition of `for (...)`");
    code step;
    if (!in_.next_is(")")) simple(step);
    in_.expect(")", "after `for (...`");
    code turn = statement_alone();
    turn.insert(turn.end(), step.begin(), step.end());
    unrolled(out, ask, condition, turn, at);
  }

  // A declaration, an assignment or a call, without its semicolon.
  void simple(code& out) {
    const token first = in_.peek();
    if (declares()) return declaration(out);
    if (first.is("*")) {
      // *address = value
      const std::size_t start = in_.position();
      in_.take();
      expression address = expressions_.unary(out);
      if (in_.accept("=")) return expressions_.plain_store(out, std::move(address), expressions_.whole(out), first.at);
      if (const auto what = assignment()) {
        expression old = expressions_.plain_load(out, address, first.at);
        expression value = combined(*what, std::move(old), expressions_.whole(out));
        return expressions_.plain_store(out, std::move(address), std::move(value), first.at);
      }
      in_.rewind(start);
      expressions_.whole(out);
      return;
    }
    if (first.what == token::kind::word &&
        (find_register(thread_, first.text) >= 0 || find_location(program_, first.text) < 0)) {
      const token after = in_.peek(1);
      if (after.is("=")) {
        in_.take();
        in_.take();
        return expressions_.assign(out, make_register(thread_, first.text), expressions_.whole(out), first.at);
      }
      if (after.is("++") || after.is("--")) {
        in_.take();
        in_.take();
        return step(out, first, after.is("++"));
      }
      in_.take();
      if (const auto what = assignment()) {
        expression value = combined(*what, expressions_.named(first), expressions_.whole(out));
        return expressions_.assign(out, make_register(thread_, first.text), std::move(value), first.at);
      }
      in_.rewind(in_.position() - 1);
    }
    if (first.what == token::kind::word && in_.peek(1).is("[")) {
      expression address = expressions_.element(out);
      if (in_.accept("=")) return expressions_.plain_store(out, std::move(address), expressions_.whole(out), first.at);
      in_.expected("`=` after the array element");
    }
    if ((first.is("++") || first.is("--")) && in_.peek(1).what == token::kind::word) {
      in_.take();
      return step(out, in_.take(), first.is("++"));
    }
    // An effect for its own sake: its result goes nowhere.
    const std::size_t before = out.size();
    const expression e = expressions_.whole(out);
    if (out.size() == before) in_.from().fail(first.at, "this statement has no effect");
    instruction& last = out.back();
    if (e.what == operation::reg && last.to == static_cast<unsigned>(e.value) && last.what != opcode::assign) {
      last.to = no_register;
    }
  }

  std::optional<operation> assignment() {
    for (const auto& [mark, what] : assigning) {
      if (in_.accept(mark)) return what;
    }
    return std::nullopt;
  }

  void step(code& out, const token& name, bool up) {
    expressions_.assign(
        out, make_register(thread_, name.text),
        combined(up ? operation::add : operation::subtract, expressions_.named(name), expression::constant(1)),
        name.at);
  }

  bool declares() const {
    const token& t = in_.peek();
    if (t.what != token::kind::word) return false;
    if (t.text.starts_with("atomic_") && in_.peek(1).is("(")) return false;
    if (is_type_word(t.text)) {
      // `std` may also begin a call.
      if (t.is("std")) {
        std::size_t ahead = 0;
        while (in_.peek(ahead).is("std") || in_.peek(ahead).is("::")) ++ahead;
        return is_type_word(in_.peek(ahead).text);
      }
      return true;
    }
    return in_.peek(1).what == token::kind::word;
  }

  void declaration(code& out) {
    do {
      expressions_.skip_type();
      const token name = in_.peek();
      const std::string text = in_.expect_name("the name of a register");
      if (find_location(program_, text) >= 0 && shadowed(text)) {
        in_.from().fail(name.at, "`" + text + "` is a parameter already");
      }
      const unsigned r = make_register(thread_, text);
      if (in_.next_is("[")) in_.from().fail(in_.peek().at, "an array of registers is not modelled");
      if (in_.accept("=")) expressions_.assign(out, r, expressions_.whole(out), name.at);
    } while (in_.accept(","));
  }

  bool shadowed(std::string_view name) const {
    const int l = find_location(program_, name);
    for (unsigned parameter : thread_.parameters) {
      if (static_cast<int>(parameter) == l) return true;
    }
    return false;
  }

  token_stream& in_;
  program& program_;
  thread& thread_;
  const parse_options& options_;
  expression_reader expressions_;
  unsigned depth_ = 0;
};

}  // namespace

void read_body(token_stream& in, program& p, unsigned thread, const parse_options& options) {
  p.threads[thread].body = body_reader(in, p, thread, options).block();
}

}  // namespace acqrel::model::litmus
