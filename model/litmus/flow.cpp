// SPDX-License-Identifier: Apache-2.0
#include "flow.hpp"

namespace acqrel::model::litmus {

flow::flow(const thread& t) : thread_(t) { add(t.body); }

void flow::add(const std::vector<instruction>& body) {
  for (const instruction& i : body) {
    const std::size_t here = steps_.size();
    steps_.push_back({&i, 0});
    if (i.what != opcode::branch) continue;
    add(i.then);
    if (i.otherwise.empty()) {
      steps_[here].target = static_cast<unsigned>(steps_.size());
      continue;
    }
    const std::size_t leave = steps_.size();
    steps_.push_back({});
    steps_[here].target = static_cast<unsigned>(steps_.size());
    add(i.otherwise);
    steps_[leave].target = static_cast<unsigned>(steps_.size());
  }
}

flow::state flow::start() const {
  state s;
  s.registers = thread_.initial;
  return s;
}

const instruction* flow::advance(state& s) const {
  while (s.at < steps_.size()) {
    const step& here = steps_[s.at];
    if (here.what == nullptr) {
      s.at = here.target;
    } else if (here.what->what == opcode::assign) {
      s.registers[here.what->to] = evaluate(here.what->operand, s.registers);
      ++s.at;
    } else if (here.what->what == opcode::branch) {
      s.at = evaluate(here.what->operand, s.registers) != 0 ? s.at + 1 : here.target;
    } else if (here.what->what == opcode::cut) {
      s.cut = true;
      s.at = static_cast<unsigned>(steps_.size());
    } else {
      return here.what;
    }
  }
  return nullptr;
}

number modified(update how, number seen, number operand) {
  const auto a = static_cast<std::uint64_t>(seen), b = static_cast<std::uint64_t>(operand);
  switch (how) {
    case update::add: return static_cast<number>(a + b);
    case update::subtract: return static_cast<number>(a - b);
    case update::bit_and: return seen & operand;
    case update::bit_or: return seen | operand;
    case update::bit_xor: return seen ^ operand;
    default: return operand;
  }
}

}  // namespace acqrel::model::litmus
