// A litmus program as native code: each thread a std::thread, each access a std::atomic_ref operation or a plain one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <acqrel/testing/model.hpp>

#include "model/litmus/answer.hpp"
#include "model/litmus/program.hpp"

#include <gtest/gtest.h>

namespace native_litmus {

namespace litmus = acqrel::model::litmus;
using litmus::number;

constexpr unsigned most_threads = 6, most_registers = 16, most_locations = 8;

/// What one execution came to.
struct state {
  number registers[most_threads][most_registers];
  number memory[most_locations];

  number value(litmus::operand_name n) const { return n.thread < 0 ? memory[n.index] : registers[n.thread][n.index]; }
};

inline std::memory_order standard(acqrel::model::order o) {
  constexpr std::memory_order all[] = {std::memory_order_relaxed, std::memory_order_acquire, std::memory_order_release,
                                       std::memory_order_acq_rel, std::memory_order_seq_cst};
  return all[static_cast<int>(o)];
}

class runner {
 public:
  explicit runner(const litmus::program& p) : program_(p) {}

  /// Whether this runner has what the program needs: no arrays, not too much of anything.
  bool can_run() const {
    return program_.threads.size() <= most_threads && program_.locations.size() <= most_locations &&
           std::all_of(program_.threads.begin(), program_.threads.end(),
                       [](const litmus::thread& t) { return t.registers.size() <= most_registers; });
  }

  /// One execution, under the checker or not. Nothing in here allocates but std::thread.
  void run(state& s) {
    s = {};
    for (std::size_t i = 0; i < program_.locations.size(); ++i) memory_[i] = program_.locations[i].initial;
    std::thread threads[most_threads];
    for (std::size_t t = 0; t < program_.threads.size(); ++t) {
      const litmus::thread& code = program_.threads[t];
      for (std::size_t r = 0; r < code.initial.size(); ++r) s.registers[t][r] = code.initial[r];
      threads[t] = std::thread([this, &code, mine = s.registers[t]] { body(code.body, mine); });
    }
    for (std::size_t t = 0; t < program_.threads.size(); ++t) threads[t].join();
    for (std::size_t i = 0; i < program_.locations.size(); ++i) s.memory[i] = memory_[i];
  }

 private:
  static number eval(const litmus::expression& e, const number* r) {
    using enum litmus::operation;
    switch (e.what) {
      case constant: return e.value;
      case reg: return r[e.value];
      case negate: return -eval(e.of[0], r);
      case logical_not: return eval(e.of[0], r) == 0;
      case add: return eval(e.of[0], r) + eval(e.of[1], r);
      case subtract: return eval(e.of[0], r) - eval(e.of[1], r);
      case multiply: return eval(e.of[0], r) * eval(e.of[1], r);
      case bit_and: return eval(e.of[0], r) & eval(e.of[1], r);
      case bit_or: return eval(e.of[0], r) | eval(e.of[1], r);
      case bit_xor: return eval(e.of[0], r) ^ eval(e.of[1], r);
      case logical_and: return eval(e.of[0], r) != 0 && eval(e.of[1], r) != 0;
      case logical_or: return eval(e.of[0], r) != 0 || eval(e.of[1], r) != 0;
      case equal:
      case different:
      case less:
      case less_equal:
      case greater:
      case greater_equal: return litmus::compares(e.what, eval(e.of[0], r), eval(e.of[1], r));
      default: std::terminate();
    }
  }

  number& object(const litmus::expression& address, const number* r) {
    const int l = litmus::location_at(program_.locations, eval(address, r));
    if (l < 0) std::terminate();
    return memory_[l];
  }

  static number modify(std::atomic_ref<number> a, acqrel::model::update how, number v, std::memory_order o) {
    using enum acqrel::model::update;
    switch (how) {
      case exchange: return a.exchange(v, o);
      case add: return a.fetch_add(v, o);
      case subtract: return a.fetch_sub(v, o);
      case bit_and: return a.fetch_and(v, o);
      case bit_or: return a.fetch_or(v, o);
      case bit_xor: return a.fetch_xor(v, o);
      default: std::terminate();
    }
  }

  void body(const std::vector<litmus::instruction>& code, number* r) {
    for (const litmus::instruction& i : code) {
      const auto give = [r](unsigned to, number v) {
        if (to != litmus::no_register) r[to] = v;
      };
      switch (i.what) {
        case litmus::opcode::load: {
          number& m = object(i.address, r);
          give(i.to, i.atomic ? std::atomic_ref(m).load(standard(i.how)) : m);
          break;
        }
        case litmus::opcode::store: {
          number& m = object(i.address, r);
          const number v = eval(i.operand, r);
          if (i.atomic) {
            std::atomic_ref(m).store(v, standard(i.how));
          } else {
            m = v;
          }
          break;
        }
        case litmus::opcode::modify:
          give(i.to, modify(std::atomic_ref(object(i.address, r)), i.updates, eval(i.operand, r), standard(i.how)));
          break;
        case litmus::opcode::compare_exchange: {
          number seen = eval(i.expected, r);
          const number v = eval(i.operand, r);
          std::atomic_ref a(object(i.address, r));
          const bool done = i.weak ? a.compare_exchange_weak(seen, v, standard(i.how), standard(i.failure))
                                   : a.compare_exchange_strong(seen, v, standard(i.how), standard(i.failure));
          give(i.to, seen);
          give(i.succeeded, done ? 1 : 0);
          break;
        }
        case litmus::opcode::fence: std::atomic_thread_fence(standard(i.how)); break;
        case litmus::opcode::assign: give(i.to, eval(i.operand, r)); break;
        case litmus::opcode::branch: body(eval(i.operand, r) != 0 ? i.then : i.otherwise, r); break;
        case litmus::opcode::cut: std::terminate();  // the built-in tests have no loops
      }
    }
  }

  const litmus::program& program_;
  number memory_[most_locations] = {};
};

struct outcome {
  std::uint64_t executions = 0;
  std::vector<std::vector<litmus::number>> states;
  bool race = false;
};

inline outcome natively(const litmus::program& p) {
  // Outside the executable's globals and the checker's arenas, where it outlives a run; no run allocates.
  constexpr std::size_t most = 4096;
  const auto found = std::make_unique<state[]>(most);
  const auto hashes = std::make_unique<std::uint64_t[]>(most);
  std::size_t n = 0;
  const auto seen = [&](const state& s) {
    std::uint64_t h = 0;
    for (const litmus::number* v = &s.registers[0][0]; v != &s.registers[0][0] + sizeof s / sizeof *v; ++v) {
      h = (h ^ static_cast<std::uint64_t>(*v)) * 0x9e3779b97f4a7c15u;
    }
    hashes[n] = h;
    for (std::size_t i = 0; i < n; ++i) {
      if (hashes[i] == h &&
          std::equal(&found[i].registers[0][0], &found[i].registers[0][0] + sizeof s / sizeof(litmus::number),
                     &s.registers[0][0])) {
        return true;
      }
    }
    return false;
  };
  const auto scratch = std::make_unique<state>();
  acqrel::model::options how;
  how.progress = false;
  how.name = p.name;
  runner program(p);
  const auto r = acqrel::model::check(how, [&] {
    program.run(*scratch);
    if (n < most && !seen(*scratch)) found[n++] = *scratch;
  });
  outcome o;
  o.race = r.trouble == "data race";
  if (!o.race) {
    EXPECT_TRUE(r.passed()) << r.report();
  }
  EXPECT_EQ(r.duplicates, 0u);
  o.executions = r.executions;
  std::set<std::vector<litmus::number>> states;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<litmus::number> s;
    for (const auto name : litmus::shown(p)) s.push_back(found[i].value(name));
    states.insert(s);
  }
  o.states.assign(states.begin(), states.end());
  return o;
}

/// Holds the checker, which runs `p` natively, to the enumerator.
inline void same(const litmus::program& p) {
  const litmus::answer expected = litmus::run(p);
  const outcome found = natively(p);
  EXPECT_EQ(found.race, expected.racy.has_value()) << litmus::to_herd(p);
  if (found.race || expected.racy) return;
  EXPECT_EQ(found.executions, expected.executions) << litmus::to_herd(p);
  EXPECT_EQ(found.states, expected.states) << litmus::to_herd(p);
}

}  // namespace native_litmus
