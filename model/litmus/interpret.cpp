// SPDX-License-Identifier: Apache-2.0
#include "interpret.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "../core/explorer.hpp"
#include "events.hpp"
#include "flow.hpp"

namespace acqrel::model::litmus {
namespace {

struct thrower final : trouble {
  [[noreturn]] void nondeterministic(const std::string& what) override { throw std::runtime_error(what); }
  [[noreturn]] void bound_hit(const std::string& what) override { throw too_large(what); }
};

model::value bits(number n) { return static_cast<std::uint64_t>(n); }
number integer(model::value v) { return static_cast<number>(static_cast<std::uint64_t>(v)); }

/// Of a run. A thread that is stopped leaves the others to go on: what they write may lead it elsewhere in another run.
enum class ending : std::uint8_t { complete, stopped, race };

class interpreter {
 public:
  explicit interpreter(const program& p) : program_(p), tree_(settings(), caller_) {
    for (const thread& t : p.threads) flows_.emplace_back(t);
  }

  exploration_result all() {
    const std::vector<operand_name> names = shown(program_);
    std::set<std::vector<number>> states;
    exploration_result result;
    while (tree_.next()) {
      const ending end = run();
      if (end == ending::race) {
        result.race = true;
        return result;
      }
      tree_.finish(end == ending::complete);
      if (end != ending::complete) continue;
      const auto value = [this](operand_name n) { return value_of(n); };
      if (!holds(program_.filter, value)) continue;
      ++result.executions;
      if (holds(program_.final.holds, value)) ++result.positive;
      std::vector<number> state;
      for (operand_name n : names) state.push_back(value_of(n));
      states.insert(std::move(state));
    }
    result.states.assign(states.begin(), states.end());
    result.cut = cut_;
    result.exhaustive = tree_.exhaustive();
    result.duplicates = tree_.duplicates();
    return result;
  }

 private:
  static exploration settings() {
    exploration how;
    how.max_executions = 0;
    how.look_for_duplicates = true;
    return how;
  }

  /// What was done to a location by plain accesses in this run, and what it holds.
  struct access {
    unsigned thread, position;
    bool write;
  };
  struct cell {
    bool atomic = false;
    number value = 0;
    std::vector<access> plain;
  };

  ending run() {
    states_.clear();
    for (const flow& f : flows_) states_.push_back(f.start());
    cells_.assign(program_.locations.size(), {});
    for (unsigned l = 0; l < cells_.size(); ++l) cells_[l].value = program_.locations[l].initial;
    stopped_.assign(flows_.size(), false);
    for (;;) {
      if (const std::optional<thread_id> next = tree_.scheduled()) {
        if (!step(*next)) return ending::race;
        continue;
      }
      bool moved = false;
      for (unsigned t = 0; t < flows_.size() && !moved; ++t) {
        if (stopped_[t]) continue;
        const instruction* i = flows_[t].advance(states_[t]);
        if (states_[t].cut) cut_ = stopped_[t] = true;
        if (i == nullptr) continue;
        moved = true;
        if (!perform(t, *i)) return ending::race;
      }
      if (!moved) break;
    }
    if (std::find(stopped_.begin(), stopped_.end(), true) != stopped_.end()) return ending::stopped;
    for (unsigned l = 0; l < cells_.size(); ++l) {
      if (const std::optional<model::value> v = tree_.latest(l)) cells_[l].value = integer(*v);
    }
    return ending::complete;
  }

  // To the thread's next atomic operation, and through it; false if there is a race.
  bool step(unsigned t) {
    for (;;) {
      const instruction* i = flows_[t].advance(states_[t]);
      if (i == nullptr) throw std::runtime_error("the explorer wants an operation of a thread that has ended");
      const bool plain = (i->what == opcode::load || i->what == opcode::store) && !i->atomic;
      if (!perform(t, *i)) return false;
      if (!plain) return true;
    }
  }

  bool perform(unsigned t, const instruction& i) {
    flow::state& s = states_[t];
    const auto id = static_cast<thread_id>(t);
    if (i.what == opcode::fence) {
      tree_.fence(id, kind::fence, i.how, nullptr);
      flow::pass(s);
      return true;
    }
    const node at = access_node(program_, t, i, s.registers);
    if (at.location < 0) fail_address(program_, t, i, s.registers);
    const auto l = static_cast<unsigned>(at.location);
    cell& c = cells_[l];
    if (!at.atomic) return plain(t, i, c, l);
    if (!c.plain.empty()) fail_mixed(l);
    c.atomic = true;
    const model::value initial = bits(program_.locations[l].initial);
    node ignored;
    if (i.what == opcode::store) {
      tree_.store(id, l, initial, bits(evaluate(i.operand, s.registers)), i.how, nullptr);
      flow::pass(s);
      return true;
    }
    if (i.what == opcode::load) {
      const number seen = integer(tree_.load(id, l, initial, i.how, nullptr));
      apply({}, i, seen, ignored, s);
      return true;
    }
    if (i.weak && tree_.choose(id, 2, nullptr) == 1) {
      // Fails whatever it finds. Where it would have failed anyway the other choice has it.
      const number seen = integer(tree_.load(id, l, initial, i.failure, nullptr));
      if (seen != evaluate(i.expected, s.registers)) stopped_[t] = true;
      apply({false, true, 0}, i, seen, ignored, s);
      return true;
    }
    modification m;
    m.how = i.what == opcode::compare_exchange ? update::compare_exchange : i.updates;
    m.operand = bits(evaluate(i.operand, s.registers));
    m.expected = bits(evaluate(i.expected, s.registers));
    m.success = i.how;
    m.failure = i.failure;
    const number seen = integer(tree_.rmw(id, l, initial, m, nullptr));
    const bool failed = i.what == opcode::compare_exchange && bits(seen) != m.expected;
    apply({!failed, failed, 0}, i, seen, ignored, s);
    return true;
  }

  bool plain(unsigned t, const instruction& i, cell& c, unsigned l) {
    if (c.atomic) fail_mixed(l);
    const bool write = i.what == opcode::store;
    const auto id = static_cast<thread_id>(t);
    for (const access& a : c.plain) {
      if (a.thread != t && (a.write || write) && tree_.now(id)[a.thread] <= a.position) return false;
    }
    c.plain.push_back({t, tree_.position(id), write});
    node ignored;
    if (write) {
      c.value = evaluate(i.operand, states_[t].registers);
      flow::pass(states_[t]);
    } else {
      apply({}, i, c.value, ignored, states_[t]);
    }
    return true;
  }

  [[noreturn]] void fail_mixed(unsigned l) const {
    throw mixed_accesses(program_.file + ": " + program_.locations[l].name +
                         " is accessed both atomically and plainly; this engine takes one or the other");
  }

  number value_of(operand_name n) const {
    return n.thread < 0 ? cells_[n.index].value : states_[static_cast<unsigned>(n.thread)].registers[n.index];
  }

  const program& program_;
  thrower caller_;
  explorer tree_;
  std::vector<flow> flows_;
  std::vector<flow::state> states_;
  std::vector<cell> cells_;
  std::vector<bool> stopped_;
  bool cut_ = false;
};

}  // namespace

exploration_result explore(const program& p) { return interpreter(p).all(); }

}  // namespace acqrel::model::litmus
