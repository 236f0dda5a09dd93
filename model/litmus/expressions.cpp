// SPDX-License-Identifier: Apache-2.0
#include "expressions.hpp"

#include <array>
#include <utility>

#include "calls.hpp"
#include "names.hpp"

namespace acqrel::model::litmus {
namespace {

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
}  // namespace

/// Parentheses and signs nest only so deep: a file can not exhaust the stack.
class expression_reader::deeper {
 public:
  explicit deeper(expression_reader& r) : reader_(r) {
    if (++reader_.depth_ > 200) reader_.in_.from().fail(reader_.in_.peek().at, "this expression is nested too deeply");
  }
  ~deeper() { --reader_.depth_; }
  deeper(const deeper&) = delete;
  deeper& operator=(const deeper&) = delete;

 private:
  expression_reader& reader_;
};

expression combined(operation what, expression a, expression b) { return {what, 0, {std::move(a), std::move(b)}}; }

expression expression_reader::whole(code& out) {
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

expression expression_reader::choose(code& out, expression condition, valued yes, valued no, place at) {
  const unsigned r = fresh();
  assign(yes.before, r, std::move(yes.value), at);
  assign(no.before, r, std::move(no.value), at);
  instruction i = branch(std::move(condition), at);
  i.then = std::move(yes.before);
  i.otherwise = std::move(no.before);
  out.push_back(std::move(i));
  return expression::reg(r);
}

expression expression_reader::binary(code& out, int strength) {
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
      left = combined(found->what, std::move(left), binary(out, found->strength + 1));
    }
  }
}

// a && b where b does something: only if a holds.
expression expression_reader::shortcut(code& out, operation what, expression left, int strength, place at) {
  code before;
  expression right = binary(before, strength + 1);
  if (before.empty()) return combined(what, std::move(left), std::move(right));
  valued go_on{std::move(before), combined(operation::different, std::move(right), expression::constant(0))};
  if (what == operation::logical_and) {
    return choose(out, std::move(left), std::move(go_on), {{}, expression::constant(0)}, at);
  }
  return choose(out, std::move(left), {{}, expression::constant(1)}, std::move(go_on), at);
}

expression expression_reader::unary(code& out) {
  const deeper here(*this);
  const token t = in_.peek();
  if (in_.accept("-")) return {operation::negate, 0, {unary(out)}};
  if (in_.accept("!")) return {operation::logical_not, 0, {unary(out)}};
  if (in_.accept("~")) return {operation::bit_not, 0, {unary(out)}};
  if (in_.accept("+")) return unary(out);
  if (in_.accept("*")) return plain_load(out, unary(out), t.at);
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

expression expression_reader::element(code& out) {
  const token name = in_.take();
  expression address = named(name);
  in_.expect("[", "after the array's name");
  expression index = whole(out);
  in_.expect("]", "after the index");
  return combined(operation::add, std::move(address), std::move(index));
}

expression expression_reader::postfix(code& out) {
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
  if (in_.peek(1).is("[")) return plain_load(out, element(out), t.at);
  return named(in_.take());
}

// A register, the address of a location, or a named constant.
expression expression_reader::named(const token& t) {
  if (const int r = find_register(thread_, t.text); r >= 0) return expression::reg(static_cast<unsigned>(r));
  if (const int l = find_location(program_, t.text); l >= 0) return expression::address(static_cast<unsigned>(l));
  if (t.is("true")) return expression::constant(1);
  if (t.is("false") || t.is("NULL") || t.is("nullptr")) return expression::constant(0);
  in_.from().fail(t.at,
                  "`" + t.text + "` is not declared here: it is neither a parameter nor a register of this thread");
}

// ---- atomic operations
expression expression_reader::call(code& out, const token& name, std::optional<expression> object) {
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

expression_reader::expected_value expression_reader::expected(code& out, bool reference, place at) {
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
  e.value = plain_load(out, e.address, at);
  return e;
}

expression expression_reader::finished(code& out, instruction i, const std::optional<expected_value>& wanted) {
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
    plain_store(failed.otherwise, wanted->address, expression::reg(found), at);
    out.push_back(std::move(failed));
  }
  return expression::reg(succeeded);
}

order expression_reader::memory_order() {
  const token t = in_.peek();
  std::string name = in_.expect_name("a memory order");
  while (in_.accept("::")) name += "::" + in_.expect_name("a memory order");
  const std::optional<order> o = find_order(name);
  if (!o) in_.from().fail(t.at, "expected a memory order such as memory_order_acquire, found `" + name + "`");
  return *o;
}

void expression_reader::check_orders(const instruction& i, const token& name) {
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
unsigned expression_reader::fresh() { return make_register(thread_, "$" + std::to_string(thread_.registers.size())); }

instruction expression_reader::branch(expression condition, place at) {
  instruction i;
  i.what = opcode::branch;
  i.operand = std::move(condition);
  i.at = at;
  return i;
}

void expression_reader::assign(code& out, unsigned r, expression value, place at) {
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

void expression_reader::plain_store(code& out, expression address, expression value, place at) {
  instruction i;
  i.what = opcode::store;
  i.atomic = false;
  i.how = order::relaxed;
  i.address = std::move(address);
  i.operand = std::move(value);
  i.at = at;
  out.push_back(std::move(i));
}

expression expression_reader::plain_load(code& out, expression address, place at) {
  instruction i;
  i.what = opcode::load;
  i.atomic = false;
  i.how = order::relaxed;
  i.to = fresh();
  i.address = std::move(address);
  i.at = at;
  out.push_back(std::move(i));
  return expression::reg(out.back().to);
}

void expression_reader::skip_type() {
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

}  // namespace acqrel::model::litmus
