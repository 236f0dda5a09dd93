// SPDX-License-Identifier: Apache-2.0
#include "enumerate.hpp"

#include <utility>

#include "axioms.hpp"
#include "events.hpp"
#include "flow.hpp"
#include "guess.hpp"

namespace acqrel::model::litmus {
namespace {

// With sb | rf acyclic every execution can be built event by event, each read finding its write there. To meet each
// execution once, the order of building is a function of the execution:
//  - whoever comes to a write or a fence makes it at once (a write in every place of the modification order);
//  - when all are at reads, the first thread whose read finds its write already there goes on. The threads before it are
//    then known to read from writes still to come: `floor`.
class builder {
 public:
  builder(const program& p, memory_model model, const std::function<void(const execution&)>& visit)
      : program_(p), model_(model), visit_(visit), graph_(begin(p)) {
    for (const thread& t : p.threads) {
      flows_.emplace_back(t);
      states_.push_back(flows_.back().start());
    }
    floors_.resize(p.threads.size(), 0);
  }

  enumeration all() {
    extend();
    return result_;
  }

 private:
  void extend() {
    std::vector<const instruction*> pending(flows_.size());
    bool waiting = false;
    for (unsigned t = 0; t < flows_.size(); ++t) {
      const flow::state before = states_[t];
      pending[t] = flows_[t].advance(states_[t]);
      if (states_[t].cut) {
        states_[t] = before;
        result_.cut = true;
        return;
      }
      if (pending[t] == nullptr) continue;
      if (pending[t]->what == opcode::fence || pending[t]->what == opcode::store) {
        return pending[t]->what == opcode::fence ? fence(t, *pending[t]) : store(t, *pending[t]);
      }
      waiting = true;
    }
    if (!waiting) {
      report(program_, graph_, states_, visit_, result_);
      return;
    }
    const std::vector<unsigned> floors = floors_;
    for (unsigned t = 0; t < flows_.size(); ++t) {
      if (pending[t] == nullptr) continue;
      read(t, *pending[t]);
      floors_[t] = graph_.size();
    }
    floors_ = floors;
  }

  void fence(unsigned t, const instruction& i) {
    const flow::state before = states_[t];
    push(fence_node(t, i));
    flow::pass(states_[t]);
    extend();
    pop();
    states_[t] = before;
  }

  void store(unsigned t, const instruction& i) {
    const flow::state before = states_[t];
    node n = access_node(program_, t, i, before.registers);
    n.writes = true;
    n.written = evaluate(i.operand, before.registers);
    if (n.location < 0) fail_address(program_, t, i, before.registers);
    const int first = n.location;  // its initial write
    const unsigned me = push(n);
    flow::pass(states_[t]);
    const flow::state after = states_[t];
    for (int w = first; w >= 0; w = graph_.next[static_cast<unsigned>(w)]) {
      place_after(static_cast<unsigned>(w), me);
      if (consistent(graph_, model_)) {
        extend();
        states_[t] = after;
      }
      graph_.next[static_cast<unsigned>(w)] = graph_.next[me];
    }
    pop();
    states_[t] = before;
  }

  void read(unsigned t, const instruction& i) {
    const flow::state before = states_[t];
    const node n = access_node(program_, t, i, before.registers);
    if (n.location < 0) fail_address(program_, t, i, before.registers);
    const unsigned floor = std::exchange(floors_[t], 0);
    for (unsigned w = floor; w < graph_.size(); ++w) {
      if (!graph_[w].writes || graph_[w].location != n.location) continue;
      for (const outcome& o : outcomes_of(i, before.registers, graph_[w].written)) {
        node mine = n;
        mine.from = static_cast<int>(w);
        apply(o, i, graph_[w].written, mine, states_[t]);
        const unsigned me = push(mine);
        if (mine.writes) place_after(w, me);
        if (consistent(graph_, model_)) extend();
        if (mine.writes) graph_.next[w] = graph_.next[me];
        pop();
        states_[t] = before;
      }
    }
    floors_[t] = floor;
  }

  unsigned push(const node& n) {
    if (graph_.size() == most_events) fail_too_large(program_);
    graph_.nodes.push_back(n);
    graph_.next.push_back(-1);
    return graph_.size() - 1;
  }
  void pop() {
    graph_.nodes.pop_back();
    graph_.next.pop_back();
  }
  void place_after(unsigned w, unsigned me) {
    graph_.next[me] = graph_.next[w];
    graph_.next[w] = static_cast<int>(me);
  }

  const program& program_;
  memory_model model_;
  const std::function<void(const execution&)>& visit_;
  std::vector<flow> flows_;
  std::vector<flow::state> states_;
  std::vector<unsigned> floors_;
  sketch graph_;
  enumeration result_;
};

}  // namespace

enumeration enumerate(const program& p, memory_model model, const std::function<void(const execution&)>& visit) {
  if (model == memory_model::iso) return enumerate_by_guessing(p, model, visit);
  return builder(p, model, visit).all();
}

}  // namespace acqrel::model::litmus
