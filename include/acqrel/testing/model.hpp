// acqrel/testing/model.hpp - a concurrent test, run through every execution that C++20 allows.
//
//   MODEL(mailbox, delivers_a_whole_letter) {
//     mailbox box;                                       // the real type: std::atomic, plain data, locks
//     std::thread writer([&] { box.send(42); });
//     if (const int* letter = box.look()) EXPECT_EQ(*letter, 42);
//     writer.join();
//   }
//
// Publishes  nothing; it finds out what your code publishes.
// Edges      none of its own. With `.shows = {"mailbox.full"}` MODEL lowers the operations tagged
//            `// edge mailbox.full: ...` to relaxed, and wants the same test to fail then.
// Progress   none: a check runs the test again and again, on one kernel thread, until every
//            execution was seen. A few milliseconds for three threads and some 20 operations.
// Memory     of one execution at a time, and of the graphs that wait to be explored.
// Threads    check() from one thread at a time, while the program has no other.
// Errors     a result says what, where and what to do, with the execution printed. What can not be
//            modelled is a failure that names it. A bound that was hit never reads passed.
// Cost       none in what ships: nothing there knows of the checker.
// Model      tests/model, where programs with known numbers of executions are held to them.
// Not for    I/O, signals, dlopen or fork in a test; load buffering; more than 16 threads.
//
// A program with model tests is built by CMake's acqrel_model_test(), from an installed acqrel too.
// MODEL and MODEL_FAILS need <gtest/gtest.h>, included before or after; check() needs nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

namespace acqrel::model {

struct options {
  std::string name = {};                     ///< of the test, for reports and tokens; MODEL fills it in
  std::vector<std::string> shows = {};       ///< edges that this test shows, for prove() and MODEL
  std::vector<std::string> weaken = {};      ///< edges lowered to relaxed
  std::string replay = {};                   ///< a token: only that execution
  std::uint64_t max_executions = 1'000'000;  ///< complete and blocked ones; 0: no bound
  unsigned max_events = 254;                 ///< atomic operations of one thread
  unsigned spurious_failures = 0;            ///< of weak compare-exchanges, of each thread (g++ only)
  unsigned spurious_wakeups = 0;             ///< of waits, in one execution
  bool membarrier = true;                    ///< the kernel offers it to the test
  bool reuse_memory = false;                 ///< a freed block may be allocated again: shows ABA
  bool report_leaks = false;
  bool spinning_fails = false;       ///< a wait that neither sleeps nor yields goes wrong
  std::uint64_t samples = 0;         ///< not 0: that many random executions instead of all
  std::uint64_t seed = 1;            ///< of the samples
  bool repeat_runs = false;          ///< every execution twice: finds a test that is not deterministic
  bool look_for_duplicates = false;  ///< remember every execution: a check of the checker
  bool progress = true;              ///< now and then a line on stderr, if it takes long
};

/// What came of weakening one of options::shows.
struct weakened_edge {
  std::string edge;
  std::string trouble;          ///< what then goes wrong; empty: nothing, or the edge was not met
  std::uint64_t execution = 0;  ///< in which it goes wrong: 1 is the first
};

struct result {
  enum class verdict : std::uint8_t { passed, failed, not_exhaustive };
  verdict verdict = verdict::passed;
  std::string name = {};            ///< options::name
  std::string trouble = {};         ///< "data race", "use after free", ...; empty if there is none
  std::string message = {};         ///< what, where, what to do
  std::string execution = {};       ///< printed: threads as columns, what reads from what, who comes before whom
  std::string token = {};           ///< options::replay runs that execution again
  std::string not_exhaustive = {};  ///< which bound was hit, and what to do
  std::uint64_t executions = 0;     ///< complete ones
  std::uint64_t blocked = 0;        ///< in which a thread waits for what another execution has
  std::uint64_t duplicates = 0;     ///< met twice: 0, or the checker is wrong
  double seconds = 0;
  unsigned threads = 0;            ///< most in one execution
  unsigned operations = 0;         ///< atomic operations and fences: most in one execution
  unsigned spurious_failures = 0;  ///< as in options
  unsigned spurious_wakeups = 0;
  std::uint64_t samples = 0;
  std::vector<std::string> edges = {};       ///< tags of the operations met, each once
  std::vector<weakened_edge> weakened = {};  ///< by prove()

  bool passed() const { return verdict == verdict::passed; }
  std::string line() const;    ///< verdict, how many executions, how fast, within which bounds
  std::string report() const;  ///< the line, what went wrong, its execution, its token
};

/// Runs `test` once for each execution, and stops at the first that goes wrong. What `test` leaves
/// behind in globals is taken back each time; what it captures by reference is not.
result check(const options& how, const std::function<void()>& test);
result check(const std::function<void()>& test);

/// check(), then again with each edge of `how.shows` weakened: each time it must fail. The result is
/// that of the first; an edge that was not met, or was not missed, makes it one that failed.
result prove(const options& how, const std::function<void()>& test);

/// Within a test: like assert(), in every build.
void expect(bool holds, const char* what = "");

// What the macros below call. The text is empty if the test did as it must.
std::string run_test(const options& how, void (*test)());
std::string run_failing_test(const options& how, const char* trouble, void (*test)());

#if defined(__SANITIZE_THREAD__)
inline constexpr bool instrumented = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool instrumented = true;
#else
inline constexpr bool instrumented = false;
#endif
#else
inline constexpr bool instrumented = false;
#endif

}  // namespace acqrel::model

// Where a failing expectation of GoogleTest leaves an execution; the CMake function links it.
extern "C" void acqrel_model_tests_are_built_by_acqrel_model_test();

#pragma GCC visibility pop

/// A GoogleTest test that proves its body. Options follow the names, in their order above:
/// MODEL(mailbox, delivers, .shows = {"mailbox.full"}, .max_executions = 5000) { ... }
/// GoogleTest's expectations, assert() and expect() work in the body.
#define MODEL(suite, test, ...)                                                                                   \
  static void suite##_##test##_model();                                                                           \
  TEST(suite, test) {                                                                                             \
    static_assert(::acqrel::model::instrumented, "build this with acqrel_model_test()");                          \
    acqrel_model_tests_are_built_by_acqrel_model_test();                                                          \
    const auto wrong =                                                                                            \
        ::acqrel::model::run_test({.name = #suite "." #test __VA_OPT__(, ) __VA_ARGS__}, suite##_##test##_model); \
    if (!wrong.empty()) ADD_FAILURE() << wrong;                                                                   \
  }                                                                                                               \
  static void suite##_##test##_model()

/// A test whose body must go wrong in this way, such as "data race"; prints the execution found.
#define MODEL_FAILS(suite, test, trouble, ...)                                                                  \
  static void suite##_##test##_model();                                                                         \
  TEST(suite, test) {                                                                                           \
    static_assert(::acqrel::model::instrumented, "build this with acqrel_model_test()");                        \
    acqrel_model_tests_are_built_by_acqrel_model_test();                                                        \
    const auto wrong = ::acqrel::model::run_failing_test({.name = #suite "." #test __VA_OPT__(, ) __VA_ARGS__}, \
                                                         trouble, suite##_##test##_model);                      \
    if (!wrong.empty()) ADD_FAILURE() << wrong;                                                                 \
  }                                                                                                             \
  static void suite##_##test##_model()
