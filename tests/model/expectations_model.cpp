// What a model test says must hold, and how a failing one is told: GoogleTest's expectations, assert(), expect(), exceptions.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <atomic>
#include <cassert>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace acqrel::model;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Two threads store different values; `look` is told which stays. It is wrong in some executions, not in all.
template <class Look>
result two_stores(Look look) {
  return check({.name = "two_stores"}, [&] {
    std::atomic<int> x{0};
    std::thread one([&] { x.store(1, std::memory_order_relaxed); });
    std::thread two([&] { x.store(2, std::memory_order_relaxed); });
    one.join();
    two.join();
    look(x.load(std::memory_order_relaxed));
  });
}

// ---- semantics ----

TEST(expectation, passes_in_every_execution) {
  const result r = two_stores([](int x) {
    EXPECT_TRUE(x == 1 || x == 2) << "never said";
    EXPECT_NE(x, 0);
    ASSERT_LT(x, 3);
    SUCCEED() << "nothing to say";
    expect(x != 0);
    assert(x != 0);
  });
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_EQ(r.executions, 2u);
}

TEST(expectation, that_fails_is_told_with_its_text) {
  const result r = two_stores([](int x) { EXPECT_EQ(x, 1) << "the second store " << x << " came last"; });
  EXPECT_EQ(r.trouble, "assertion");
  for (const char* part :
       {"expectations_model.cpp:", "Expected equality", "the second store 2 came last", "Which is: 2"})
    EXPECT_TRUE(contains(r.message, part)) << r.report();
  EXPECT_TRUE(contains(r.execution, "starts thread 2")) << r.report();
}

TEST(expectation, that_is_asserted_is_told_too) {
  const result r = two_stores([](int x) { ASSERT_STREQ(std::to_string(x).c_str(), "1"); });
  EXPECT_EQ(r.trouble, "assertion");
  EXPECT_TRUE(contains(r.message, "Expected equality")) << r.report();
}

TEST(expectation, fails_in_another_thread_as_well) {
  const result r = check([] {
    std::atomic<int> x{0};
    std::thread one([&] { x.store(1, std::memory_order_relaxed); });
    std::thread two([&] { EXPECT_EQ(x.load(std::memory_order_relaxed), 0); });
    one.join();
    two.join();
  });
  EXPECT_EQ(r.trouble, "assertion");
  EXPECT_TRUE(contains(r.message, "x.load(std::memory_order_relaxed)")) << r.report();
  EXPECT_TRUE(contains(r.message, "in thread 2")) << r.report();
}

TEST(expectation, by_assert_and_expect_is_told_with_its_place) {
  const result asserted = two_stores([](int x) { assert(x == 1); });
  EXPECT_EQ(asserted.trouble, "assertion");
  EXPECT_TRUE(contains(asserted.message, "assert(x == 1) failed")) << asserted.report();
  EXPECT_TRUE(contains(asserted.message, "expectations_model.cpp:")) << asserted.report();
  const result expected = two_stores([](int x) { expect(x == 1, "the first store stays"); });
  EXPECT_EQ(expected.trouble, "assertion");
  EXPECT_TRUE(contains(expected.message, "the first store stays")) << expected.report();
  EXPECT_TRUE(contains(expected.message, "expectations_model.cpp:")) << expected.report();
}

TEST(expectation, is_told_for_an_exception_that_nobody_caught) {
  const result r = two_stores([](int x) {
    std::vector<int> v(1);
    if (x == 2) v.at(7) = 1;
  });
  EXPECT_EQ(r.trouble, "assertion");
  EXPECT_TRUE(contains(r.message, "std::out_of_range")) << r.report();
}

TEST(expectation, that_fails_adds_nothing_to_its_execution) {
  const result r = two_stores([](int x) { EXPECT_EQ(x, 1); });
  EXPECT_EQ(r.operations, 3u) << r.report();
}

TEST(stream, of_the_standard_library_is_no_operation) {
  const result r = check([] {
    std::ostringstream out;
    out << 1.5 << " and " << 2;
    expect(out.str() == "1.5 and 2");
  });
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_EQ(r.operations, 0u);
}

TEST(expectation, leaves_googletest_as_it_was) {
  // Many failing checks, one after another: nothing of them stays, in GoogleTest or here.
  for (int i = 0; i < 50; ++i) {
    const result r = two_stores([](int x) { EXPECT_EQ(x, 1); });
    ASSERT_EQ(r.trouble, "assertion");
  }
  EXPECT_FALSE(testing::Test::HasFailure());
  EXPECT_EQ(testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count(), 0);
}

TEST(expectation, of_a_skipped_test_is_refused) {
  const result r = two_stores([](int) { GTEST_SKIP(); });
  EXPECT_TRUE(contains(r.message, "GTEST_SKIP() in a model test")) << r.report();
}

TEST(replay, runs_the_failing_execution_alone) {
  options how{.name = "two_stores"};
  const auto test = [](int wanted) {
    return [wanted] {
      std::atomic<int> x{0};
      std::thread one([&] { x.store(1, std::memory_order_relaxed); });
      std::thread two([&] { x.store(2, std::memory_order_relaxed); });
      one.join();
      two.join();
      EXPECT_EQ(x.load(std::memory_order_relaxed), wanted);
    };
  };
  for (const int wanted : {1, 2}) {
    how.replay.clear();
    const result first = check(how, test(wanted));
    ASSERT_EQ(first.trouble, "assertion");
    how.replay = first.token;
    const result again = check(how, test(wanted));
    EXPECT_EQ(again.execution, first.execution);
    EXPECT_EQ(again.message, first.message);
    EXPECT_EQ(again.executions + again.blocked, 0u);
  }
}

TEST(replay, of_a_test_that_has_changed_is_refused) {
  const auto test = [](std::memory_order order) {
    return [order] {
      std::atomic<int> x{0};
      std::thread one([&] { order == std::memory_order_relaxed ? x.store(1, std::memory_order_relaxed) : x.store(1); });
      one.join();
      EXPECT_EQ(x.load(), 0);
    };
  };
  options how{.name = "changed"};
  how.replay = check(how, test(std::memory_order_relaxed)).token;
  EXPECT_TRUE(contains(check(how, test(std::memory_order_relaxed)).message, "Expected equality"));
  const result stale = check(how, test(std::memory_order_seq_cst));
  EXPECT_FALSE(stale.passed());
  EXPECT_TRUE(contains(stale.message, "is stale")) << stale.report();
}

// ---- model ---- the macros themselves

MODEL(two_threads, count_to_two, .max_executions = 100) {
  std::atomic<int> count{0};
  std::thread other([&] { count.fetch_add(1, std::memory_order_relaxed); });
  count.fetch_add(1, std::memory_order_relaxed);
  other.join();
  EXPECT_EQ(count.load(std::memory_order_relaxed), 2);
}

MODEL_FAILS(two_threads, lose_a_count, "assertion") {
  std::atomic<int> count{0};
  const auto add = [&] { count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(count.load(std::memory_order_relaxed), 2);
}

}  // namespace
