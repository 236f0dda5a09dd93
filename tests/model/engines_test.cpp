// Two engines that share no code but the program they run must find the same executions: the axioms asked of every graph,
// and the explorer that the program checker stands on. A third, slower one guesses values.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>

#include "model/litmus/answer.hpp"
#include "model/litmus/corpus.hpp"
#include "model/litmus/guess.hpp"
#include "model/litmus/interpret.hpp"
#include "model/litmus/parse.hpp"
#include "model/litmus/random.hpp"

namespace {

using namespace acqrel::model::litmus;

void compare(const program& p) {
  const answer by_axioms = run(p);
  const exploration_result by_exploring = explore(p);
  ASSERT_EQ(by_axioms.racy.has_value(), by_exploring.race) << to_herd(p);
  if (by_exploring.race) return;
  EXPECT_EQ(by_axioms.executions, by_exploring.executions) << to_herd(p);
  EXPECT_EQ(by_axioms.positive, by_exploring.positive) << to_herd(p);
  EXPECT_EQ(by_axioms.states, by_exploring.states) << to_herd(p);
  EXPECT_EQ(by_axioms.cut, by_exploring.cut) << to_herd(p);
  EXPECT_EQ(by_exploring.duplicates, 0u) << to_herd(p);
  EXPECT_TRUE(by_exploring.exhaustive);
}

TEST(engines, agree_on_every_built_in_test) {
  unsigned compared = 0;
  for (const entry& e : corpus()) {
    SCOPED_TRACE(e.name);
    try {
      compare(parse(e.text, e.name));
      ++compared;
    } catch (const mixed_accesses&) {
      // Atomic and plain accesses to one location: the explorer's interpreter takes none of those.
    }
  }
  EXPECT_GE(compared, 250u);
}

TEST(engines, agree_on_loops_and_on_exchanges_that_fail_for_no_reason) {
  const std::string lock =
      "P0 (atomic_int* l, int* n) { while (atomic_exchange_explicit(l, 1, memory_order_acquire)) { } *n = *n + 1; "
      "atomic_store_explicit(l, 0, memory_order_release); }\n";
  std::string second = lock;
  second[1] = '1';
  const std::string increment =
      "(atomic_int* x) { int e = atomic_load(x); while (!atomic_compare_exchange_weak(x, &e, e + 1)) { } }\n";
  const std::string texts[] = {
      "C lock\n{}\n" + lock + second + "forall (n=2)",
      "C increment\n{}\nP0 " + increment + "P1 " + increment + "forall (x=2)",
      "C weak\n{}\nP0 (atomic_int* x) { atomic_store(x, 1); }\nP1 (atomic_int* x) { int e = 0; int r = "
      "atomic_compare_exchange_weak(x, &e, 2); }\nexists (1:r=0 /\\ 1:e=0)",
  };
  for (const std::string& text : texts) {
    SCOPED_TRACE(text);
    const program p = parse(text, "t", {2});
    compare(p);
    EXPECT_TRUE(run(p).ok(p.final));
  }
}

TEST(engines, agree_on_a_thousand_random_programs) {
  constexpr std::uint64_t first = 1, programs = 1000;
  std::cout << "seeds " << first << " to " << first + programs - 1 << "\n";
  for (std::uint64_t seed = first; seed < first + programs && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare(random_program(seed));
  }
}

TEST(engines, agree_on_random_programs_with_plain_data) {
  constexpr std::uint64_t first = 1, programs = 1000;
  std::cout << "seeds " << first << " to " << first + programs - 1 << "\n";
  random_options o;
  o.plain = true;
  unsigned races = 0;
  for (std::uint64_t seed = first; seed < first + programs && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const program p = random_program(seed, o);
    compare(p);
    if (explore(p).race) ++races;
  }
  EXPECT_GT(races, programs / 10);
  EXPECT_LT(races, programs * 9 / 10);
}

TEST(engines, find_by_guessing_values_what_they_find_by_building) {
  unsigned compared = 0;
  for (std::uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const program p = random_program(seed);
    if (guesses(p, 1000) > 1000) continue;
    ++compared;
    for (memory_model model : {memory_model::cxx20, memory_model::sc}) {
      std::uint64_t guessed = 0;
      enumerate_by_guessing(p, model, [&](const execution&) { ++guessed; });
      EXPECT_EQ(guessed, run(p, model).executions) << text(model) << "\n" << to_herd(p);
    }
  }
  EXPECT_GT(compared, 200u);
}

TEST(engines, allow_no_less_to_the_letter_and_no_more_under_sc) {
  for (std::uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const program p = random_program(seed);
    const answer by_default = run(p);
    EXPECT_GE(by_default.executions, run(p, memory_model::sc).executions);
    const std::optional<answer> letter = run_to_the_letter(p, by_default, 500);
    if (letter) {
      EXPECT_GE(letter->executions, by_default.executions);
    }
  }
}

TEST(engines, find_the_same_in_a_program_written_out_and_read_again) {
  random_options o;
  o.plain = true;
  for (std::uint64_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const program p = random_program(seed, o);
    const program again = parse(to_herd(p));
    const answer a = run(p), b = run(again);
    EXPECT_EQ(a.executions, b.executions) << to_herd(p);
    EXPECT_EQ(a.racy.has_value(), b.racy.has_value()) << to_herd(p);
  }
  for (const entry& e : corpus()) {
    const program p = parse(e.text, e.name);
    EXPECT_EQ(run(p).executions, run(parse(to_herd(p), e.name)).executions) << e.name;
    EXPECT_EQ(run(p).positive, run(parse(to_herd(p), e.name)).positive) << e.name;
  }
}

}  // namespace
