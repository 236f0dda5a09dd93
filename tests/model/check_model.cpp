// What check() says of programs that end otherwise than by returning, that are not the same each time, or are too large; and
// what it leaves behind.
// SPDX-License-Identifier: Apache-2.0
#include "counting.hpp"

#include <cassert>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <stdexcept>

namespace {

using namespace counting;
using acqrel::model::check;
using acqrel::model::expect;
using acqrel::model::options;
using acqrel::model::result;
using std::atomic;

void expect_words(const result& r, const char* trouble, const char* words) {
  EXPECT_EQ(r.trouble, trouble) << r.report();
  EXPECT_NE(r.report().find(words), std::string::npos) << r.report();
}

// ---- ends

TEST(check, reports_an_assertion_with_its_words) {
  expect_words(check([] { assert(1 + 1 == 3); }), "assertion", "1 + 1 == 3");
  expect_words(check([] { expect(false, "pigs fly"); }), "assertion", "pigs fly");
  expect_words(check([] { std::abort(); }), "assertion", "abort()");
}

TEST(check, reports_an_exception_that_leaves_a_thread) {
  const auto test = [] { together([] { throw std::runtime_error("out of paper"); }); };
  expect_words(check(test), "assertion", "std::runtime_error: out of paper");
  expect_words(check([] { throw 7; }), "assertion", "int");
}

TEST(check, reports_a_thread_that_is_not_joined) {
  expect_words(check([] { std::thread t([] {}); }), "assertion", "joinable");
}

TEST(check, survives_a_crash_and_says_where_it_was) {
  int* volatile nowhere = nullptr;
  const result r = check([&] { together([&] { *nowhere = 1; }); });
  expect_words(r, "crash", "check_model.cpp");
  EXPECT_NE(r.message.find("thread 1"), std::string::npos) << r.message;
}

int deep(int depth) {
  volatile char room[1000];
  room[0] = static_cast<char>(depth);
  return depth == 0 ? room[0] : deep(depth + 1) + room[0];
}

TEST(check, survives_a_stack_that_overflows) {
  expect_words(check([] { deep(1); }), "crash", "the stack of thread 0 overflows");
}

TEST(check, notices_a_loop_without_operations) {
  bool set = false;
  const result r = check([&] {
    set = false;
    together(
        [&] {
          while (!*const_cast<volatile bool*>(&set)) {
          }
        },
        [&] { set = true; });
  });
  expect_words(r, "livelock", "thread 1 runs on and on");
}

TEST(check, may_not_be_called_within_a_check) {
  expect_words(check([] { check([] {}); }), "misuse", "within a check()");
}

// ---- the same each time

TEST(check, notices_a_test_that_does_something_else_in_another_run) {
  int runs = 0;
  const result r = check([&] {
    atomic<int> x{0};
    std::thread t([&] { x.store(1, relaxed); });
    x.load(relaxed);
    if (++runs > 2) x.store(2, relaxed);  // the first only finds out that two threads meet at x
    x.load(relaxed);
    t.join();
  });
  expect_words(r, "nondeterministic test", "recorded");
}

TEST(check, runs_each_execution_twice_if_asked) {
  int runs = 0;
  const auto test = [&] {
    atomic<int> x{0};
    if (++runs == 2) x.load();
  };
  EXPECT_TRUE(check(test).passed());
  runs = 0;
  expect_words(check({.repeat_runs = true}, test), "nondeterministic test", "recorded end, now read");
  runs = 0;
  expect_words(check({.repeat_runs = true},
                     [&] {
                       atomic<int> x{0};
                       if (++runs == 2) x.load(relaxed);  // which is no event
                     }),
               "nondeterministic test", "a second time");
  explores({2, 2},
           [] {
             std::mutex m;
             in_threads<2>([&](unsigned) { const std::lock_guard hold(m); });
           },
           {.repeat_runs = true});
}

int global = 1;

TEST(check, takes_back_what_a_run_left_in_globals) {
  global = 5;
  explores({2}, [] {
    expect(global == 5);
    global = 6;
    static int calls = 0;
    expect(++calls == 1);
    atomic<int> x{0};
    std::thread t([&] { x.store(1, relaxed); });
    x.load(relaxed);
    t.join();
  });
  EXPECT_EQ(global, 5);
}

TEST(check, replays_the_execution_of_a_token) {
  const auto test = [] {
    atomic<int> x{0}, y{0};
    int a = 0, b = 0;
    together(
        [&] {
          x.store(1, relaxed);
          a = y.load(relaxed);
        },
        [&] {
          y.store(1, relaxed);
          b = x.load(relaxed);
        });
    expect(a == 1 || b == 1, "one sees the other");
  };
  const result found = check(test);
  ASSERT_EQ(found.trouble, "assertion") << found.report();
  const result again = check({.replay = found.token}, test);
  EXPECT_EQ(again.trouble, "assertion") << again.report();
  EXPECT_EQ(again.execution, found.execution);
  EXPECT_EQ(again.executions, 0u);
}

// ---- bounds

void expect_bound(const result& r, const char* words) {
  EXPECT_EQ(r.verdict, result::verdict::not_exhaustive) << r.report();
  EXPECT_FALSE(r.passed());
  EXPECT_NE(r.not_exhaustive.find(words), std::string::npos) << r.not_exhaustive;
}

TEST(check, does_not_pass_what_has_too_many_threads_operations_or_executions) {
  expect_bound(check([] { in_threads<16>([](unsigned) {}); }), "16 threads");
  expect_bound(check({.max_events = 10},
                     [] {
                       atomic<int> x{0};
                       for (int i = 0; i < 20; ++i) x.store(i);
                     }),
               "10 operations");
  const auto five = [] {
    atomic<int> x{0};
    in_threads<5>([&](unsigned) { x.fetch_add(1, relaxed); });
  };
  expect_bound(check({.max_executions = 119}, five), "max_executions");
  EXPECT_TRUE(check({.max_executions = 120}, five).passed());
}

TEST(check, takes_samples_of_what_is_too_large) {
  const auto seven = [](bool wrong) {
    atomic<unsigned> x{0};
    unsigned first = 9;
    in_threads<7>([&](unsigned i) {
      if (x.fetch_add(1, relaxed) == 0) first = i;
    });
    expect(!wrong || first != 3);
  };
  expect_bound(check({.samples = 50}, [&] { seven(false); }), "seed 1");
  EXPECT_EQ(check({.samples = 500}, [&] { seven(true); }).trouble, "assertion");
}

// ---- sizes

struct pair {
  std::uint64_t first, second;
  bool operator==(const pair&) const = default;
};

TEST(check, knows_atomic_objects_of_16_bytes) {
  unsigned torn = 0;
  explores({3}, [&] {
    atomic<pair> x{pair{1, 1}};
    std::thread t([&] {
      x.store({2, 2}, relaxed);
      pair was{2, 2};
      x.compare_exchange_strong(was, {3, 3}, relaxed);
    });
    const pair seen = x.load(relaxed);
    if (seen.first != seen.second) ++torn;
    t.join();
    expect(x.exchange({4, 4}) == pair{3, 3});
    expect(x.load() == pair{4, 4});
  });
  EXPECT_EQ(torn, 0u);
}

struct triple {
  std::uint64_t of[3];
};

TEST(check, refuses_atomic_objects_that_hide_a_lock) {
  expect_words(check([] {
                 atomic<triple> x{};
                 x.store({{1, 2, 3}});
               }),
               "not modelled", "16 bytes");
}

// ---- outside of a check

TEST(check, leaves_the_rest_of_the_program_as_it_is) {
  atomic<unsigned> x{0};
  unsigned plain = 0;
  std::mutex m;
  in_threads<4>([&](unsigned) {
    for (int i = 0; i < 1000; ++i) {
      x.fetch_add(1, relaxed);
      const std::lock_guard hold(m);
      ++plain;
    }
  });
  EXPECT_EQ(x.load(), 4000u);
  EXPECT_EQ(plain, 4000u);
}

// The first timer of a process is number 0, which looked like none.
TEST(check, leaves_no_timer_behind) {
  EXPECT_TRUE(check([] {}).passed());
  std::ifstream timers("/proc/self/timers");
  EXPECT_TRUE(timers.is_open());
  EXPECT_EQ(timers.get(), std::ifstream::traits_type::eof());
}

}  // namespace
