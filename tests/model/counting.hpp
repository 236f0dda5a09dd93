// How many executions a test has: the number is known, by hand or from other checkers, and is what tells a search that
// misses some, or meets some twice, from one that does not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace counting {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

/// Whether the second turn of a loop that waits finds the state of the first. As clang compiles without optimisation, what
/// is left on the stack tells them apart: that turn is explored too.
#if defined(__clang__)
constexpr bool knows_loops_at_once = false;
#else
constexpr bool knows_loops_at_once = true;
#endif

/// Complete executions, and those in which a thread waits for a write that is read in another one.
struct counts {
  std::uint64_t complete;
  std::uint64_t blocked = 0;
};

inline void explores(counts expected, const std::function<void()>& test, acqrel::model::options how = {}) {
  how.look_for_duplicates = true;
  const acqrel::model::result r = acqrel::model::check(how, test);
  EXPECT_TRUE(r.passed()) << r.report();
  if (expected.blocked != 0 && !knows_loops_at_once) {
    EXPECT_GE(r.executions, expected.complete);
  } else {
    EXPECT_EQ(r.executions, expected.complete);
    EXPECT_EQ(r.blocked, expected.blocked);
  }
  EXPECT_EQ(r.duplicates, 0u);
}

inline void fails(const std::string& trouble, const std::function<void()>& test,
                  const acqrel::model::options& how = {}) {
  const acqrel::model::result r = acqrel::model::check(how, test);
  EXPECT_EQ(r.trouble, trouble) << r.report();
  EXPECT_FALSE(r.passed());
}

/// So many threads, each running body(its number), to their end.
template <unsigned N, class Body>
void in_threads(const Body& body) {
  std::array<std::thread, N> threads;
  for (unsigned i = 0; i < N; ++i) threads[i] = std::thread([&body, i] { body(i); });
  for (std::thread& t : threads) t.join();
}

/// Different bodies, each in a thread.
template <class... Bodies>
void together(const Bodies&... bodies) {
  std::array<std::thread, sizeof...(Bodies)> threads{std::thread([&bodies] { bodies(); })...};
  for (std::thread& t : threads) t.join();
}

}  // namespace counting
