// SPDX-License-Identifier: Apache-2.0
#include "body.hpp"

#include <array>
#include <optional>
#include <utility>

#include "calls.hpp"

namespace acqrel::model::litmus {
namespace {

using code = std::vector<instruction>;

struct level {
  std::string_view mark;
  operation what;
  int strength;
};
constexpr std::array<level, 18> binaries = {{
    {"||", operation::logical_or, 1},
    {"&&", operation::logical_and, 2},
    {"|", operation::bit_or, 3},
    {"^", operation::bit_xor, 4},
    {"&", operation::bit_and, 5},
    {"==", operation::equal, 6},
    {"!=", operation::different, 6},
    {"<", operation::less, 7},
    {"<=", operation::less_equal, 7},
    {">", operation::greater, 7},
    {">=", operation::greater_equal, 7},
    {"<<", operation::shift_left, 8},
    {">>", operation::shift_right, 8},
    {"+", operation::add, 9},
    {"-", operation::subtract, 9},
    {"*", operation::multiply, 10},
    {"/", operation::divide, 10},
    {"%", operation::remainder, 10},
}};
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

expression join(operation what, expression a, expression b) { return {what, 0, {std::move(a), std::move(b)}}; }

class body_reader {
 public:
  body_reader(token_stream& in, program& p, unsigned thread, const parse_options& options)
      : in_(in), program_(p), thread_(p.threads[thread]), options_(options) {}

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
    expression e = whole(out);
    in_.expect(")", "after the condition");
    return e;
  }

  void if_statement(code& out, place at) {
    instruction i = branch(parenthesised_condition(out, "after `if`"), at);
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
      instruction i = branch(condition, at);
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
    if (!in_.next_is(";")) condition = whole(ask);
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
      expression address = unary(out);
      if (in_.accept("=")) return store(out, std::move(address), whole(out), first.at);
      if (const auto what = assignment()) {
        expression old = load(out, address, false, order::relaxed, first.at);
        expression value = join(*what, std::move(old), whole(out));
        return store(out, std::move(address), std::move(value), first.at);
      }
      in_.rewind(start);
      whole(out);
      return;
    }
    if (first.what == token::kind::word && find_location(program_, first.text) < 0) {
      const token after = in_.peek(1);
      if (after.is("=")) {
        in_.take();
        in_.take();
        return assign(out, make_register(thread_, first.text), whole(out), first.at);
      }
      if (after.is("++") || after.is("--")) {
        in_.take();
        in_.take();
        return step(out, first, after.is("++"));
      }
      in_.take();
      if (const auto what = assignment()) {
        expression value = join(*what, named(first), whole(out));
        return assign(out, make_register(thread_, first.text), std::move(value), first.at);
      }
      in_.rewind(in_.position() - 1);
    }
    if (first.what == token::kind::word && in_.peek(1).is("[")) {
      expression address = element(out);
      if (in_.accept("=")) return store(out, std::move(address), whole(out), first.at);
      in_.expected("`=` after the array element");
    }
    if ((first.is("++") || first.is("--")) && in_.peek(1).what == token::kind::word) {
      in_.take();
      return step(out, in_.take(), first.is("++"));
    }
    // An effect for its own sake: its result goes nowhere.
    const std::size_t before = out.size();
    const expression e = whole(out);
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
    assign(out, make_register(thread_, name.text),
           join(up ? operation::add : operation::subtract, named(name), expression::constant(1)), name.at);
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

  void skip_type() {
    for (;;) {
      const token& t = in_.peek();
      if (t.is("::") || t.is("*") || t.is("&")) {
        in_.take();
      } else if (t.is("<") || t.is("(")) {
        while (!in_.peek().is(">") && !in_.peek().is(")")) {
          if (in_.peek().what == token::kind::end) in_.expected("the end of the type");
          in_.take();
        }
        in_.take();
      } else if (t.what == token::kind::word && (is_type_word(t.text) || in_.peek(1).what == token::kind::word)) {
        in_.take();
      } else {
        return;
      }
    }
  }

  void declaration(code& out) {
    do {
      skip_type();
      const token name = in_.peek();
      const std::string text = in_.expect_name("the name of a register");
      if (find_location(program_, text) >= 0 && shadowed(text)) {
        in_.from().fail(name.at, "`" + text + "` is a parameter already");
      }
      const unsigned r = make_register(thread_, text);
      if (in_.next_is("[")) in_.from().fail(in_.peek().at, "an array of registers is not modelled");
      if (in_.accept("=")) assign(out, r, whole(out), name.at);
    } while (in_.accept(","));
  }

  bool shadowed(std::string_view name) const {
    const int l = find_location(program_, name);
    for (unsigned parameter : thread_.parameters) {
      if (static_cast<int>(parameter) == l) return true;
    }
    return false;
  }

  // ---- expressions
  expression whole(code& out) {
    expression condition = binary(out, 1);
    if (!in_.accept("?")) return condition;
    const place at = in_.peek().at;
    code yes, no;
    expression a = whole(yes);
    in_.expect(":", "in `a ? b : c`");
    expression b = whole(no);
    if (yes.empty() && no.empty()) {
      return {operation::conditional, 0, {std::move(condition), std::move(a), std::move(b)}};
    }
    return choose(out, std::move(condition), {std::move(yes), std::move(a)}, {std::move(no), std::move(b)}, at);
  }

  struct valued {
    code before;
    expression value;
  };

  expression choose(code& out, expression condition, valued yes, valued no, place at) {
    const unsigned r = fresh();
    assign(yes.before, r, std::move(yes.value), at);
    assign(no.before, r, std::move(no.value), at);
    instruction i = branch(std::move(condition), at);
    i.then = std::move(yes.before);
    i.otherwise = std::move(no.before);
    out.push_back(std::move(i));
    return expression::reg(r);
  }

  expression binary(code& out, int strength) {
    expression left = unary(out);
    for (;;) {
      const token mark = in_.peek();
      const level* found = nullptr;
      for (const level& l : binaries) {
        if (l.strength >= strength && mark.is(l.mark)) found = &l;
      }
      if (found == nullptr) return left;
      in_.take();
      if (strength <= 2 && (found->what == operation::logical_and || found->what == operation::logical_or)) {
        left = shortcut(out, found->what, std::move(left), found->strength, mark.at);
      } else {
        left = join(found->what, std::move(left), binary(out, found->strength + 1));
      }
    }
  }

  // a && b where b does something: only if a holds.
  expression shortcut(code& out, operation what, expression left, int strength, place at) {
    code before;
    expression right = binary(before, strength + 1);
    if (before.empty()) return join(what, std::move(left), std::move(right));
    valued go_on{std::move(before), join(operation::different, std::move(right), expression::constant(0))};
    if (what == operation::logical_and) {
      return choose(out, std::move(left), std::move(go_on), {{}, expression::constant(0)}, at);
    }
    return choose(out, std::move(left), {{}, expression::constant(1)}, std::move(go_on), at);
  }

  expression unary(code& out) {
    const token t = in_.peek();
    if (in_.accept("-")) return {operation::negate, 0, {unary(out)}};
    if (in_.accept("!")) return {operation::logical_not, 0, {unary(out)}};
    if (in_.accept("~")) return {operation::bit_not, 0, {unary(out)}};
    if (in_.accept("+")) return unary(out);
    if (in_.accept("*")) return load(out, unary(out), false, order::relaxed, t.at);
    if (in_.accept("&")) {
      const token name = in_.peek();
      if (find_location(program_, in_.expect_name("a location after `&`")) < 0) {
        in_.from().fail(name.at, "only a location has an address here, and `" + name.text + "` is none");
      }
      return expression::address(static_cast<unsigned>(find_location(program_, name.text)));
    }
    if (t.is("(") && in_.peek(1).what == token::kind::word && is_type_word(in_.peek(1).text)) {
      in_.take();
      skip_type();
      in_.expect(")", "after the type of a cast");
      return unary(out);
    }
    return postfix(out);
  }

  expression element(code& out) {
    const token name = in_.take();
    expression address = named(name);
    in_.expect("[", "after the array's name");
    expression index = whole(out);
    in_.expect("]", "after the index");
    return join(operation::add, std::move(address), std::move(index));
  }

  expression postfix(code& out) {
    const token t = in_.peek();
    if (in_.accept("(")) {
      expression e = whole(out);
      in_.expect(")", "after the expression");
      return e;
    }
    if (t.what == token::kind::numeral) return expression::constant(in_.take().value);
    if (t.what != token::kind::word) in_.expected("an expression");
    if (t.is("std") && in_.peek(1).is("::")) {
      in_.take();
      in_.take();
      return postfix(out);
    }
    if (in_.peek(1).is("(")) return call(out, in_.take(), std::nullopt);
    if (in_.peek(1).is("->") || in_.peek(1).is(".")) {
      expression object = named(in_.take());
      in_.take();
      const token method = in_.peek();
      in_.expect_name("the name of an atomic operation");
      return call(out, method, std::move(object));
    }
    if (in_.peek(1).is("[")) return load(out, element(out), false, order::relaxed, t.at);
    return named(in_.take());
  }

  // A register, the address of a location, or a named constant.
  expression named(const token& t) {
    if (const int r = find_register(thread_, t.text); r >= 0) return expression::reg(static_cast<unsigned>(r));
    if (const int l = find_location(program_, t.text); l >= 0) return expression::address(static_cast<unsigned>(l));
    if (t.is("true")) return expression::constant(1);
    if (t.is("false") || t.is("NULL") || t.is("nullptr")) return expression::constant(0);
    in_.from().fail(t.at,
                    "`" + t.text + "` is not declared here: it is neither a parameter nor a register of this thread");
  }

  // ---- atomic operations
  expression call(code& out, const token& name, std::optional<expression> object) {
    const atomic_call* what = find_call(name.text, object.has_value());
    if (what == nullptr) in_.from().fail(name.at, unknown_call(name.text));
    in_.expect("(", "after the name of the function");
    instruction i;
    i.at = name.at;
    i.what = what->what;
    i.updates = what->updates;
    i.weak = what->weak;
    i.atomic = !what->initialises;
    bool first = true;
    const auto comma = [&](std::string_view what_follows) {
      if (!std::exchange(first, false)) in_.expect(",", "before " + std::string(what_follows));
    };
    std::optional<expected_value> wanted;
    if (what->what != opcode::fence) {
      if (object) {
        i.address = std::move(*object);
      } else {
        comma("the object");
        i.address = whole(out);
      }
      if (what->what == opcode::compare_exchange) {
        comma("what is expected");
        wanted = expected(out, object.has_value(), name.at);
      }
      if (what->operand) {
        i.operand = expression::constant(*what->operand);
      } else if (what->what != opcode::load) {
        comma("the value");
        i.operand = whole(out);
      }
    }
    std::array<std::optional<order>, 2> orders;
    for (std::optional<order>& o : orders) {
      const bool must = what->explicit_orders && (&o == &orders[0] || what->what == opcode::compare_exchange);
      if (!must && !(first ? !in_.next_is(")") : in_.next_is(","))) break;
      comma("the memory order");
      o = memory_order();
    }
    in_.expect(")", "after the arguments of " + name.text);
    if (what->signal) return expression::constant(0);
    i.how = orders[0].value_or(order::seq_cst);
    // With one order only the failing load has what is left of it without its release.
    i.failure = orders[1].value_or(i.how == order::acq_rel   ? order::acquire
                                   : i.how == order::release ? order::relaxed
                                                             : i.how);
    check_orders(i, name);
    return finished(out, std::move(i), wanted);
  }

  struct expected_value {
    std::optional<unsigned> reg;  // &r: it holds the value, and gets what was found
    expression address;           // a location: read and, after a failure, written by plain accesses
    expression value;
  };

  expected_value expected(code& out, bool reference, place at) {
    expected_value e;
    const bool local = in_.next_is("&") || reference;
    const std::size_t start = in_.position();
    in_.accept("&");
    if (local && in_.peek().what == token::kind::word && !in_.peek(1).is("[")) {
      if (const int r = find_register(thread_, in_.peek().text); r >= 0) {
        in_.take();
        e.reg = static_cast<unsigned>(r);
        // The register may be the result too; what it held is kept.
        const unsigned before = fresh();
        assign(out, before, expression::reg(*e.reg), at);
        e.value = expression::reg(before);
        return e;
      }
    }
    in_.rewind(start);
    e.address = whole(out);
    e.value = load(out, e.address, false, order::relaxed, at);
    return e;
  }

  expression finished(code& out, instruction i, const std::optional<expected_value>& wanted) {
    if (i.what == opcode::store || i.what == opcode::fence) {
      out.push_back(std::move(i));
      return expression::constant(0);
    }
    i.to = fresh();
    const unsigned found = i.to;
    if (!wanted) {
      out.push_back(std::move(i));
      return expression::reg(found);
    }
    i.expected = wanted->value;
    i.succeeded = fresh();
    const unsigned succeeded = i.succeeded;
    const place at = i.at;
    out.push_back(std::move(i));
    if (wanted->reg) {
      assign(out, *wanted->reg, expression::reg(found), at);
    } else {
      instruction failed = branch(expression::reg(succeeded), at);
      store(failed.otherwise, wanted->address, expression::reg(found), at);
      out.push_back(std::move(failed));
    }
    return expression::reg(succeeded);
  }

  order memory_order() {
    const token t = in_.peek();
    std::string name = in_.expect_name("a memory order");
    while (in_.accept("::")) name += "::" + in_.expect_name("a memory order");
    const std::optional<order> o = find_order(name);
    if (!o) in_.from().fail(t.at, "expected a memory order such as memory_order_acquire, found `" + name + "`");
    return *o;
  }

  void check_orders(const instruction& i, const token& name) {
    const auto note = [&](const char* what) { program_.notes.push_back(in_.from().where(name.at) + ": " + what); };
    if (i.what == opcode::store && i.atomic && i.how != order::seq_cst && acquires(i.how)) {
      note("a store can not acquire: undefined in C++; its acquire has no effect here");
    }
    if (i.what == opcode::load && i.atomic && i.how != order::seq_cst && releases(i.how)) {
      note("a load can not release: undefined in C++; its release has no effect here");
    }
    if (i.what == opcode::compare_exchange && i.failure != order::seq_cst && releases(i.failure)) {
      note("a compare-exchange that fails can not release: undefined in C++; it has no effect here");
    }
  }

  // ---- instructions
  unsigned fresh() { return make_register(thread_, "$" + std::to_string(thread_.registers.size())); }

  static instruction branch(expression condition, place at) {
    instruction i;
    i.what = opcode::branch;
    i.operand = std::move(condition);
    i.at = at;
    return i;
  }

  void assign(code& out, unsigned r, expression value, place at) {
    // What was just read into a register without a name is read into this one.
    if (!out.empty() && value.what == operation::reg && out.back().to == static_cast<unsigned>(value.value) &&
        out.back().what != opcode::assign && thread_.registers[out.back().to].front() == '$') {
      out.back().to = r;
      return;
    }
    if (!out.empty() && value.what == operation::reg && out.back().what == opcode::compare_exchange &&
        out.back().succeeded == static_cast<unsigned>(value.value)) {
      out.back().succeeded = r;
      return;
    }
    instruction i;
    i.what = opcode::assign;
    i.to = r;
    i.operand = std::move(value);
    i.at = at;
    out.push_back(std::move(i));
  }

  void store(code& out, expression address, expression value, place at) {
    instruction i;
    i.what = opcode::store;
    i.atomic = false;
    i.how = order::relaxed;
    i.address = std::move(address);
    i.operand = std::move(value);
    i.at = at;
    out.push_back(std::move(i));
  }

  expression load(code& out, expression address, bool atomic, order how, place at) {
    instruction i;
    i.what = opcode::load;
    i.atomic = atomic;
    i.how = how;
    i.to = fresh();
    i.address = std::move(address);
    i.at = at;
    out.push_back(std::move(i));
    return expression::reg(out.back().to);
  }

  token_stream& in_;
  program& program_;
  thread& thread_;
  const parse_options& options_;
};

}  // namespace

void read_body(token_stream& in, program& p, unsigned thread, const parse_options& options) {
  p.threads[thread].body = body_reader(in, p, thread, options).block();
}

int find_location(const program& p, std::string_view name) {
  for (std::size_t l = 0; l < p.locations.size(); ++l) {
    std::string_view known = p.locations[l].name;
    if (known.ends_with("[0]")) known.remove_suffix(3);
    if (known == name) return static_cast<int>(l);
  }
  return -1;
}

int find_register(const thread& t, std::string_view name) {
  for (std::size_t r = 0; r < t.registers.size(); ++r) {
    if (t.registers[r] == name) return static_cast<int>(r);
  }
  return -1;
}

unsigned make_register(thread& t, std::string_view name) {
  if (const int r = find_register(t, name); r >= 0) return static_cast<unsigned>(r);
  t.registers.emplace_back(name);
  t.initial.push_back(0);
  return static_cast<unsigned>(t.registers.size() - 1);
}

}  // namespace acqrel::model::litmus
