// The explorer over straight-line programs: executions of the literature's shapes, counted by other tools before.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/core/explorer.hpp"

namespace {

using namespace acqrel::model;

struct operation {
  enum { load, store, update_, fence_ } what;
  location where = 0;
  order how = order::relaxed;
  value operand = 0;
  modification change{};
  kind which = kind::fence;
};

operation R(location l, order o) { return {operation::load, l, o, 0, {}, kind::fence}; }
operation W(location l, value v, order o) { return {operation::store, l, o, v, {}, kind::fence}; }
operation F(order o) { return {operation::fence_, 0, o, 0, {}, kind::fence}; }
operation Light() { return {operation::fence_, 0, order::seq_cst, 0, {}, kind::light}; }
operation Heavy() { return {operation::fence_, 0, order::seq_cst, 0, {}, kind::heavy}; }
operation Add(location l, value v, order o) {
  return {operation::update_, l, o, v, {update::add, 8, v, 0, o, o}, kind::fence};
}
operation Xchg(location l, value v, order o) {
  return {operation::update_, l, o, v, {update::exchange, 8, v, 0, o, o}, kind::fence};
}
operation Cas(location l, value expected, value to, order o, order failed) {
  return {operation::update_, l, o, to, {update::compare_exchange, 8, to, expected, o, failed}, kind::fence};
}

constexpr order rlx = order::relaxed, acq = order::acquire, rel = order::release, ar = order::acq_rel,
                sc = order::seq_cst;
using program = std::vector<std::vector<operation>>;

struct counts {
  std::uint64_t executions = 0, duplicates = 0, weak = 0;
  std::set<std::string> outcomes;
};

struct thrower final : trouble {
  [[noreturn]] void nondeterministic(const std::string& what) override { throw std::runtime_error(what); }
  [[noreturn]] void bound_hit(const std::string& what) override { throw std::length_error(what); }
};

/// Values read, thread after thread, in program order.
using reads = std::vector<std::vector<unsigned>>;

/// Runs one execution as the explorer wants it.
reads run(explorer& tree, const program& p) {
  reads seen(p.size());
  std::vector<std::size_t> at(p.size(), 0);
  while (true) {
    std::size_t t = 0;
    if (const auto s = tree.scheduled()) {
      t = *s;
    } else {
      while (t < p.size() && at[t] == p[t].size()) ++t;
      if (t == p.size()) return seen;
    }
    const operation& o = p.at(t).at(at[t]++);
    const auto id = static_cast<thread_id>(t);
    switch (o.what) {
      case operation::load: seen[t].push_back(static_cast<unsigned>(tree.load(id, o.where, 0, o.how, nullptr))); break;
      case operation::store: tree.store(id, o.where, 0, o.operand, o.how, nullptr); break;
      case operation::update_:
        seen[t].push_back(static_cast<unsigned>(tree.rmw(id, o.where, 0, o.change, nullptr)));
        break;
      case operation::fence_: tree.fence(id, o.which, o.how, nullptr); break;
    }
  }
}

std::string outcome(explorer& tree, const reads& r) {
  std::string s;
  for (const auto& thread : r) {
    for (const unsigned v : thread) s += std::to_string(v) + ",";
    s += ";";
  }
  for (location l = 1; l < 8; ++l) s += std::to_string(static_cast<unsigned>(tree.latest(l).value_or(0)));
  return s;
}

counts explore(const program& p, const std::function<bool(const reads&, explorer&)>& weak = {}) {
  thrower caller;
  exploration how;
  how.look_for_duplicates = true;
  explorer tree(how, caller);
  counts c;
  while (tree.next()) {
    const reads r = run(tree, p);
    c.outcomes.insert(outcome(tree, r));
    c.weak += weak && weak(r, tree) ? 1u : 0u;
    tree.finish(true);
  }
  c.executions = tree.complete();
  c.duplicates = tree.duplicates();
  EXPECT_EQ(c.duplicates, 0u);
  EXPECT_TRUE(tree.exhaustive());
  EXPECT_NEAR(tree.explored(), 1.0, 1e-9);
  return c;
}

constexpr location x = 1, y = 2, z = 3;

TEST(explorer, store_buffering) {
  const auto weak = [](const reads& r, explorer&) { return r[0][0] == 0 && r[1][0] == 0; };
  const auto sb = [](order w, order r) { return program{{W(x, 1, w), R(y, r)}, {W(y, 1, w), R(x, r)}}; };
  EXPECT_EQ(explore(sb(rlx, rlx), weak).executions, 4u);
  EXPECT_EQ(explore(sb(rel, acq), weak).weak, 1u);
  const counts all_sc = explore(sb(sc, sc), weak);
  EXPECT_EQ(all_sc.executions, 3u);
  EXPECT_EQ(all_sc.weak, 0u);
  EXPECT_EQ(explore(sb(sc, acq), weak).weak, 1u);
  const auto fenced = [](operation a, operation b) {
    return program{{W(x, 1, rlx), a, R(y, rlx)}, {W(y, 1, rlx), b, R(x, rlx)}};
  };
  EXPECT_EQ(explore(fenced(F(sc), F(sc)), weak).executions, 3u);
  EXPECT_EQ(explore(fenced(F(ar), F(ar)), weak).weak, 1u);
  EXPECT_EQ(explore(fenced(Light(), Heavy()), weak).weak, 0u);
  EXPECT_EQ(explore(fenced(Light(), Light()), weak).weak, 1u);
  EXPECT_EQ(explore(fenced(Light(), F(sc)), weak).weak, 1u);
  EXPECT_EQ(explore(fenced(Heavy(), Heavy()), weak).weak, 0u);
}

TEST(explorer, message_passing) {
  const auto weak = [](const reads& r, explorer&) { return r[1][0] == 1 && r[1][1] == 0; };
  const auto mp = [](order w, order r) { return program{{W(x, 1, rlx), W(y, 1, w)}, {R(y, r), R(x, rlx)}}; };
  EXPECT_EQ(explore(mp(rlx, rlx), weak).weak, 1u);
  EXPECT_EQ(explore(mp(rel, acq), weak).executions, 3u);
  EXPECT_EQ(explore(mp(rel, acq), weak).weak, 0u);
  EXPECT_EQ(explore(mp(rel, rlx), weak).weak, 1u);
}

TEST(explorer, load_buffering_is_outside_the_model) {
  EXPECT_EQ(explore({{R(x, rlx), W(y, 1, rlx)}, {R(y, rlx), W(x, 1, rlx)}}).executions, 3u);
}

TEST(explorer, independent_reads_of_independent_writes) {
  const auto weak = [](const reads& r, explorer&) {
    return r[2][0] == 1 && r[2][1] == 0 && r[3][0] == 1 && r[3][1] == 0;
  };
  const auto iriw = [](order w, order r) {
    return program{{W(x, 1, w)}, {W(y, 1, w)}, {R(x, r), R(y, r)}, {R(y, r), R(x, r)}};
  };
  EXPECT_EQ(explore(iriw(rlx, rlx), weak).executions, 16u);
  EXPECT_EQ(explore(iriw(rel, acq), weak).executions, 16u);
  EXPECT_EQ(explore(iriw(sc, sc), weak).executions, 15u);
  EXPECT_EQ(explore(iriw(rel, sc), weak).executions, 15u);  // C++20, not RC11
  EXPECT_EQ(explore(iriw(sc, acq), weak).executions, 16u);
}

TEST(explorer, writes_in_both_orders) {
  const auto weak = [](const reads&, explorer& t) { return *t.latest(x) == 1 && *t.latest(y) == 1; };
  const auto w22 = [](order o) { return program{{W(x, 1, o), W(y, 2, o)}, {W(y, 1, o), W(x, 2, o)}}; };
  EXPECT_EQ(explore(w22(rlx), weak).executions, 4u);
  EXPECT_EQ(explore(w22(rel)).executions, 4u);
  EXPECT_EQ(explore(w22(sc)).executions, 3u);
}

TEST(explorer, z6u_is_allowed) {
  // Mixed seq_cst read-modify-write and release (Lahav et al., PLDI 2017): the step inside a read-modify-write is no
  // program order.
  const program p{{W(x, 1, sc), W(y, 1, rel)}, {Add(y, 1, sc), R(y, rlx)}, {W(y, 3, sc), R(x, sc)}};
  const auto weak = [](const reads& r, explorer&) { return r[1][0] == 1 && r[1][1] == 3 && r[2][0] == 0; };
  const counts c = explore(p, weak);
  EXPECT_EQ(c.executions, 24u);
  EXPECT_GT(c.weak, 0u);
}

TEST(explorer, counts_every_order_of_read_modify_writes) {
  std::uint64_t factorial = 1;
  for (unsigned n = 1; n <= 6; ++n) {
    factorial *= n;
    EXPECT_EQ(explore(program(n, {Add(x, 1, n % 2 == 0 ? sc : rlx)})).executions, factorial) << n;
  }
}

TEST(explorer, a_failed_compare_exchange_may_read_an_old_value) {
  const auto stale = [](const reads& r, explorer&) { return r[1][0] == 1 && r[1][1] == 0; };
  const counts c = explore({{W(x, 1, rlx), W(y, 1, rlx)}, {R(y, acq), Cas(x, 5, 6, ar, acq)}}, stale);
  EXPECT_EQ(c.executions, 4u);
  EXPECT_EQ(c.weak, 1u);
}

TEST(explorer, counts_what_other_tools_count) {
  program p(4);
  for (unsigned t = 0; t < 4; ++t)
    p[t] = {W(t + 1, 1, sc), R((t + 1) % 4 + 1, sc), W(t + 1, 2, sc), R((t + 1) % 4 + 1, sc)};
  EXPECT_GT(explore(p).executions, 0u);
  EXPECT_EQ(explore({{W(x, 1, rlx), W(x, 2, rlx)}, {W(x, 3, rlx)}, {R(x, rlx), R(x, rlx)}, {R(x, rlx), R(x, rlx)}})
                .duplicates,
            0u);
  EXPECT_EQ(explore({{W(x, 1, rlx)}, {W(x, 2, rlx)}, {R(x, rlx), R(x, rlx)}, {R(x, rlx), R(x, rlx)}}).executions, 72u);
}

TEST(explorer, a_token_leads_to_the_same_execution) {
  const program p{{W(x, 1, rlx), W(y, 2, rlx), R(z, rlx)},
                  {W(y, 1, rlx), W(x, 2, rlx), Add(z, 1, ar)},
                  {R(x, acq), R(x, acq), Xchg(z, 7, rlx)}};
  thrower caller;
  explorer tree({}, caller);
  unsigned replayed = 0;
  while (tree.next()) {
    const std::string seen = outcome(tree, run(tree, p));
    exploration how;
    how.replay = tree.token();
    explorer one(how, caller);
    ASSERT_TRUE(one.next());
    EXPECT_EQ(outcome(one, run(one, p)), seen) << how.replay;
    EXPECT_EQ(one.token(), how.replay);
    one.finish(true);
    EXPECT_FALSE(one.next());
    tree.finish(true);
    ++replayed;
  }
  EXPECT_GT(replayed, 100u);
}

TEST(explorer, random_walks_meet_every_outcome_of_a_small_program) {
  const program p{{W(x, 1, rlx), R(y, rlx)}, {W(y, 1, rlx), R(x, rlx)}};
  thrower caller;
  exploration how;
  how.samples = 500;
  explorer tree(how, caller);
  std::set<std::string> outcomes;
  while (tree.next()) {
    outcomes.insert(outcome(tree, run(tree, p)));
    tree.finish(true);
  }
  EXPECT_EQ(outcomes.size(), 4u);
  EXPECT_FALSE(tree.exhaustive());
}

}  // namespace
