// SPDX-License-Identifier: Apache-2.0
#include "answer.hpp"

#include <set>

#include "guess.hpp"

namespace acqrel::model::litmus {

bool answer::ok(const condition& c) const {
  switch (c.what) {
    case quantifier::exists: return positive > 0;
    case quantifier::not_exists: return positive == 0;
    case quantifier::forall: return negative == 0;
    case quantifier::none: return true;
  }
  return false;
}

answer run(const program& p, memory_model model, std::uint64_t most_executions) {
  answer a;
  const std::vector<operand_name> names = shown(p);
  std::set<std::vector<number>> states;
  std::vector<number> state(names.size());
  const enumeration all = enumerate(p, model, [&](const execution& x) {
    if (most_executions != 0 && a.positive + a.negative == most_executions) {
      throw too_large(p.file + ": " + p.name + " has more than " + std::to_string(most_executions) +
                      " executions; raise the limit, or make the test smaller");
    }
    for (std::size_t i = 0; i < names.size(); ++i) state[i] = x.value(names[i]);
    states.insert(state);
    const bool holds_here = holds(p.final.holds, [&](operand_name n) { return x.value(n); });
    ++(holds_here ? a.positive : a.negative);
    if (holds_here && (!a.witness || (a.witness->race && !x.race))) a.witness = x;
    if (x.race && !a.racy) a.racy = x;
  });
  a.executions = all.executions;
  a.cut = all.cut;
  a.states.assign(states.begin(), states.end());
  return a;
}

std::optional<answer> run_to_the_letter(const program& p, const answer& by_default, double most_guesses) {
  if (!may_buffer_loads(p)) return by_default;
  if (guesses(p, most_guesses) > most_guesses) return std::nullopt;
  return run(p, memory_model::iso);
}

std::string state_text(const program& p, const std::vector<number>& state) {
  const std::vector<operand_name> names = shown(p);
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = name_of(p, names[i]);
    text += (i == 0 ? "" : " ") + (names[i].thread < 0 ? "[" + name + "]" : name) + "=" + value_text(p, state[i]) + ";";
  }
  return text;
}

const char* text(observation o) {
  switch (o) {
    case observation::never: return "Never";
    case observation::sometimes: return "Sometimes";
    case observation::always: return "Always";
  }
  return "";
}

const char* text(memory_model m) {
  switch (m) {
    case memory_model::cxx20: return "c++20";
    case memory_model::iso: return "iso";
    case memory_model::sc: return "sc";
  }
  return "";
}

}  // namespace acqrel::model::litmus
