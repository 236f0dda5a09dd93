// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/spin.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace {

// ---- semantics ----

TEST(spinner, says_park_after_its_rounds_and_goes_on_saying_it) {
  acqrel::spinner spinner;
  std::uint32_t spun = 0;
  while (spinner.spin()) ASSERT_LE(++spun, acqrel::spinner::rounds);
  EXPECT_EQ(spun, acqrel::spinner::spinning_pays() ? acqrel::spinner::rounds : 0U);
  EXPECT_FALSE(spinner.spin());
  EXPECT_FALSE(spinner.spin());
}

TEST(spinner, starts_afresh_after_reset) {
  acqrel::spinner spinner;
  while (spinner.spin()) {
  }
  spinner.reset();
  EXPECT_EQ(spinner.spin(), acqrel::spinner::spinning_pays());
}

#if defined(__linux__)
// While it lives, this thread, and what it starts, may use `cpus` cpus only.
class only_cpus {
 public:
  explicit only_cpus(unsigned cpus) {
    cpu_set_t some;
    CPU_ZERO(&some);
    sched_getaffinity(0, sizeof all_, &all_);
    for (unsigned cpu = 0, left = cpus; cpu != CPU_SETSIZE && left != 0; ++cpu) {
      if (!CPU_ISSET(cpu, &all_)) continue;
      CPU_SET(cpu, &some);
      --left;
    }
    sched_setaffinity(0, sizeof some, &some);
  }
  ~only_cpus() { sched_setaffinity(0, sizeof all_, &all_); }
  int all() const { return CPU_COUNT(&all_); }

 private:
  cpu_set_t all_;
};

// Exits with 10 plus the number of rounds that spun.
[[noreturn]] void exit_with_rounds_spun() {
  acqrel::spinner spinner;
  int spun = 0;
  while (spinner.spin()) ++spun;
  std::_Exit(10 + spun);
}

// The system is asked once for each process, before main; so each answer needs a process of its own: the style
// "threadsafe" starts this program afresh.
TEST(spinner, does_not_spin_where_only_one_cpu_may_be_used) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const only_cpus one(1);
  EXPECT_EXIT(exit_with_rounds_spun(), testing::ExitedWithCode(10), "");
}

TEST(spinner, spins_where_two_cpus_may_be_used) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const only_cpus two(2);
  const int rounds = two.all() > 1 ? static_cast<int>(acqrel::spinner::rounds) : 0;
  EXPECT_EXIT(exit_with_rounds_spun(), testing::ExitedWithCode(10 + rounds), "");
}
#endif

// ---- stress ----
// Two threads hand a turn to and fro; each waits with a spinner and then yields for good. Oracle: the turns alternate.

TEST(spinner_stress, bridges_short_waits_between_two_threads) {
  constexpr int turns = 2000;
  std::atomic<int> turn{0};
  const auto player = [&](int first) {
    for (int mine = first; mine < turns; mine += 2) {
      acqrel::spinner spinner;
      while (turn.load(std::memory_order_acquire) != mine) {
        if (!spinner.spin()) std::this_thread::yield();
      }
      turn.store(mine + 1, std::memory_order_release);
    }
  };
  std::thread other(player, 1);
  player(0);
  other.join();
  EXPECT_EQ(turn.load(std::memory_order_relaxed), turns);
}

}  // namespace
