// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <algorithm>

namespace acqrel::model::litmus {
namespace {

// Wraps, as unsigned arithmetic does.
number wrapped(std::uint64_t v) { return static_cast<number>(v); }
std::uint64_t bits(number v) { return static_cast<std::uint64_t>(v); }

number divided(number a, number b, bool rest) {
  if (b == 0) return 0;
  if (b == -1) return rest ? 0 : wrapped(0 - bits(a));
  return rest ? a % b : a / b;
}

number binary(operation what, number a, number b) {
  switch (what) {
    case operation::add: return wrapped(bits(a) + bits(b));
    case operation::subtract: return wrapped(bits(a) - bits(b));
    case operation::multiply: return wrapped(bits(a) * bits(b));
    case operation::divide: return divided(a, b, false);
    case operation::remainder: return divided(a, b, true);
    case operation::shift_left: return wrapped(bits(a) << (bits(b) & 63));
    case operation::shift_right: return a >> (bits(b) & 63);
    case operation::bit_and: return a & b;
    case operation::bit_or: return a | b;
    case operation::bit_xor: return a ^ b;
    case operation::equal: return a == b ? 1 : 0;
    case operation::different: return a != b ? 1 : 0;
    case operation::less: return a < b ? 1 : 0;
    case operation::less_equal: return a <= b ? 1 : 0;
    case operation::greater: return a > b ? 1 : 0;
    case operation::greater_equal: return a >= b ? 1 : 0;
    case operation::logical_and: return a != 0 && b != 0 ? 1 : 0;
    case operation::logical_or: return a != 0 || b != 0 ? 1 : 0;
    default: return 0;
  }
}

void collect(const proposition& p, std::vector<operand_name>& names) {
  if (p.what == proposition::kind::compare) names.push_back(p.name);
  for (const proposition& q : p.of) collect(q, names);
}

}  // namespace

number evaluate(const expression& e, const std::vector<number>& registers) {
  switch (e.what) {
    case operation::constant: return e.value;
    case operation::reg: return registers[static_cast<std::size_t>(e.value)];
    case operation::negate: return wrapped(0 - bits(evaluate(e.of[0], registers)));
    case operation::logical_not: return evaluate(e.of[0], registers) == 0 ? 1 : 0;
    case operation::bit_not: return ~evaluate(e.of[0], registers);
    case operation::conditional: return evaluate(evaluate(e.of[0], registers) != 0 ? e.of[1] : e.of[2], registers);
    default: return binary(e.what, evaluate(e.of[0], registers), evaluate(e.of[1], registers));
  }
}

bool compares(operation how, number a, number b) { return binary(how, a, b) != 0; }

int location_at(const std::vector<location>& locations, number address) {
  const number offset = address - address_base;
  if (offset < 0) return -1;
  const auto first = static_cast<std::size_t>(offset / address_step);
  const auto element = static_cast<std::size_t>(offset % address_step);
  if (first >= locations.size() || element >= locations[first].elements) return -1;
  return static_cast<int>(first + element);
}

std::vector<operand_name> shown(const program& p) {
  std::vector<operand_name> names = p.listed;
  collect(p.final.holds, names);
  if (names.empty()) {
    // Nothing asks for anything: everything is shown.
    for (int t = 0; t < static_cast<int>(p.threads.size()); ++t) {
      const thread& code = p.threads[static_cast<std::size_t>(t)];
      for (unsigned r = 0; r < code.registers.size(); ++r) {
        if (code.registers[r].front() != '$') names.push_back({t, r});
      }
    }
    for (unsigned l = 0; l < p.locations.size(); ++l) names.push_back({-1, l});
  }
  std::sort(names.begin(), names.end(), [&](operand_name a, operand_name b) {
    if (a.thread != b.thread) return static_cast<unsigned>(a.thread) < static_cast<unsigned>(b.thread);
    return name_of(p, a) < name_of(p, b);
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string name_of(const program& p, operand_name n) {
  if (n.thread < 0) return p.locations[n.index].name;
  return std::to_string(n.thread) + ":" + p.threads[static_cast<std::size_t>(n.thread)].registers[n.index];
}

}  // namespace acqrel::model::litmus
