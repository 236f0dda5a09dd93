// Programs as text: the inverse of parse.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "calls.hpp"
#include "program.hpp"

namespace acqrel::model::litmus {
namespace {

std::string_view mark(operation what) {
  switch (what) {
    case operation::add: return "+";
    case operation::subtract: return "-";
    case operation::multiply: return "*";
    case operation::divide: return "/";
    case operation::remainder: return "%";
    case operation::shift_left: return "<<";
    case operation::shift_right: return ">>";
    case operation::bit_and: return "&";
    case operation::bit_or: return "|";
    case operation::bit_xor: return "^";
    case operation::equal: return "==";
    case operation::different: return "!=";
    case operation::less: return "<";
    case operation::less_equal: return "<=";
    case operation::greater: return ">";
    case operation::greater_equal: return ">=";
    case operation::logical_and: return "&&";
    case operation::logical_or: return "||";
    default: return "?";
  }
}

/// An array is called by its name without [0].
std::string plain_name(const location& l) {
  return l.name.ends_with("[0]") ? l.name.substr(0, l.name.size() - 3) : l.name;
}

class writer {
 public:
  writer(const program& p, const thread& t) : program_(p), thread_(t) {}

  void all(std::string& out) {
    std::string names;
    for (unsigned r = 0; r < thread_.registers.size(); ++r) names += (names.empty() ? "" : ", ") + reg(r);
    if (!names.empty()) out += "  int " + names + ";\n";
    block(out, thread_.body, 1);
  }

 private:
  void block(std::string& out, const std::vector<instruction>& body, int depth) {
    for (const instruction& i : body) write(out, i, depth);
  }

  std::string reg(unsigned r) const {
    const std::string& name = thread_.registers[r];
    return name.front() == '$' ? "_t" + name.substr(1) : name;
  }

  std::string text(const expression& e) const {
    switch (e.what) {
      case operation::constant:
        return location_at(program_.locations, e.value) >= 0 ? address(e.value) : std::to_string(e.value);
      case operation::reg: return reg(static_cast<unsigned>(e.value));
      case operation::negate: return "-" + inner(e.of[0]);
      case operation::logical_not: return "!" + inner(e.of[0]);
      case operation::bit_not: return "~" + inner(e.of[0]);
      case operation::conditional: return inner(e.of[0]) + " ? " + inner(e.of[1]) + " : " + inner(e.of[2]);
      default: return inner(e.of[0]) + " " + std::string(mark(e.what)) + " " + inner(e.of[1]);
    }
  }
  std::string inner(const expression& e) const { return e.of.empty() ? text(e) : "(" + text(e) + ")"; }
  std::string address(number a) const {
    const auto first = static_cast<std::size_t>((a - address_base) / address_step);
    const number element = (a - address_base) % address_step;
    const std::string name = plain_name(program_.locations[first]);
    return element == 0 ? name : name + " + " + std::to_string(element);
  }

  std::string_view modification(update u) const {
    switch (u) {
      case update::add: return "fetch_add";
      case update::subtract: return "fetch_sub";
      case update::bit_and: return "fetch_and";
      case update::bit_or: return "fetch_or";
      case update::bit_xor: return "fetch_xor";
      default: return "exchange";
    }
  }

  void write(std::string& out, const instruction& i, int depth) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    const std::string to = i.to == no_register ? "" : reg(i.to) + " = ";
    out += indent;
    switch (i.what) {
      case opcode::load:
        out += to + (i.atomic ? "atomic_load_explicit(" + text(i.address) + ", " + order_name(i.how) + ")"
                              : "*" + inner(i.address));
        break;
      case opcode::store:
        out += i.atomic ? "atomic_store_explicit(" + text(i.address) + ", " + text(i.operand) + ", " +
                              order_name(i.how) + ")"
                        : "*" + inner(i.address) + " = " + text(i.operand);
        break;
      case opcode::modify:
        out += to + "atomic_" + std::string(modification(i.updates)) + "_explicit(" + text(i.address) + ", " +
               text(i.operand) + ", " + order_name(i.how) + ")";
        break;
      case opcode::compare_exchange: compare_exchange(out, i, indent); break;
      case opcode::fence: out += "atomic_thread_fence(" + order_name(i.how) + ")"; break;
      case opcode::assign: out += reg(i.to) + " = " + text(i.operand); break;
      case opcode::cut: out += "while (1) {}\n"; return;
      case opcode::branch:
        out += "if (" + text(i.operand) + ") {\n";
        block(out, i.then, depth + 1);
        out += indent + "}";
        if (!i.otherwise.empty()) {
          out += " else {\n";
          block(out, i.otherwise, depth + 1);
          out += indent + "}";
        }
        out += "\n";
        return;
    }
    out += ";\n";
  }

  void compare_exchange(std::string& out, const instruction& i, const std::string& indent) const {
    // The expected value goes through the register that gets what was found, if the new value does not need it.
    const std::string found = i.to == no_register || uses(i.operand, i.to) ? "_found" : reg(i.to);
    if (text(i.expected) != found) out += found + " = " + text(i.expected) + ";\n" + indent;
    if (i.succeeded != no_register) out += reg(i.succeeded) + " = ";
    out += std::string("atomic_compare_exchange_") + (i.weak ? "weak" : "strong") + "_explicit(" + text(i.address) +
           ", &" + found + ", " + text(i.operand) + ", " + order_name(i.how) + ", " + order_name(i.failure) + ")";
    if (i.to != no_register && found != reg(i.to)) out += ";\n" + indent + reg(i.to) + " = " + found;
  }

  static bool uses(const expression& e, unsigned r) {
    if (e.what == operation::reg) return static_cast<unsigned>(e.value) == r;
    return std::any_of(e.of.begin(), e.of.end(), [r](const expression& part) { return uses(part, r); });
  }

  const program& program_;
  const thread& thread_;
};

std::string operand_text(const program& p, operand_name n) {
  return n.thread < 0 ? "[" + name_of(p, n) + "]" : name_of(p, n);
}

}  // namespace

std::string value_text(const program& p, number v) {
  const int l = location_at(p.locations, v);
  return l < 0 ? std::to_string(v) : plain_name(p.locations[static_cast<std::size_t>(l)]);
}

std::string to_text(const program& p, const proposition& q) {
  using kind = proposition::kind;
  const auto inner = [&](const proposition& i, kind outer) {
    const bool simple = i.what == kind::compare || i.what == kind::negation || i.what == kind::always ||
                        i.what == kind::never || (i.what == outer && outer != kind::implies);
    return simple ? to_text(p, i) : "(" + to_text(p, i) + ")";
  };
  switch (q.what) {
    case kind::always: return "true";
    case kind::never: return "false";
    case kind::compare: {
      const std::string left = operand_text(p, q.name), right = value_text(p, q.value);
      if (q.compare == operation::different) return "not (" + left + "=" + right + ")";
      return left + (q.compare == operation::equal ? std::string("=") : std::string(mark(q.compare))) + right;
    }
    case kind::both: return inner(q.of[0], q.what) + " /\\ " + inner(q.of[1], q.what);
    case kind::either: return inner(q.of[0], q.what) + " \\/ " + inner(q.of[1], q.what);
    case kind::implies: return inner(q.of[0], q.what) + " => " + inner(q.of[1], q.what);
    case kind::negation: return "not (" + to_text(p, q.of[0]) + ")";
  }
  return {};
}

std::string to_text(const program& p, const condition& c) {
  switch (c.what) {
    case quantifier::none: return {};
    case quantifier::exists: return "exists (" + to_text(p, c.holds) + ")";
    case quantifier::not_exists: return "~exists (" + to_text(p, c.holds) + ")";
    case quantifier::forall: return "forall (" + to_text(p, c.holds) + ")";
  }
  return {};
}

std::string to_herd(const program& p) {
  std::string out = "C " + p.name + "\n";
  if (!p.description.empty()) out += "\"" + p.description + "\"\n";
  for (const auto& [key, value] : p.info) out.append(key).append("=").append(value).append("\n");
  out += "\n{\n";
  for (std::size_t l = 0; l < p.locations.size(); ++l) {
    const location& first = p.locations[l];
    const std::string type = first.atomic ? "  atomic_int " : "  int ";
    if (!first.name.ends_with("[0]")) {
      out += type + first.name + " = " + value_text(p, first.initial) + ";\n";
      continue;
    }
    out += type + plain_name(first) + "[" + std::to_string(first.elements) + "] = {";
    for (unsigned i = 0; i < first.elements; ++i)
      out += (i == 0 ? "" : ", ") + value_text(p, p.locations[l + i].initial);
    out += "};\n";
    l += first.elements - 1;
  }
  for (std::size_t t = 0; t < p.threads.size(); ++t) {
    for (std::size_t r = 0; r < p.threads[t].registers.size(); ++r) {
      if (p.threads[t].initial[r] == 0) continue;
      out += "  " + std::to_string(t) + ":" + p.threads[t].registers[r] + " = " +
             value_text(p, p.threads[t].initial[r]) + ";\n";
    }
  }
  out += "}\n";
  for (std::size_t t = 0; t < p.threads.size(); ++t) {
    out += "\nP" + std::to_string(t) + " (";
    const std::vector<unsigned>& parameters = p.threads[t].parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const location& l = p.locations[parameters[i]];
      out += std::string(i == 0 ? "" : ", ") + (l.atomic ? "atomic_int* " : "int* ") + plain_name(l);
    }
    out += ") {\n";
    writer(p, p.threads[t]).all(out);
    out += "}\n";
  }
  if (!p.listed.empty()) {
    out += "\nlocations [";
    for (operand_name n : p.listed) out += operand_text(p, n) + "; ";
    out.replace(out.size() - 1, 1, "]");
  }
  if (p.filter.what != proposition::kind::always) out += "\nfilter (" + to_text(p, p.filter) + ")";
  if (p.final.what != quantifier::none) out += "\n" + to_text(p, p.final);
  return out + "\n";
}

}  // namespace acqrel::model::litmus
