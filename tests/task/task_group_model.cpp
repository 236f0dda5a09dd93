// Who has waited sees what all tasks did, and gets the first failure; the rest is asked to stop before.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/task_group.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::task_group;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(task_group, shows_a_task_what_came_before_and_who_waits_what_it_did) {  // E3
  const futex mode;
  task_group group;
  int before = 1, after = 0;
  EXPECT_TRUE(group.spawn([&] { after = before + 1; }));
  group.wait();
  EXPECT_EQ(after, 2);
}

MODEL(task_group, fails_with_the_first_failure_and_asks_to_stop_before) {  // E1 E2 E6
  const futex mode;
  task_group group;
  int failed = 0;
  EXPECT_TRUE(group.spawn([&] {
    failed = 1;
    throw 7;
  }));
  bool thrown = false;
  try {
    group.wait();
  } catch (int code) {
    thrown = true;
    EXPECT_EQ(code, 7);
    EXPECT_EQ(failed, 1);
    EXPECT_TRUE(group.token().stop_requested());
  }
  EXPECT_TRUE(thrown);
}

MODEL(task_group, waits_for_what_a_task_adds) {
  const futex mode;
  task_group group(1);
  int inner = 0;
  EXPECT_TRUE(group.spawn([&] { EXPECT_TRUE(group.spawn([&] { inner = 1; })); }));
  group.wait();
  EXPECT_EQ(inner, 1);
}

MODEL(task_group, never_runs_more_than_its_limit) {  // E5
  const futex mode;
  task_group group(1);
  int alone = 0;  // a race, if two ran at once
  EXPECT_TRUE(group.spawn([&] { ++alone; }));
  EXPECT_TRUE(group.spawn([&] { ++alone; }));
  group.wait();
  EXPECT_EQ(alone, 2);
}

MODEL(task_group, refuses_or_runs_what_comes_with_the_wait) {
  const futex mode;
  int ran = 0;
  bool taken = false;
  task_group group;
  std::thread other([&] { taken = group.spawn([&] { ran = 1; }); });
  group.wait();
  const int seen = ran;  // a race, if it was taken and not waited for
  other.join();
  EXPECT_EQ(seen, taken ? 1 : 0);
}

// In the small: a wait that ends when nothing runs, though a task has just been taken and has not begun.
void end_when_nothing_runs(bool counts_what_was_taken) {
  std::mutex mutex;
  int taken = 1, running = 0, ran = 0;
  std::thread worker([&] {
    {
      const std::lock_guard lock(mutex);
      --taken;
      ++running;
    }
    ran = 1;
    const std::lock_guard lock(mutex);
    --running;
  });
  {
    const std::lock_guard lock(mutex);
    if (running == 0 && (taken == 0 || !counts_what_was_taken)) {
      EXPECT_EQ(ran, 1);
    }
  }
  worker.join();
}
MODEL(task_group, whose_small_copy_counts_what_was_taken) { end_when_nothing_runs(true); }
MODEL_FAILS(task_group, the_twin_that_forgets_what_was_taken, "assertion") { end_when_nothing_runs(false); }

}  // namespace
