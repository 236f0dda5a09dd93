// What a run finds of the process it runs in, and what it leaves: globals, thread_local objects, function statics, exit
// handlers, exceptions, crashes. Each test has several executions: a second run shows what the first left.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <acqrel/testing/model.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> turns;
int plain_global = 7;
std::vector<int> grown{1, 2, 3};
std::map<int, std::string> names{{1, "one"}};
std::string text = "a text that is too long to stand in the string itself";
thread_local int counted = 5;
thread_local std::string named = "as long as it must be to be allocated: forty and more";
int destroyed = 0;
int destroyed_at_exit = 0;

struct noisy {
  std::string held = "what it holds is on the heap, as it is that long";
  ~noisy() { ++destroyed_at_exit; }
};
noisy& only_one() {
  static noisy one;
  return one;
}

struct on_exit_of_a_thread {
  ~on_exit_of_a_thread() { ++destroyed; }
};
thread_local on_exit_of_a_thread last_words;

/// Two executions at least: who is first.
void meet_another_thread() {
  std::thread other([] { turns.fetch_add(1); });
  turns.fetch_add(1);
  other.join();
}

MODEL(process, gives_every_run_the_globals_as_they_were) {
  meet_another_thread();
  EXPECT_EQ(turns, 2);
  EXPECT_EQ(plain_global++, 7);
}

MODEL(process, lets_a_global_give_up_memory_that_it_had_before) {
  meet_another_thread();
  EXPECT_EQ(grown.size(), 3u);
  for (int i = 0; i < 100; ++i) grown.push_back(i);
  EXPECT_EQ(grown[2], 3);
  EXPECT_EQ(text.substr(0, 6), "a text");
  text = std::string(500, 'x');
  text.shrink_to_fit();
}

// Its tree is balanced by code of the C++ library, which nobody instruments.
MODEL(process, gives_every_run_the_map_that_a_global_had_before) {
  meet_another_thread();
  EXPECT_EQ(names.size(), 1u);
  for (int i = 2; i < 20; ++i) names[i] = "a name that came later, and is longer than its place";
  EXPECT_EQ(names.extract(1).mapped(), "one");
}

MODEL(process, sees_that_a_global_map_from_before_holds_what_a_run_allocated, .report_leaks = true) {
  meet_another_thread();
  names[2] = std::string(100, 'x');
}

TEST(process_after, has_its_globals_back) {
  EXPECT_EQ(turns, 0);
  EXPECT_EQ(plain_global, 7);
  EXPECT_EQ(grown, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(names, (std::map<int, std::string>{{1, "one"}}));
  EXPECT_EQ(text, "a text that is too long to stand in the string itself");
}

MODEL(process, gives_every_thread_its_own_thread_locals_anew) {
  const auto use = [] {
    EXPECT_EQ(counted, 5);
    EXPECT_EQ(errno, 0);
    EXPECT_EQ(named.size(), 53u);
    counted += turns.fetch_add(1);
    named += "!";
    errno = ERANGE;
  };
  int* theirs = nullptr;
  std::thread other([&] {
    use();
    theirs = &counted;
  });
  use();
  other.join();
  EXPECT_NE(theirs, &counted);
}

MODEL(process, destroys_thread_locals_before_the_join) {
  std::thread other([] {
    static_cast<void>(&last_words);
    turns.fetch_add(1);
  });
  turns.fetch_add(1);
  other.join();
  EXPECT_EQ(destroyed, 1);
}

MODEL(process, constructs_a_function_static_once_in_every_run) {
  noisy* theirs = nullptr;
  std::thread other([&] { theirs = &only_one(); });
  noisy& mine = only_one();
  other.join();
  EXPECT_EQ(theirs, &mine);
  EXPECT_EQ(mine.held.size(), 48u);
  mine.held.clear();
}

MODEL(process, forgets_what_was_to_be_done_at_exit) {
  meet_another_thread();
  EXPECT_EQ(std::atexit([] { ++destroyed_at_exit; }), 0);
}

// Whether a handler did stay on the list shows only when the process ends: this object goes last, and then it fails.
struct at_the_very_end {
  ~at_the_very_end() {
    if (destroyed_at_exit != 0) std::_Exit(3);
  }
} constructed_before_all_those;

MODEL(process, keeps_exceptions_of_threads_apart) {
  const auto throw_and_catch = [](const char* what) {
    try {
      throw std::runtime_error(what);
    } catch (const std::exception&) {
      turns.fetch_add(1);  // another thread may run here, with an exception of its own
      try {
        throw;
      } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), what);
      }
    }
    EXPECT_EQ(std::current_exception(), nullptr);
  };
  std::thread other(throw_and_catch, "other");
  throw_and_catch("first");
  other.join();
}

MODEL_FAILS(process, survives_a_crash, "crash") {
  std::thread other([] { turns.fetch_add(1); });
  int* volatile nowhere = nullptr;
  if (turns.fetch_add(1) == 1) *nowhere = 1;
  other.join();
}

int deep(const volatile int* outer, int enough) {
  volatile int local[64] = {*outer};
  return enough == 0 ? 0 : deep(local, enough - 1) + local[1];
}

MODEL_FAILS(process, survives_the_overflow_of_a_stack, "crash") {
  std::thread other([] {
    volatile int outer = 0;
    plain_global = deep(&outer, 1'000'000);
  });
  other.join();
}

MODEL_FAILS(process, takes_an_exception_that_leaves_a_thread_for_a_failure, "assertion") {
  std::thread other([] { throw std::logic_error("nobody catches it"); });
  other.join();
}

MODEL_FAILS(process, takes_exit_for_a_failure, "assertion") {
  meet_another_thread();
  std::exit(0);
}

}  // namespace
