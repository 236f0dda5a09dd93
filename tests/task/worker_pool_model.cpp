// Jobs are run or left, once; who has a result, or has stopped the pool, sees what was done.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/worker_pool.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

using acqrel::stop_mode;
using acqrel::worker_pool;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(worker_pool, shows_a_job_what_came_before_and_its_owner_what_it_did, .shows = {"event.happened"}) {  // W12 W13
  const futex mode;
  worker_pool pool(1);
  int before = 1, after = 0;
  auto result = pool.submit([&] { after = before + 1; });
  result.get();
  EXPECT_EQ(after, 2);
}

MODEL(worker_pool, shows_who_stops_it_what_was_done) {  // W1 W2
  const futex mode;
  worker_pool pool(1);
  int done = 0;
  EXPECT_TRUE(pool.post([&] { done = 1; }));
  EXPECT_TRUE(pool.stop().ended);
  EXPECT_EQ(done, 1);
}

// A thread without work is asleep, or about to be, when the second job comes.
MODEL(worker_pool, calls_a_thread_that_sleeps) {
  const futex mode;
  worker_pool pool(1);
  int done = 0;
  EXPECT_TRUE(pool.post([&] { ++done; }));
  EXPECT_TRUE(pool.post([&] { ++done; }));
  EXPECT_TRUE(pool.stop().ended);
  EXPECT_EQ(done, 2);
}

void submit_while_it_stops(stop_mode how) {
  const futex mode;
  int ran = 0;
  bool taken = false;
  std::size_t left = 0;
  {
    worker_pool pool(1);
    std::thread client([&] { taken = pool.post([&] { ran = 1; }); });
    left = pool.stop(how).undone.size();
    client.join();
  }
  EXPECT_EQ(static_cast<std::size_t>(taken), static_cast<std::size_t>(ran) + left);
  if (how == stop_mode::drain) {
    EXPECT_EQ(left, 0U);
  }
}
MODEL(worker_pool, drains_or_refuses_a_job_that_comes_with_the_stop) {
  submit_while_it_stops(stop_mode::drain);
}  // W5 W6
MODEL(worker_pool, discards_or_refuses_a_job_that_comes_with_the_stop) {
  submit_while_it_stops(stop_mode::discard);
}  // W5 W6

// The pool's threads, closed: two stops that come to the wait.
MODEL(worker_pool, lets_two_wait_for_the_end) {  // W3
  const futex mode;
  int done = 0;
  acqrel::crew crew(1, 0);
  auto job = acqrel::crew::make_job([&] { done = 1; });
  EXPECT_TRUE(crew.add(job, acqrel::patience()));
  crew.close(acqrel::crew::ending::drain);
  std::thread other([&] {
    EXPECT_TRUE(crew.join(acqrel::patience()));
    EXPECT_EQ(done, 1);
  });
  EXPECT_TRUE(crew.join(acqrel::patience()));
  EXPECT_EQ(done, 1);
  other.join();
}

MODEL(worker_pool, is_stopped_by_its_own_job) {  // W4
  const futex mode;
  worker_pool pool(1);
  EXPECT_TRUE(pool.post([&] { EXPECT_FALSE(pool.stop(stop_mode::discard).ended); }));
  EXPECT_TRUE(pool.stop().ended);
}

MODEL(worker_pool, tells_the_owner_of_what_is_dropped) {  // W10
  const futex mode;
  acqrel::task_result<int> result;
  int ran = 0;
  {
    worker_pool pool(1);
    result = pool.submit([&] { return ran = 1; });
  }
  try {
    EXPECT_EQ(result.get(), ran);
  } catch (const acqrel::job_dropped&) {
    EXPECT_EQ(ran, 0);
  }
}

// In the small, with one step forgotten: a queue that is closed, one client and one worker.
struct small_queue {
  bool add() {
    if (looks_too_early && closed.load(std::memory_order_acquire)) return false;
    const std::lock_guard lock(mutex);
    if (!looks_too_early && closed.load(std::memory_order_relaxed)) return false;
    ++jobs;
    return true;
  }
  int drain() {
    const std::lock_guard lock(mutex);
    closed.store(true, std::memory_order_release);
    return std::exchange(jobs, 0);
  }
  const bool looks_too_early;
  std::atomic<bool> closed{false};
  std::mutex mutex{};
  int jobs = 0;
};
void add_while_it_drains(bool looks_too_early) {
  small_queue queue{looks_too_early};
  bool taken = false;
  std::thread client([&] { taken = queue.add(); });
  const int ran = queue.drain();
  client.join();
  EXPECT_EQ(ran, taken ? 1 : 0);
}
MODEL(worker_pool, whose_small_copy_looks_under_the_lock) { add_while_it_drains(false); }
MODEL_FAILS(worker_pool, the_twin_that_loses_a_job_to_a_stop, "assertion") { add_while_it_drains(true); }

// A worker that leaves the list of those to call, and sleeps outside of the lock.
struct small_crew {
  void add() {
    std::unique_lock lock(mutex);
    job = true;
    const bool calls = enlists_under_the_lock ? sleeps : awake.load(std::memory_order_relaxed) == 0;
    lock.unlock();
    if (calls) called.notify();
  }
  void work() {
    {
      const std::lock_guard lock(mutex);
      if (job) return;
      sleeps = true;
    }
    if (!enlists_under_the_lock) awake.store(0, std::memory_order_relaxed);
    called.wait();
  }
  const bool enlists_under_the_lock;
  std::atomic<int> awake{1};
  std::mutex mutex{};
  bool job = false, sleeps = false;
  acqrel::event called{};
};
void add_while_it_falls_asleep(bool enlists_under_the_lock) {
  const futex mode;
  small_crew crew{enlists_under_the_lock};
  std::thread worker([&] { crew.work(); });
  crew.add();
  worker.join();
}
MODEL(worker_pool, whose_small_copy_calls_the_sleeper) { add_while_it_falls_asleep(true); }
MODEL_FAILS(worker_pool, the_twin_that_calls_too_early, "deadlock") { add_while_it_falls_asleep(false); }

}  // namespace
