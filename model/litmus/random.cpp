// SPDX-License-Identifier: Apache-2.0
#include "random.hpp"

#include <algorithm>

namespace acqrel::model::litmus {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014).
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  /// 0 .. n-1
  unsigned roll(unsigned n) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<unsigned>((z ^ (z >> 31)) >> 33) % n;
  }
  bool one_in(unsigned n) { return roll(n) == 0; }
  order pick(std::initializer_list<order> from) { return from.begin()[roll(static_cast<unsigned>(from.size()))]; }

 private:
  std::uint64_t state_;
};

class maker {
 public:
  maker(std::uint64_t seed, const random_options& o) : dice_(seed), options_(o) {
    program_.name = "random+" + std::to_string(seed);
    program_.filter.what = proposition::kind::always;
  }

  program make() {
    atomics_ = 1 + dice_.roll(3);
    for (unsigned l = 0; l < atomics_; ++l) program_.locations.push_back({std::string(1, "xyz"[l]), 0, true, 1});
    if (options_.plain) program_.locations.push_back({"d", 0, false, 1});
    const unsigned threads = 2 + dice_.roll(options_.most_threads - 1);
    unsigned events = std::max(threads, 5 + dice_.roll(options_.most_events - 4));
    program_.threads.resize(threads);
    for (thread& t : program_.threads) {
      for (unsigned l = 0; l < program_.locations.size(); ++l) t.parameters.push_back(l);
    }
    // One for each thread, the others as it comes.
    for (unsigned t = 0; t < threads; ++t, --events) add(program_.threads[t]);
    for (; events > 0; --events) add(program_.threads[dice_.roll(threads)]);
    return std::move(program_);
  }

 private:
  void add(thread& t) {
    const bool conditional = !t.registers.empty() && dice_.one_in(8);
    const expression condition =
        conditional ? expression{operation::equal, 0, {any_register(t), expression::constant(number{dice_.roll(3)})}}
                    : expression();
    instruction i = operation_of(t);
    if (conditional) {
      instruction branch;
      branch.what = opcode::branch;
      branch.operand = condition;
      branch.then.push_back(std::move(i));
      i = std::move(branch);
    }
    t.body.push_back(std::move(i));
  }

  instruction operation_of(thread& t) {
    instruction i;
    using enum order;
    const unsigned kind = dice_.roll(options_.plain ? 13 : 10);
    i.address = expression::address(dice_.roll(atomics_));
    if (kind >= 10) {
      i.what = kind == 10 ? opcode::load : opcode::store;
      i.atomic = false;
      i.how = relaxed;
      i.address = expression::address(atomics_);
    } else if (kind < 3) {
      i.what = opcode::store;
      i.how = dice_.pick({relaxed, release, seq_cst});
    } else if (kind < 6) {
      i.what = opcode::load;
      i.how = dice_.pick({relaxed, acquire, seq_cst});
    } else if (kind == 6) {
      i.what = opcode::fence;
      i.how = dice_.pick({acquire, release, acq_rel, seq_cst});
      return i;
    } else if (kind < 9) {
      i.what = opcode::modify;
      i.updates = kind == 7 ? update::add : update::exchange;
      i.how = dice_.pick({relaxed, acquire, release, acq_rel, seq_cst});
    } else {
      i.what = opcode::compare_exchange;
      i.how = dice_.pick({relaxed, acquire, release, acq_rel, seq_cst});
      i.failure = dice_.pick({relaxed, acquire, seq_cst});
      i.expected = expression::constant(number{dice_.roll(3)});
    }
    if (i.what != opcode::load) i.operand = written(t);
    if (i.what != opcode::store) i.to = new_register(t);
    return i;
  }

  // Mostly a number that no other write has, so that states tell executions apart.
  expression written(thread& t) {
    if (!t.registers.empty() && dice_.one_in(6)) {
      return {operation::add, 0, {any_register(t), expression::constant(1)}};
    }
    return expression::constant(dice_.one_in(4) ? number{1} : ++last_value_);
  }

  expression any_register(const thread& t) {
    return expression::reg(dice_.roll(static_cast<unsigned>(t.registers.size())));
  }
  static unsigned new_register(thread& t) {
    t.registers.push_back("r" + std::to_string(t.registers.size()));
    t.initial.push_back(0);
    return static_cast<unsigned>(t.registers.size() - 1);
  }

  dice dice_;
  random_options options_;
  program program_;
  unsigned atomics_ = 1;
  number last_value_ = 0;
};

}  // namespace

program random_program(std::uint64_t seed, const random_options& o) { return maker(seed, o).make(); }

}  // namespace acqrel::model::litmus
