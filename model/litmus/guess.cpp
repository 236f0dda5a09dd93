// SPDX-License-Identifier: Apache-2.0
#include "guess.hpp"

#include <algorithm>
#include <set>

#include "axioms.hpp"
#include "events.hpp"
#include "flow.hpp"

namespace acqrel::model::litmus {
namespace {

/// One way through a thread, its reads having found certain values.
struct trace {
  std::vector<node> nodes;
  flow::state end;
};

/// More ways through one thread than were to be tried.
struct too_many {};

void numbers_in(const expression& e, std::set<number>& out) {
  if (e.what == operation::constant) out.insert(e.value);
  for (const expression& part : e.of) numbers_in(part, out);
}

void numbers_in(const std::vector<instruction>& body, std::set<number>& out) {
  for (const instruction& i : body) {
    numbers_in(i.operand, out);
    numbers_in(i.expected, out);
    numbers_in(i.then, out);
    numbers_in(i.otherwise, out);
  }
}

unsigned writers(const std::vector<instruction>& body) {
  unsigned n = 0;
  for (const instruction& i : body) {
    if (i.what == opcode::store || i.what == opcode::modify || i.what == opcode::compare_exchange) ++n;
    n += writers(i.then) + writers(i.otherwise);
  }
  return n;
}

class guesser {
 public:
  guesser(const program& p, memory_model model, const std::function<void(const execution&)>& visit)
      : program_(p), model_(model), visit_(visit), graph_(begin(p)) {
    for (const thread& t : p.threads) flows_.emplace_back(t);
  }

  enumeration all() {
    try {
      find_traces();
    } catch (too_many) {
      throw too_large(program_.file + ": the reads of a thread of " + program_.name +
                      " may find too many combinations of values to try them all; make the test smaller");
    }
    combine(0);
    return result_;
  }

  double combinations(double most) {
    most_traces_ = most;
    try {
      find_traces();
    } catch (too_many) {
      return most + 1;
    }
    double product = 1;
    for (const std::vector<trace>& t : traces_) product *= static_cast<double>(t.size());
    return product;
  }

 private:
  // ---- values
  void find_traces() {
    std::set<number> constants;
    unsigned rounds = 1;
    for (const thread& t : program_.threads) {
      numbers_in(t.body, constants);
      rounds += writers(t.body);
    }
    values_.assign(program_.locations.size(), constants);
    for (unsigned l = 0; l < values_.size(); ++l) values_[l].insert(program_.locations[l].initial);
    if (!may_buffer_loads(program_)) {
      for (unsigned l = 0; l < values_.size(); ++l) values_[l] = {program_.locations[l].initial};
    }
    // What is found is written, changed, and found again: at most once through every write.
    for (bool grew = true; rounds > 0 && grew; --rounds) {
      grew = false;
      traces_.assign(flows_.size(), {});
      for (unsigned t = 0; t < flows_.size(); ++t) {
        trace start;
        start.end = flows_[t].start();
        run(t, start);
      }
      for (const std::vector<trace>& of_thread : traces_) {
        for (const trace& one : of_thread) {
          for (const node& n : one.nodes) {
            if (n.writes) grew = values_[static_cast<unsigned>(n.location)].insert(n.written).second || grew;
          }
        }
      }
    }
  }

  void run(unsigned t, const trace& so_far) {
    trace here = so_far;
    const instruction* i = flows_[t].advance(here.end);
    if (here.end.cut) {
      result_.cut = true;
      return;
    }
    if (i == nullptr) {
      if (static_cast<double>(traces_[t].size()) >= most_traces_) throw too_many();
      traces_[t].push_back(std::move(here));
      return;
    }
    if (i->what == opcode::fence) {
      here.nodes.push_back(fence_node(t, *i));
      flow::pass(here.end);
      return run(t, here);
    }
    node n = access_node(program_, t, *i, here.end.registers);
    if (n.location < 0) return;  // a guess that was wrong: nobody reads an address that was never written
    if (i->what == opcode::store) {
      n.writes = true;
      n.written = evaluate(i->operand, here.end.registers);
      here.nodes.push_back(n);
      flow::pass(here.end);
      return run(t, here);
    }
    for (number seen : values_[static_cast<unsigned>(n.location)]) {
      for (const outcome& o : outcomes_of(*i, here.end.registers, seen)) {
        trace next = here;
        node mine = n;
        apply(o, *i, seen, mine, next.end);
        next.nodes.push_back(mine);
        run(t, next);
      }
    }
  }

  // ---- one trace of each thread
  void combine(unsigned t) {
    if (t == traces_.size()) {
      if (all_can_read()) read(static_cast<unsigned>(program_.locations.size()));
      return;
    }
    const unsigned before = graph_.size();
    for (const trace& one : traces_[t]) {
      if (before + one.nodes.size() > most_events) fail_too_large(program_);
      graph_.nodes.insert(graph_.nodes.end(), one.nodes.begin(), one.nodes.end());
      graph_.next.resize(graph_.size(), -1);
      ends_.push_back(one.end);
      combine(t + 1);
      ends_.pop_back();
      graph_.nodes.resize(before);
      graph_.next.resize(before);
    }
  }

  bool fits(unsigned r, unsigned w) const {
    return w != r && graph_[w].writes && graph_[w].location == graph_[r].location &&
           graph_[w].written == graph_[r].seen;
  }

  bool all_can_read() const {
    for (unsigned r = 0; r < graph_.size(); ++r) {
      if (!graph_[r].reads) continue;
      bool found = false;
      for (unsigned w = 0; w < graph_.size() && !found; ++w) found = fits(r, w);
      if (!found) return false;
    }
    return true;
  }

  void read(unsigned r) {
    while (r < graph_.size() && !graph_[r].reads) ++r;
    if (r == graph_.size()) return write(static_cast<unsigned>(program_.locations.size()));
    for (unsigned w = 0; w < graph_.size(); ++w) {
      if (!fits(r, w)) continue;
      graph_[r].from = static_cast<int>(w);
      if (consistent(graph_, model_)) read(r + 1);
    }
    graph_[r].from = -1;
  }

  void write(unsigned me) {
    while (me < graph_.size() && !graph_[me].writes) ++me;
    if (me == graph_.size()) return report(program_, graph_, ends_, visit_, result_);
    for (int w = graph_[me].location; w >= 0; w = graph_.next[static_cast<unsigned>(w)]) {
      int& next = graph_.next[static_cast<unsigned>(w)];
      graph_.next[me] = next;
      next = static_cast<int>(me);
      if (consistent(graph_, model_)) write(me + 1);
      next = graph_.next[me];
    }
    graph_.next[me] = -1;
  }

  const program& program_;
  memory_model model_;
  const std::function<void(const execution&)>& visit_;
  std::vector<flow> flows_;
  std::vector<std::set<number>> values_;  // by location
  std::vector<std::vector<trace>> traces_;
  std::vector<flow::state> ends_;
  sketch graph_;
  enumeration result_;
  double most_traces_ = 200'000;
};

// Whether a write may come after a read, `read` saying that one has come; sets it.
bool read_then_write(const std::vector<instruction>& body, bool& read) {
  for (const instruction& i : body) {
    if (i.what == opcode::store && read) return true;
    if (i.what == opcode::modify || i.what == opcode::compare_exchange) return true;
    if (i.what == opcode::load) read = true;
    bool other = read;
    if (read_then_write(i.then, read) || read_then_write(i.otherwise, other)) return true;
    read = read || other;
  }
  return false;
}

}  // namespace

enumeration enumerate_by_guessing(const program& p, memory_model model,
                                  const std::function<void(const execution&)>& visit) {
  return guesser(p, model, visit).all();
}

double guesses(const program& p, double most) {
  return guesser(p, memory_model::iso, [](const execution&) {}).combinations(most);
}

bool may_buffer_loads(const program& p) {
  unsigned n = 0;
  for (const thread& t : p.threads) {
    bool read = false;
    if (read_then_write(t.body, read)) ++n;
  }
  return n >= 2;
}

}  // namespace acqrel::model::litmus
