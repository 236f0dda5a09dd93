// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/asymmetric_fence.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>

namespace {

using acqrel::current_fence_mode;
using acqrel::fence_mode;

#if defined(__SANITIZE_THREAD__)
constexpr bool thread_sanitizer = true;
#else
constexpr bool thread_sanitizer = false;
#endif
constexpr long rounds = thread_sanitizer ? 20'000 : 200'000;

// From here on membarrier fails in this process, as in a container that filters it.
void take_membarrier_away() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38 /* ENOSYS */),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::perror("seccomp");
    std::_Exit(99);
  }
}

// Publishes and reads in this process; the exit status says in which mode.
[[noreturn]] void use_the_library_and_exit() {
  acqrel::snapshot_source<long> source{std::make_unique<long>(0)};
  std::thread reader([&] {
    for (long n = 0; n < 1000; ++n) {
      const auto a = source.read();
      if (*a < 0) std::_Exit(98);
    }
  });
  for (long n = 0; n < 1000; ++n) source.publish(std::make_unique<long>(n));
  reader.join();
  std::_Exit(current_fence_mode() == fence_mode::asymmetric ? 10 : 20);
}

// ---- semantics ----

// Each case is a process of its own: the mode is chosen once.
class asymmetric_fence_death : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(asymmetric_fence_death, is_asymmetric_where_the_kernel_offers_membarrier_but_not_under_thread_sanitizer) {
  EXPECT_EXIT(
      {
        unsetenv("ACQREL_FENCES");
        use_the_library_and_exit();
      },
      testing::ExitedWithCode(thread_sanitizer ? 20 : 10), "");
}

TEST_F(asymmetric_fence_death, may_be_forced_to_either_mode) {
  EXPECT_EXIT(
      {
        setenv("ACQREL_FENCES", "full", 1);
        use_the_library_and_exit();
      },
      testing::ExitedWithCode(20), "");
  EXPECT_EXIT(
      {
        setenv("ACQREL_FENCES", "asymmetric", 1);
        std::_Exit(current_fence_mode() == fence_mode::asymmetric ? 10 : 20);
      },
      testing::ExitedWithCode(10), "");
}

TEST_F(asymmetric_fence_death, falls_back_to_full_fences_where_membarrier_is_missing) {
  EXPECT_EXIT(
      {
        unsetenv("ACQREL_FENCES");
        take_membarrier_away();
        use_the_library_and_exit();
      },
      testing::ExitedWithCode(20), "");
  EXPECT_EXIT(
      {
        setenv("ACQREL_FENCES", "asymmetric", 1);
        take_membarrier_away();
        use_the_library_and_exit();
      },
      testing::ExitedWithCode(20), "");
}

TEST_F(asymmetric_fence_death, says_what_to_do_when_membarrier_is_taken_away_later) {
  EXPECT_DEATH(
      {
        setenv("ACQREL_FENCES", "asymmetric", 1);
        (void)current_fence_mode();
        take_membarrier_away();
        acqrel::asymmetric_thread_fence_heavy();
      },
      "start the process with ACQREL_FENCES=full");
}

// ---- stress ----
// Store buffering: two threads meet at a round, each sets its own word, does `between`, and reads
// the other's. Both reading the old value is what a pair of fences must forbid, and what this
// harness must be able to show without them, or it shows nothing.
struct store_buffering {
  std::atomic<long> x{0}, y{0}, arrived{0};
  long saw_y = 0, saw_x = 0;

  // How often both read the old value.
  long both_missed(const std::function<void()>& left, const std::function<void()>& right, long n) {
    long missed = 0;
    const auto meet = [&](long at) {
      arrived.fetch_add(1, std::memory_order_acq_rel);
      for (unsigned spins = 0; arrived.load(std::memory_order_acquire) < at; ++spins) {
        if (spins % 1024 == 1023) std::this_thread::yield();
      }
    };
    std::thread other([&] {
      for (long r = 1; r <= n; ++r) {
        meet(4 * r - 2);
        x.store(r, std::memory_order_release);
        left();
        saw_y = y.load(std::memory_order_acquire);
        meet(4 * r);
      }
    });
    for (long r = 1; r <= n; ++r) {
      meet(4 * r - 2);
      y.store(r, std::memory_order_release);
      right();
      saw_x = x.load(std::memory_order_acquire);
      meet(4 * r);
      if (saw_x < r && saw_y < r) ++missed;
    }
    other.join();
    return missed;
  }
};

// ThreadSanitizer's runtime puts locked operations around every atomic, so under it no store is ever
// buffered: this test and the one it gives teeth to are for builds without it.
#if !defined(__SANITIZE_THREAD__)
TEST(asymmetric_fence_stress, shows_store_buffering_without_fences) {  // G8
  // Release and acquire alone: both may miss, and on x86 they do. Several tries, since the two
  // threads must run at the same time; none would mean that the test below cannot fail.
  long missed = 0;
  for (int tries = 0; tries < 50 && missed == 0; ++tries) missed = store_buffering().both_missed([] {}, [] {}, rounds);
  EXPECT_GT(missed, 0);
}

TEST(asymmetric_fence_stress, lets_one_side_see_the_other) {  // G8
  EXPECT_EQ(store_buffering().both_missed([] { acqrel::asymmetric_thread_fence_light(); },
                                          [] { acqrel::asymmetric_thread_fence_heavy(); }, rounds / 8),
            0);
}

#endif

TEST(asymmetric_fence_stress, orders_sequentially_consistent_operations_too) {  // G8
  struct seq_cst_words {
    std::atomic<long> x{0}, y{0};
  } words;
  long missed = 0;
  for (long r = 0; r < rounds / 200; ++r) {
    words.x = words.y = 0;
    long a = 0, b = 0;
    std::thread other([&] {
      words.x.store(1, std::memory_order_seq_cst);
      a = words.y.load(std::memory_order_seq_cst);
    });
    words.y.store(1, std::memory_order_seq_cst);
    b = words.x.load(std::memory_order_seq_cst);
    other.join();
    if (a == 0 && b == 0) ++missed;
  }
  EXPECT_EQ(missed, 0);
}

}  // namespace
