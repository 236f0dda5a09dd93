// acqrel/testing/stress.hpp - runs a concurrent test again and again, each time disturbed in another way.
//
//   const auto result = acqrel::testing::stress({.name = "account", .threads = {2, 3}}, [](auto& run) {
//     account mine;
//     run.together([&](unsigned) { mine.deposit(1); });  // in each of its threads, begun at one moment
//     run.expect(mine.balance() == static_cast<int>(run.threads()), "the balance");
//   });  // or STRESS(account, loses_no_deposit, .threads = {2, 3}) { ... }, a test of GoogleTest's
//
// Publishes  what the caller of together() did before, to its threads; what they did, to the caller.
// Edges      none of its own: the starts and ends of threads.
// Progress   none: it takes threads x cpus x seeds x count runs of the test's body.
// Memory     of one run at a time.
// Threads    stress() from one thread at a time; together() from the body; stress_point() and expect() from any.
// Errors     the first run that goes wrong ends it: a failed expect(), a failed expectation of GoogleTest, an exception. One
//            that goes on for longer than `hangs_after` ends the program. Both say how to have those runs again. What the
//            environment says and cannot be read is a failure that says so.
// Cost       of a stress_point() while no stress runs: one load and a branch.
// Model      none: what it runs is for the model checker (testing/model.hpp), which sees every execution of small tests.
// Not for    proofs: a stress that passes has found nothing.
//
// What a run is disturbed by comes from its seed: which thread goes first, how late the others, and what each does at each
// stress_point() of the code: nothing, a yield, a spin or a short sleep. What the system's scheduler does cannot be had
// again, so a seed that went wrong once in ten runs will do so again, but not in each. ACQREL_STRESS in the environment
// replaces what it names:
//
//   ACQREL_STRESS='cpus=1,2,4 count=10'             go test -cpu=1,2,4 -count=10
//   ACQREL_STRESS='threads=2 cpus=1 seed=7'         that combination only, as a failure says
//   ACQREL_STRESS='seeds=10000'                     for the night
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace acqrel::testing {

struct stress_options {
  std::string name = {};                   ///< of the test, for reports; STRESS fills it in
  bool (*failed)() = nullptr;              ///< asked after each run; STRESS asks GoogleTest
  std::vector<unsigned> threads = {2};     ///< how many together() starts
  std::vector<unsigned> cpus = {1, 2, 0};  ///< how many all threads may run on; 0: all. More than there are is all
  unsigned seeds = 20;                     ///< how many ways to disturb
  unsigned count = 5;                      ///< runs of each
  std::uint64_t first_seed = 1;
  std::chrono::milliseconds hangs_after = std::chrono::seconds(60);
};

struct stress_result {
  std::string trouble = {};  ///< what went wrong, where, and how to run that again; empty: nothing did
  std::string again = {};    ///< what ACQREL_STRESS has to be for that
  std::uint64_t runs = 0;
  std::chrono::nanoseconds took{0};
  [[nodiscard]] bool passed() const noexcept { return trouble.empty(); }
};

/// One run of the body, in one combination.
class stress_run {
 public:
  [[nodiscard]] unsigned threads() const noexcept { return threads_; }
  [[nodiscard]] unsigned cpus() const noexcept { return cpus_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

  /// Calls work(0) to work(threads() - 1), each on a thread of its own, and waits for them. The first exception of one of
  /// them passes on, when all have ended.
  void together(const std::function<void(unsigned)>& work);
  /// Where there is no GoogleTest. The first that does not hold ends the stress after this run.
  void expect(bool holds, const char* what) noexcept;

 private:
  friend stress_result stress(const stress_options& how, const std::function<void(stress_run&)>& body);
  stress_run(unsigned threads, unsigned cpus, std::uint64_t seed) noexcept
      : threads_(threads), cpus_(cpus), seed_(seed) {}
  stress_run(const stress_run&) = delete;

  const unsigned threads_, cpus_;
  const std::uint64_t seed_;
  std::atomic<const char*> wrong_{nullptr};
};

/// Runs `body` in each combination.
[[nodiscard("look whether it passed")]] stress_result stress(const stress_options& how,
                                                             const std::function<void(stress_run&)>& body);

extern constinit std::atomic<bool> stress_runs;
[[gnu::cold, gnu::noinline]] void disturb() noexcept;

/// A place where a thread may be held up while a stress runs: between a look and what is done because of it.
inline void stress_point() noexcept {
  // plain: asks whether to lose time
  if (stress_runs.load(std::memory_order_relaxed)) [[unlikely]]
    disturb();
}

}  // namespace acqrel::testing

/// A GoogleTest test whose body is stressed; wants <gtest/gtest.h>. Options follow the names, in their order above. The body
/// has a `stress_run& run`; GoogleTest's expectations work in it, on all its threads.
#define STRESS(suite, test, ...)                                                                       \
  static void suite##_##test##_stress(::acqrel::testing::stress_run& run);                             \
  TEST(suite, test) {                                                                                  \
    const auto result = ::acqrel::testing::stress(                                                     \
        {.name = #suite "." #test, .failed = &::testing::Test::HasFailure __VA_OPT__(, ) __VA_ARGS__}, \
        suite##_##test##_stress);                                                                      \
    if (!result.passed()) ADD_FAILURE() << result.trouble;                                             \
  }                                                                                                    \
  static void suite##_##test##_stress([[maybe_unused]] ::acqrel::testing::stress_run& run)
