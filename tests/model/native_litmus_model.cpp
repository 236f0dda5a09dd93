// The same programs three ways: the enumerator of `acqrel litmus`, which knows the axioms and no algorithm; and native
// threads with std::atomic under the checker. Executions, outcomes and races must agree.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include "model/litmus/answer.hpp"
#include "model/litmus/corpus.hpp"
#include "model/litmus/parse.hpp"
#include "native_litmus.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

namespace litmus = acqrel::model::litmus;
using acqrel::model::check;

struct outcome {
  std::uint64_t executions = 0;
  std::vector<std::vector<litmus::number>> states;
  bool race = false;
};

outcome natively(const litmus::program& p) {
  // Outside the executable's globals and the checker's arenas, where it outlives a run; no run allocates.
  constexpr std::size_t most = 4096;
  const auto found = std::make_unique<native_litmus::state[]>(most);
  std::size_t n = 0;
  const auto seen = [&](const native_litmus::state& s) {
    for (std::size_t i = 0; i < n; ++i) {
      if (std::equal(&found[i].registers[0][0], &found[i].registers[0][0] + sizeof s / sizeof(litmus::number),
                     &s.registers[0][0])) {
        return true;
      }
    }
    return false;
  };
  const auto scratch = std::make_unique<native_litmus::state>();
  acqrel::model::options how;
  how.progress = false;
  how.name = p.name;
  native_litmus::runner runner(p);
  const auto r = check(how, [&] {
    runner.run(*scratch);
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

void same(const litmus::program& p) {
  const litmus::answer expected = litmus::run(p);
  const outcome found = natively(p);
  EXPECT_EQ(found.race, expected.racy.has_value()) << litmus::to_herd(p);
  if (found.race || expected.racy) return;
  EXPECT_EQ(found.executions, expected.executions) << litmus::to_herd(p);
  EXPECT_EQ(found.states, expected.states) << litmus::to_herd(p);
}

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
