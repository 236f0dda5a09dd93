// Waiting under the checker: condition variables, futexes, barriers. Each that is right stands beside one that loses a
// wake-up.
// SPDX-License-Identifier: Apache-2.0
#include "counting.hpp"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <stop_token>

namespace {

using namespace counting;
using namespace std::chrono_literals;
using acqrel::model::expect;

std::mutex m;
std::condition_variable changed;
bool ready = false;

// ---- condition variables

void wait_in_a_loop() {
  std::unique_lock lock(m);
  while (!ready) changed.wait(lock);
}
void wait_once() {
  std::unique_lock lock(m);
  changed.wait(lock);
}
void wait_if() {
  std::unique_lock lock(m);
  if (!ready) changed.wait(lock);
  expect(ready, "ready");
}
void set_ready() {
  const std::lock_guard lock(m);
  ready = true;
}

/// A waiter or two, and this thread, which sets and notifies.
template <void (*Wait)(), unsigned Waiters, bool All>
void notified() {
  std::array<std::thread, Waiters> waiters;
  for (std::thread& t : waiters) t = std::thread(Wait);
  set_ready();
  All ? changed.notify_all() : changed.notify_one();
  for (std::thread& t : waiters) t.join();
}

TEST(condition_variable, wakes_who_waits_for_a_condition) {
  explores({2, 4}, notified<wait_in_a_loop, 1, false>);
  explores({2, 4}, notified<wait_in_a_loop, 1, true>);
  explores({10, 57}, notified<wait_in_a_loop, 2, true>);
}
TEST(condition_variable, loses_a_wake_up_without_a_condition) { fails("deadlock", notified<wait_once, 1, false>); }
TEST(condition_variable, wakes_but_one_of_two) { fails("deadlock", notified<wait_in_a_loop, 2, false>); }
TEST(condition_variable, wakes_for_no_reason_if_asked) {
  explores({2, 4}, notified<wait_if, 1, false>);
  explores({4, 9}, notified<wait_in_a_loop, 1, false>, {.spurious_wakeups = 1});
  fails("assertion", notified<wait_if, 1, false>, {.spurious_wakeups = 1});
}

// Which of two is woken is a choice, and each way is an execution.
TEST(condition_variable, wakes_any_of_those_that_wait) {
  std::array<unsigned, 2> first{};
  const auto result = acqrel::model::check([&] {
    std::atomic<unsigned> in{0};
    unsigned turn = 0, woken_first = 0;
    std::array<std::thread, 2> waiters;
    for (unsigned i = 0; i < 2; ++i)
      waiters[i] = std::thread([&, i] {
        std::unique_lock lock(m);
        in.fetch_add(1, relaxed);
        changed.wait(lock);
        if (turn++ == 0) woken_first = i;
        changed.notify_one();
      });
    for (bool both = false; !both;) {
      const std::lock_guard lock(m);
      both = in.load(relaxed) == 2;
      if (both) changed.notify_one();
    }
    for (std::thread& t : waiters) t.join();
    ++first[woken_first];
  });
  EXPECT_TRUE(result.passed()) << result.report();
  EXPECT_GT(first[0], 0u);
  EXPECT_GT(first[1], 0u);
}

TEST(condition_variable, is_waited_for_with_a_time_limit) {
  unsigned in_vain = 0;
  explores({4, 7}, [&] {
    std::thread waiter([&] {
      std::unique_lock lock(m);
      const auto start = std::chrono::steady_clock::now();
      while (!ready) {
        if (changed.wait_for(lock, 5ms) == std::cv_status::no_timeout) continue;
        expect(std::chrono::steady_clock::now() - start >= 5ms);
        ++in_vain;
        break;
      }
    });
    set_ready();
    changed.notify_one();
    waiter.join();
  });
  EXPECT_GT(in_vain, 0u);
}
MODEL(condition_variable, is_no_deadlock_with_a_time_limit) {
  std::unique_lock lock(m);
  expect(changed.wait_for(lock, 1h) == std::cv_status::timeout);
}
MODEL(condition_variable, is_left_when_a_stop_is_requested) {
  std::condition_variable_any any;
  const std::jthread waiter([&](const std::stop_token& stop) {
    std::unique_lock lock(m);
    expect(!any.wait(lock, stop, [] { return ready; }));
  });
}

MODEL_FAILS(condition_variable, is_waited_on_without_the_mutex, "misuse") {
  std::unique_lock lock(m, std::defer_lock);
  pthread_cond_wait(changed.native_handle(), m.native_handle());
}
MODEL_FAILS(condition_variable, is_waited_on_with_two_mutexes, "misuse") {
  static std::mutex other;
  together(wait_once, [] {
    std::unique_lock lock(other);
    changed.wait(lock);
  });
}
MODEL_FAILS(condition_variable, is_destroyed_while_a_thread_waits, "misuse") {
  pthread_cond_t c;
  pthread_cond_init(&c, nullptr);
  std::thread waiter([&] {
    const std::lock_guard lock(m);
    ready = true;
    pthread_cond_wait(&c, m.native_handle());
  });
  for (bool waits = false; !waits;) {
    const std::lock_guard lock(m);
    waits = ready;
  }
  pthread_cond_destroy(&c);
  waiter.join();
}
MODEL(condition_variable, is_destroyed_once_all_were_notified) {
  auto* const c = new std::condition_variable;
  std::thread waiter([=] {
    std::unique_lock lock(m);
    while (!ready) c->wait(lock);
    delete c;
  });
  {
    const std::lock_guard lock(m);
    ready = true;
    c->notify_all();
  }
  waiter.join();
}

// ---- futexes

long wait_while(const std::atomic<int>& word, int expected, const timespec* limit = nullptr) {
  return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, limit, nullptr, 0);
}
long wake(const std::atomic<int>& word, int most) {
  return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, most, nullptr, nullptr, 0);
}

template <bool StoreFirst>
void one_is_woken() {
  std::atomic<int> word{0};
  together(
      [&] {
        while (word.load(relaxed) == 0) wait_while(word, 0);
      },
      [&] {
        if (StoreFirst) word.store(1, relaxed);
        wake(word, 1);
        if (!StoreFirst) word.store(1, relaxed);
      });
}
MODEL(futex, compares_and_sleeps_as_one_step) { one_is_woken<true>(); }
MODEL_FAILS(futex, is_woken_before_the_word_changed, "deadlock") { one_is_woken<false>(); }

// The kernel orders who waits and who wakes, not what they did before.
MODEL_FAILS(futex, publishes_nothing, "data race") {
  std::atomic<int> word{0};
  int data = 0;
  together(
      [&] {
        wait_while(word, 0);
        if (word.load(relaxed) == 1) ++data;
      },
      [&] {
        ++data;
        word.store(1, relaxed);
        wake(word, INT_MAX);
      });
}

TEST(futex, wakes_as_many_as_it_is_told) {
  const auto two_wait = [](int most) {
    return [most] {
      std::atomic<int> word{0};
      const auto waiter = [&] {
        while (word.load(relaxed) == 0) wait_while(word, 0);
      };
      together(waiter, waiter, [&] {
        word.store(1, relaxed);
        wake(word, most);
      });
    };
  };
  const auto all = acqrel::model::check(two_wait(INT_MAX));
  EXPECT_TRUE(all.passed()) << all.report();
  fails("deadlock", two_wait(1));
}

MODEL(futex, ends_a_wait_with_a_time_limit) {
  const std::atomic<int> word{0};
  const timespec limit{0, 1'000'000};
  const auto start = std::chrono::steady_clock::now();
  expect(wait_while(word, 0, &limit) == -1 && errno == ETIMEDOUT);
  expect(std::chrono::steady_clock::now() - start == 1ms);
  expect(wait_while(word, 1) == -1 && errno == EAGAIN);
}

struct one_of_several {
  std::uint64_t expected, address;
  std::uint32_t flags, reserved;
};
template <bool WakeBoth>
void either_wakes() {
  std::atomic<int> first{0}, second{0};
  together(
      [&] {
        const one_of_several words[2] = {{0, reinterpret_cast<std::uintptr_t>(&first), 0x82, 0},
                                         {0, reinterpret_cast<std::uintptr_t>(&second), 0x82, 0}};
        while (second.load(relaxed) == 0) syscall(449, words, 2, 0, nullptr, CLOCK_MONOTONIC);
      },
      [&] {
        second.store(1, relaxed);
        wake(WakeBoth ? second : first, 1);
      });
}
MODEL(futex, waits_for_any_of_two_words) { either_wakes<true>(); }

TEST(futex, refuses_what_it_has_no_model_of) {
  const auto requeue = [] {
    std::atomic<int> word{0};
    syscall(SYS_futex, &word, FUTEX_REQUEUE_PRIVATE, 1, 1, &word, 0);
  };
  fails("not modelled", requeue);
  fails("not modelled", [] { syscall(SYS_getrandom, nullptr, 0, 0); });
}

// A waiter of libstdc++ 12 reads 16 times before it sleeps. The one execution in which it reads old values again after it
// was woken ends, or is recognised as a turn of a loop that waits: that depends on what the compiler left in registers.
TEST(futex, is_what_atomic_wait_sleeps_in) {
  const auto result = acqrel::model::check([] {
    std::atomic<int> word{0};
    std::thread waiter([&] { word.wait(0); });
    word.store(1);
    word.notify_one();
    waiter.join();
  });
  EXPECT_TRUE(result.passed()) << result.report();
  EXPECT_EQ(result.executions + result.blocked, 53u + 4u);
}

// Its counter shares eight bytes of the stack with a variable of the loop.
MODEL(futex, is_not_needed_to_poll_a_semaphore) {
  std::counting_semaphore<4> units{0};
  std::thread t([&] { units.release(); });
  while (!units.try_acquire()) std::this_thread::yield();
  t.join();
}

// ---- membarrier: the dear side of an asymmetric fence

template <bool Heavy>
void store_buffering_by_asymmetric_fences() {
  std::atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  together(
      [&] {
        x.store(1, relaxed);
        std::atomic_signal_fence(seq_cst);
        a = y.load(relaxed);
      },
      [&] {
        y.store(1, relaxed);
        if (Heavy)
          expect(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
        else
          std::atomic_signal_fence(seq_cst);
        b = x.load(relaxed);
      });
  expect(a == 1 || b == 1);
}
TEST(membarrier, is_a_fence_for_those_that_only_have_a_light_one) {
  explores({3}, store_buffering_by_asymmetric_fences<true>);
  fails("assertion", store_buffering_by_asymmetric_fences<false>);
}

TEST(membarrier, is_missing_if_asked) {
  explores({1}, [] { expect(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0); });
  explores({1}, [] { expect(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) == -1 && errno == ENOSYS); },
           {.membarrier = false});
}

// ---- waits that keep a cpu busy

template <class Look>
void waits_by_looking(Look look_away) {
  std::atomic<int> told{0};
  std::thread other([&] { told.store(1, std::memory_order_release); });
  while (told.load(std::memory_order_acquire) == 0) look_away();
  other.join();
}
MODEL_FAILS(spinning, is_refused_where_the_test_says_so, "spinning", .spinning_fails = true) {
  waits_by_looking([] {});
}
MODEL(spinning, is_let_pass_where_it_does_not) {
  waits_by_looking([] {});
}
MODEL(spinning, is_not_what_yields, .spinning_fails = true) {
  waits_by_looking([] { std::this_thread::yield(); });
}
MODEL(spinning, is_not_what_sleeps, .spinning_fails = true) {
  std::mutex mutex;
  std::condition_variable news;
  bool told = false;
  std::thread other([&] {
    {
      const std::lock_guard lock(mutex);
      told = true;
    }
    news.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!told) news.wait(lock);
  lock.unlock();
  other.join();
}

// ---- barriers of POSIX

template <bool Wait>
void two_meet() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  int data[2] = {}, seen[2] = {};
  in_threads<2>([&](unsigned me) {
    data[me] = 1;
    if (Wait) pthread_barrier_wait(&barrier);
    seen[me] = data[1 - me];
  });
  pthread_barrier_destroy(&barrier);
  expect(seen[0] == 1 && seen[1] == 1);
}
TEST(barrier, is_passed_when_all_have_come) {
  explores({2, 2}, two_meet<true>);
  fails("data race", two_meet<false>);
}
MODEL_FAILS(barrier, waits_for_one_who_does_not_come, "deadlock") {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  pthread_barrier_wait(&barrier);
}

}  // namespace
