// Bugs planted in small programs: each is found, and how often a plain loop finds it in the same time is printed beside.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/stress.hpp>

#include <acqrel/signal/event.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::testing::stress;
using acqrel::testing::stress_options;
using acqrel::testing::stress_point;
using acqrel::testing::stress_result;
using acqrel::testing::stress_run;
using std::chrono::steady_clock;

constexpr auto relaxed = std::memory_order_relaxed;

// ACQREL_STRESS for as long as this lives.
struct environment {
  explicit environment(const std::string& value) { setenv("ACQREL_STRESS", value.c_str(), 1); }
  ~environment() { unsetenv("ACQREL_STRESS"); }
};

// ---- semantics ----

TEST(stress, runs_each_combination_as_often_as_it_was_told) {
  std::multiset<std::array<std::uint64_t, 3>> seen;
  const auto result =
      stress({.threads = {1, 3}, .cpus = {1, 0}, .seeds = 4, .count = 2, .first_seed = 7}, [&](stress_run& run) {
        seen.insert({run.threads(), run.cpus(), run.seed()});
      });
  EXPECT_TRUE(result.passed()) << result.trouble;
  EXPECT_EQ(result.runs, seen.size());
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  const auto cpus = static_cast<std::uint64_t>(CPU_COUNT(&all));
  for (const std::uint64_t threads : {1U, 3U}) {
    for (const std::uint64_t seed : {7U, 8U, 9U, 10U}) {
      EXPECT_EQ(seen.count({threads, 1, seed}), 2U);
      EXPECT_EQ(seen.count({threads, cpus, seed}), 2U);
    }
  }
  EXPECT_EQ(seen.size(), cpus == 1 ? 16U : 32U) << "all cpus are one of one";
}

TEST(stress, holds_all_threads_to_the_cpus_and_lets_them_go) {
  const auto allowed = [] {
    cpu_set_t now;
    EXPECT_EQ(sched_getaffinity(0, sizeof now, &now), 0);
    return static_cast<unsigned>(CPU_COUNT(&now));
  };
  const unsigned before = allowed();
  const auto result =
      stress({.threads = {2}, .cpus = {1, 2, 0, 100'000}, .seeds = 1, .count = 1}, [&](stress_run& run) {
        EXPECT_EQ(allowed(), run.cpus());
        run.together([&](unsigned) { EXPECT_EQ(allowed(), run.cpus()); });
      });
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(allowed(), before);
}

TEST(stress, gives_each_thread_its_number_and_waits_for_all) {
  const auto result = stress({.threads = {1, 2, 5}, .seeds = 4, .count = 1}, [](stress_run& run) {
    std::vector<unsigned> times(run.threads(), 0);
    run.together([&](unsigned me) { ++times.at(me); });
    run.together([&](unsigned me) { ++times.at(me); });
    EXPECT_EQ(times, std::vector<unsigned>(run.threads(), 2));
  });
  EXPECT_TRUE(result.passed()) << result.trouble;
}

TEST(stress, begins_all_threads_before_it_lets_any_go) {
  const auto result = stress({.threads = {8}, .cpus = {1, 0}, .seeds = 8, .count = 1}, [](stress_run& run) {
    std::atomic<bool> somebody_works{false};
    std::ptrdiff_t there = 0;
    acqrel::event counted;
    run.together([&](unsigned) {
      if (somebody_works.exchange(true, relaxed)) return counted.wait();
      there = std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
      counted.notify();
    });
    EXPECT_GE(there, 8 + 2) << "with those of main() and of who watches";
  });
  EXPECT_TRUE(result.passed()) << result.trouble;
}

TEST(stress, ends_with_the_first_run_that_goes_wrong_and_says_which) {
  int runs = 0;
  const auto result = stress({.name = "account.loses_nothing", .threads = {2, 3}, .cpus = {1}, .seeds = 9, .count = 1},
                             [&](stress_run& run) {
                               ++runs;
                               run.expect(run.threads() != 3 || run.seed() != 5, "the balance");
                             });
  EXPECT_EQ(runs, 10);
  EXPECT_EQ(result.runs, 10U);
  EXPECT_EQ(result.again, "threads=3 cpus=1 seed=5");
  EXPECT_EQ(result.trouble,
            "acqrel: stress: account.loses_nothing: the balance does not hold in run 10. Run that again by\n"
            "  ACQREL_STRESS='threads=3 cpus=1 seed=5' in the environment");
}

TEST(stress, runs_one_combination_again) {
  const environment again("threads=3 cpus=1 seed=5");
  std::set<std::array<std::uint64_t, 3>> seen;
  const auto result = stress({.threads = {1, 2}, .seeds = 9, .count = 4}, [&](stress_run& run) {
    seen.insert({run.threads(), run.cpus(), run.seed()});
  });
  EXPECT_EQ(result.runs, 4U);
  EXPECT_EQ(seen, (std::set<std::array<std::uint64_t, 3>>{{3, 1, 5}}));
}

TEST(stress, is_told_more_by_the_environment) {
  const environment more(" count=3  seeds=2 threads=1,2,4 cpus=1");
  EXPECT_EQ(stress({.first_seed = 5}, [](stress_run& run) { run.expect(run.seed() >= 5, "the seed"); }).runs, 18U);
}

TEST(stress, says_what_it_cannot_read) {
  for (const char* const wrong :
       {"cpus", "cpus=", "cpus=1,", "cpus=a", "cpu=1", "seed=-1", "threads=1;2", "=1", "seeds=0", "count=0"}) {
    const environment said(wrong);
    const auto result = stress({}, [](stress_run&) { FAIL(); });
    EXPECT_NE(result.trouble.find("ACQREL_STRESS: \"" + std::string(wrong) + "\": expected "), std::string::npos)
        << result.trouble;
    EXPECT_EQ(result.runs, 0U);
  }
}

TEST(stress, passes_on_what_threads_throw) {
  const auto thrown = stress({}, [](stress_run& run) {
    run.together([](unsigned me) {
      if (me == 1) throw std::runtime_error("no funds");
    });
  });
  EXPECT_NE(thrown.trouble.find("threw no funds in run 1."), std::string::npos) << thrown.trouble;
  EXPECT_NE(stress({}, [](stress_run&) { throw 1; }).trouble.find("threw what is no std::exception"),
            std::string::npos);
}

TEST(stress, disturbs_while_it_runs_only) {
  EXPECT_FALSE(acqrel::testing::stress_runs.load(relaxed));
  EXPECT_FALSE(stress({}, [](stress_run& run) {
                 run.expect(!acqrel::testing::stress_runs.load(relaxed), "nothing disturbs");
               }).passed());
  EXPECT_FALSE(acqrel::testing::stress_runs.load(relaxed));
}

TEST(stress, disturbs_threads_that_the_body_starts_in_another_way) {
  EXPECT_TRUE(stress({.seeds = 8, .count = 1}, [](stress_run&) {
                std::thread other([] {
                  for (int i = 0; i != 10; ++i) stress_point();
                });
                for (int i = 0; i != 10; ++i) stress_point();
                other.join();
              }).passed());
}

TEST(stress_death, says_which_run_does_not_end) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto hang = [] {
    const acqrel::event never;
    (void)stress({.name = "bell.rings", .threads = {2}, .cpus = {1}, .seeds = 1, .hangs_after = 50ms},
                 [&](stress_run& run) { run.together([&](unsigned) { never.wait(); }); });
  };
  EXPECT_DEATH(hang(), "bell.rings has not ended after 50 ms(.|\n)*threads=2 cpus=1 seed=1");
}

// ---- GoogleTest ----

// With the mistake if asked for, so that the program can be run again with it.
const bool with_mistakes = std::getenv("ACQREL_TEST_MISTAKES") != nullptr;

STRESS(in_googletest, counts_all, .threads = {2, 3}, .cpus = {1}) {
  std::atomic<unsigned> count{0};
  run.together([&](unsigned) {
    if (!with_mistakes) {
      count.fetch_add(1, relaxed);
      return;
    }
    const unsigned before = count.load(relaxed);
    stress_point();
    count.store(before + 1, relaxed);
  });
  EXPECT_EQ(count.load(relaxed), run.threads());
}

std::string output_of(const std::string& command) {
  std::string all;
  FILE* const from = popen((command + " 2>&1").c_str(), "r");
  if (from == nullptr) return all;
  std::array<char, 4096> some;
  for (std::size_t got = 0; (got = fread(some.data(), 1, some.size(), from)) != 0;) all.append(some.data(), got);
  pclose(from);
  return all;
}

TEST(stress, reports_what_googletest_expected_and_runs_that_again) {
  std::array<char, 4096> self{};
  ASSERT_GT(readlink("/proc/self/exe", self.data(), self.size() - 1), 0);
  const std::string program = "ACQREL_TEST_MISTAKES=1 " + std::string(self.data());
  const std::string first = output_of(program + " --gtest_filter=in_googletest.*");
  const auto line = first.find("ACQREL_STRESS='");
  ASSERT_NE(line, std::string::npos) << first;
  EXPECT_NE(first.find("count.load(relaxed)"), std::string::npos) << "the expectation:\n" << first;
  EXPECT_NE(first.find("in_googletest.counts_all: an expectation failed in run "), std::string::npos) << first;
  // The line itself, with the program's name.
  std::string again = first.substr(line, first.find('\n', line) - line);
  const std::string combination = again.substr(0, again.find(" PROGRAM"));
  const auto name = again.find("PROGRAM");
  ASSERT_NE(name, std::string::npos) << again;
  again.replace(name, 7, self.data());
  const std::string second = output_of("ACQREL_TEST_MISTAKES=1 " + again);
  EXPECT_NE(second.find(combination), std::string::npos) << second;
}

// ---- stress ----

// What a mistake has done is seen after the run, whatever it took; and the same without the mistake goes well.
struct lost_update {
  void work(unsigned, bool right) {
    if (right) {
      count.fetch_add(1, relaxed);
      return;
    }
    const int before = count.load(relaxed);
    stress_point();
    count.store(before + 1, relaxed);
  }
  [[nodiscard]] bool went_well(unsigned threads) const { return count.load(relaxed) == static_cast<int>(threads); }
  std::atomic<int> count{0};
};

// Looks before it takes the lock, and not again.
struct double_check {
  void work(unsigned, bool right) {
    if (made.load(std::memory_order_acquire)) return;
    stress_point();
    const std::lock_guard lock(mutex);
    if (right && made.load(relaxed)) return;
    ++times;
    made.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool went_well(unsigned) const { return times == 1; }
  std::mutex mutex;
  int times = 0;
  std::atomic<bool> made{false};
};

// Who waits looks, then says that it sleeps, and does not look again: whoever rings in between wakes nobody. It is asked
// afterwards whether it would still sleep.
struct missed_call {
  void work(unsigned me, bool right) {
    if (me != 0) {
      ready.store(true, std::memory_order_seq_cst);
      stress_point();
      if (sleeps.load(std::memory_order_seq_cst)) rung.store(true, relaxed);
      return;
    }
    if (ready.load(std::memory_order_seq_cst)) return;
    stress_point();
    sleeps.store(true, std::memory_order_seq_cst);
    if (right && ready.load(std::memory_order_seq_cst)) sleeps.store(false, relaxed);
  }
  [[nodiscard]] bool went_well(unsigned) const { return !sleeps.load(relaxed) || rung.load(relaxed); }
  std::atomic<bool> ready{false}, sleeps{false}, rung{false};
};

// Says that the letter is there, and then writes it.
struct wrong_order {
  void work(unsigned me, bool right) {
    if (me == 0) {
      std::atomic<int>& first = right ? letter : full;
      std::atomic<int>& second = right ? full : letter;
      first.store(1, std::memory_order_release);
      stress_point();
      second.store(1, std::memory_order_release);
    } else if (full.load(std::memory_order_acquire) == 1 && letter.load(relaxed) == 0) {
      torn.store(true, relaxed);
    }
  }
  [[nodiscard]] bool went_well(unsigned) const { return !torn.load(relaxed); }
  std::atomic<int> letter{0}, full{0};
  std::atomic<bool> torn{false};
};

template <class Program>
stress_result stressed(bool right, unsigned count) {
  return stress({.threads = {2, 3}, .seeds = 50, .count = count}, [&](stress_run& run) {
    Program program;
    run.together([&](unsigned me) { program.work(me, right); });
    run.expect(program.went_well(run.threads()), "the outcome");
  });
}

struct found {
  int times = 0, runs = 0;
};

// What a loop finds in that time: threads started one after another, or held until all are there.
template <class Program>
found found_plainly(steady_clock::duration time, bool start_line) {
  found result;
  for (const auto begin = steady_clock::now(); steady_clock::now() - begin < time; ++result.runs) {
    Program program;
    const unsigned threads = 2 + static_cast<unsigned>(result.runs % 2);
    std::latch all_there(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::thread> running;
    for (unsigned me = 0; me != threads; ++me) {
      running.emplace_back([&, me] {
        if (start_line) all_there.arrive_and_wait();
        program.work(me, false);
      });
    }
    for (auto& thread : running) thread.join();
    result.times += program.went_well(threads) ? 0 : 1;
  }
  return result;
}

template <class Program>
void is_found(const char* what) {
  EXPECT_TRUE(stressed<Program>(true, 1).passed()) << "without the mistake";
  const auto first = stressed<Program>(false, 10);
  EXPECT_FALSE(first.passed()) << "not found in " << first.runs << " runs";
  found here;
  const auto all = stress({.threads = {2, 3}, .seeds = 50, .count = 1}, [&](stress_run& run) {
    Program program;
    run.together([&](unsigned me) { program.work(me, false); });
    here.times += program.went_well(run.threads()) ? 0 : 1;
    ++here.runs;
  });
  EXPECT_TRUE(all.passed());
  const found plain = found_plainly<Program>(all.took, false), held = found_plainly<Program>(all.took, true);
  std::printf(
      "%s: first found in run %llu; in %.0f ms by %d of %d runs, by a plain loop in %d of %d, from a start line %d of "
      "%d\n",
      what, static_cast<unsigned long long>(first.runs), std::chrono::duration<double, std::milli>(all.took).count(),
      here.times, here.runs, plain.times, plain.runs, held.times, held.runs);
}

TEST(stress_stress, finds_a_lost_update) { is_found<lost_update>("lost update"); }
TEST(stress_stress, finds_an_unlocked_look) { is_found<double_check>("unlocked look"); }
TEST(stress_stress, finds_a_missed_call) { is_found<missed_call>("missed call"); }
TEST(stress_stress, finds_a_publication_in_the_wrong_order) { is_found<wrong_order>("wrong order"); }

}  // namespace
