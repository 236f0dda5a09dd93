// The same programs three ways: the enumerator of `acqrel litmus`, which knows the axioms and no algorithm; and native
// threads with std::atomic under the checker. Executions, outcomes and races must agree.
// SPDX-License-Identifier: Apache-2.0
#include "model/litmus/corpus.hpp"
#include "model/litmus/parse.hpp"
#include "native_litmus.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace {

namespace litmus = acqrel::model::litmus;
using native_litmus::same;

TEST(native_litmus, agrees_on_the_literature) {
  unsigned compared = 0, left_out = 0;
  for (const litmus::entry& e : litmus::corpus()) {
    const litmus::program p = litmus::parse(e.text, e.name);
    if (!native_litmus::runner(p).can_run()) {
      ++left_out;
      continue;
    }
    same(p);
    ++compared;
    if (::testing::Test::HasFailure()) FAIL() << "after " << e.name;
  }
  std::cout << compared << " programs agree, " << left_out << " do not fit the native runner\n";
  EXPECT_GE(compared, 152u);
}

}  // namespace
