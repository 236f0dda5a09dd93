// As native_litmus_model.cpp, over random programs. Apart from it because the corpus, which a global holds, would be put
// back before every execution.
// SPDX-License-Identifier: Apache-2.0
#include "model/litmus/random.hpp"
#include "native_litmus.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace {

namespace litmus = acqrel::model::litmus;
using native_litmus::same;

TEST(native_random, agrees_on_1000_random_programs) {
  constexpr std::uint64_t first = 1, last = 1000;
  std::cout << "seeds " << first << " to " << last << "\n";
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const litmus::program p = litmus::random_program(seed);
    ASSERT_TRUE(native_litmus::runner(p).can_run());
    same(p);
    if (::testing::Test::HasFailure()) FAIL() << "with seed " << seed;
  }
}

TEST(native_random, agrees_on_random_programs_with_plain_data) {
  constexpr std::uint64_t first = 1, last = 300;
  std::cout << "seeds " << first << " to " << last << "\n";
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    same(litmus::random_program(seed, {.plain = true}));
    if (::testing::Test::HasFailure()) FAIL() << "with seed " << seed;
  }
}

}  // namespace
