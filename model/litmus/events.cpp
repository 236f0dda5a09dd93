// SPDX-License-Identifier: Apache-2.0
#include "events.hpp"

#include <bit>

namespace acqrel::model::litmus {
namespace {

void add_arrows(std::vector<arrow>& out, std::uint64_t to, unsigned from, const std::vector<unsigned>& first) {
  for (; to != 0; to &= to - 1) out.emplace_back(from, first[static_cast<unsigned>(std::countr_zero(to))]);
}

/// Splits each read-modify-write into its read and its write.
execution finished(const program& p, const sketch& g, const std::vector<flow::state>& states) {
  execution x;
  const unsigned n = g.size();
  // Where each node went: its first event and its last.
  std::vector<unsigned> first(n), last(n);
  const auto push = [&](unsigned i, action what, number value) {
    event e;
    e.thread = g[i].thread;
    e.what = what;
    e.atomic = g[i].atomic;
    e.how = g[i].how;
    e.location = g[i].location;
    e.value = value;
    if (g[i].code != nullptr) e.at = g[i].code->at;
    x.events.push_back(e);
    return static_cast<unsigned>(x.events.size() - 1);
  };
  for (int t = -1; t < static_cast<int>(states.size()); ++t) {
    for (unsigned i = 0; i < n; ++i) {
      if (g[i].thread != t) continue;
      if (g[i].fence()) {
        first[i] = last[i] = push(i, action::fence, 0);
        continue;
      }
      first[i] = last[i] = g[i].reads ? push(i, action::read, g[i].seen) : push(i, action::write, g[i].written);
      if (g[i].reads && g[i].writes) {
        last[i] = push(i, action::write, g[i].written);
        x.events[first[i]].partner = static_cast<int>(last[i]);
        x.events[last[i]].partner = static_cast<int>(first[i]);
      }
    }
  }
  const relations r = relate(g);
  for (unsigned i = 0; i < n; ++i) {
    if (g[i].from >= 0) {
      const auto source = static_cast<unsigned>(g[i].from);
      x.rf.emplace_back(last[source], first[i]);
      const int after = g.next[source];
      // A read-modify-write comes right after what it read: it is before whatever follows itself.
      const int beaten = after == static_cast<int>(i) ? g.next[i] : after;
      if (beaten >= 0) x.rb.emplace_back(first[i], last[static_cast<unsigned>(beaten)]);
    }
    if (g[i].writes && g.next[i] >= 0) x.mo.emplace_back(last[i], last[static_cast<unsigned>(g.next[i])]);
    add_arrows(x.sw, r.sw[i], last[i], first);
    add_arrows(x.hb, r.hb[i], last[i], first);
  }
  for (const flow::state& s : states) x.registers.push_back(s.registers);
  for (unsigned l = 0; l < p.locations.size(); ++l) {
    unsigned w = l;
    while (g.next[w] >= 0) w = static_cast<unsigned>(g.next[w]);
    x.memory.push_back(g[w].written);
  }
  if (const std::optional<arrow> found = race(g, r)) x.race = arrow{first[found->first], first[found->second]};
  return x;
}

std::string where(const program& p, const instruction& i) {
  return p.file + ":" + std::to_string(i.at.line) + ":" + std::to_string(i.at.column) + ": ";
}

}  // namespace

outcomes outcomes_of(const instruction& i, const std::vector<number>& registers, number seen) {
  outcomes o;
  switch (i.what) {
    case opcode::modify:
      o.all[o.count++] = {true, false, modified(i.updates, seen, evaluate(i.operand, registers))};
      break;
    case opcode::compare_exchange: {
      const bool equal = seen == evaluate(i.expected, registers);
      if (equal) o.all[o.count++] = {true, false, evaluate(i.operand, registers)};
      if (!equal || i.weak) o.all[o.count++] = {false, true, 0};
      break;
    }
    default: o.all[o.count++] = {}; break;
  }
  return o;
}

sketch begin(const program& p) {
  sketch g;
  for (unsigned l = 0; l < p.locations.size(); ++l) {
    if (g.size() == most_events) fail_too_large(p);
    node n;
    n.writes = true;
    n.atomic = false;
    n.location = static_cast<int>(l);
    n.written = p.locations[l].initial;
    g.nodes.push_back(n);
    g.next.push_back(-1);
  }
  return g;
}

node fence_node(unsigned thread, const instruction& i) {
  node n;
  n.thread = static_cast<int>(thread);
  n.how = i.how;
  n.code = &i;
  return n;
}

node access_node(const program& p, unsigned thread, const instruction& i, const std::vector<number>& registers) {
  node n = fence_node(thread, i);
  n.atomic = i.atomic;
  n.location = location_at(p.locations, evaluate(i.address, registers));
  return n;
}

void apply(const outcome& o, const instruction& i, number seen, node& n, flow::state& s) {
  n.reads = true;
  n.seen = seen;
  n.writes = o.writes;
  n.written = o.written;
  if (o.failed) n.how = i.failure;
  if (i.to != no_register) s.registers[i.to] = seen;
  if (i.succeeded != no_register) s.registers[i.succeeded] = o.failed ? 0 : 1;
  flow::pass(s);
}

void report(const program& p, const sketch& g, const std::vector<flow::state>& states,
            const std::function<void(const execution&)>& visit, enumeration& result) {
  const execution x = finished(p, g, states);
  if (!holds(p.filter, [&](operand_name n) { return x.value(n); })) return;
  ++result.executions;
  visit(x);
}

void fail_too_large(const program& p) {
  throw too_large(
      p.file + ": an execution of " + p.name + " has more than " + std::to_string(most_events) +
      " memory operations, initial writes included: that is beyond this tool; make the test smaller, or loops shorter");
}

void fail_address(const program& p, unsigned thread, const instruction& i, const std::vector<number>& registers) {
  throw bad_address(where(p, i) + "P" + std::to_string(thread) + " reaches this with the address " +
                    value_text(p, evaluate(i.address, registers)) + ", at which there is no location");
}

}  // namespace acqrel::model::litmus
