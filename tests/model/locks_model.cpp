// Locks under the checker: how many executions a lock leaves, what each kind promises, and what becomes of wrong use. The
// counts of the mutex are those of a compare-exchange lock in the literature.
// SPDX-License-Identifier: Apache-2.0
#include "counting.hpp"

#include <pthread.h>
#include <semaphore.h>

#include <chrono>
#include <mutex>
#include <shared_mutex>

namespace {

using namespace counting;
using namespace std::chrono_literals;
using acqrel::model::expect;

std::mutex a, b;
std::shared_mutex shared;
int data = 0;

/// What a failing check says; for a reader it must name the object and who has it.
std::string message_of(const std::function<void()>& test) { return acqrel::model::check(test).message; }
bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// ---- mutexes

template <unsigned Threads, unsigned Times>
void count_under_a_mutex() {
  in_threads<Threads>([](unsigned) {
    for (unsigned i = 0; i < Times; ++i) {
      const std::lock_guard lock(a);
      ++data;
    }
  });
  expect(data == Threads * Times);
}

TEST(mutex, lets_one_in_after_the_other) {
  explores({2, 2}, count_under_a_mutex<2, 1>);
  explores({6, 15}, count_under_a_mutex<3, 1>);
  explores({6, 10}, count_under_a_mutex<2, 2>);
}
MODEL_FAILS(mutex, is_missed, "data race") {
  in_threads<2>([](unsigned) { ++data; });
}
MODEL_FAILS(mutex, is_another_one, "data race") {
  together(
      [] {
        const std::lock_guard lock(a);
        ++data;
      },
      [] {
        const std::lock_guard lock(b);
        ++data;
      });
}

TEST(mutex, is_tried_in_vain_or_not) {
  unsigned both = 0, one = 0;
  explores({4}, [&] {
    bool in[2] = {};
    in_threads<2>([&](unsigned me) {
      in[me] = a.try_lock();
      if (!in[me]) return;
      ++data;
      a.unlock();
    });
    ++(in[0] && in[1] ? both : one);
    expect(in[0] || in[1]);
  });
  EXPECT_GT(both, 0u);
  EXPECT_GT(one, 0u);
}

TEST(mutex, is_waited_for_with_a_time_limit) {
  unsigned in_vain = 0;
  explores({4}, [&] {
    static std::timed_mutex m;
    in_threads<2>([&](unsigned) {
      const auto start = std::chrono::steady_clock::now();
      if (m.try_lock_for(20ms)) {
        ++data;
        m.unlock();
      } else {
        expect(std::chrono::steady_clock::now() - start >= 20ms);
        ++in_vain;
      }
    });
  });
  EXPECT_GT(in_vain, 0u);
}

MODEL(mutex, is_locked_twice_if_it_is_recursive) {
  static std::recursive_mutex m;
  in_threads<2>([](unsigned) {
    const std::lock_guard once(m), twice(m);
    ++data;
  });
}
TEST(mutex, is_locked_twice_in_vain_if_it_is_not) {
  const auto twice = [] {
    a.lock();
    a.lock();
  };
  fails("deadlock", twice);
  EXPECT_TRUE(says(message_of(twice), "thread 0 locks the mutex global `(anonymous namespace)::a`"));
}

TEST(mutex, says_what_it_knows_of_wrong_use_if_it_is_an_errorcheck_mutex) {
  explores({1}, [] {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t m;
    pthread_mutex_init(&m, &kind);
    expect(pthread_mutex_unlock(&m) == EPERM);
    pthread_mutex_lock(&m);
    expect(pthread_mutex_lock(&m) == EDEADLK);
    expect(pthread_mutex_trylock(&m) == EBUSY);
    std::thread([&] { expect(pthread_mutex_unlock(&m) == EPERM); }).join();
    expect(pthread_mutex_unlock(&m) == 0);
    expect(pthread_mutex_destroy(&m) == 0);
  });
}

TEST(mutex, is_unlocked_by_a_stranger) {
  const auto stranger = [] {
    a.lock();
    std::thread([] { a.unlock(); }).join();
  };
  fails("misuse", stranger);
  EXPECT_TRUE(says(message_of(stranger), "held by thread 0 since "));
  fails("misuse", [] { a.unlock(); });
}

MODEL_FAILS(mutex, is_destroyed_while_it_is_locked, "misuse") {
  pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&m);
  pthread_mutex_destroy(&m);
}
MODEL(mutex, is_destroyed_by_the_last_that_unlocks_it) {
  struct counted {
    std::mutex m;
    int owners = 2;
  };
  auto* const object = new counted;
  in_threads<2>([=](unsigned) {
    object->m.lock();
    const bool last = --object->owners == 0;
    object->m.unlock();
    if (last) delete object;
  });
}
MODEL_FAILS(mutex, is_destroyed_before_its_unlock, "use after free") {
  auto* const m = new std::mutex;
  m->lock();
  delete m;
  m->unlock();
}

// The same place on the stack, another mutex.
MODEL(mutex, begins_anew_where_another_was) {
  for (int i = 0; i < 3; ++i) {
    std::mutex m;
    m.lock();
    if (i != 1) m.unlock();
  }
}

TEST(mutex, is_one_of_two_taken_in_opposite_order) {
  const auto test = [] {
    together([] { const std::lock_guard first(a), second(b); }, [] { const std::lock_guard first(b), second(a); });
  };
  fails("deadlock", test);
  const std::string text = message_of(test);
  EXPECT_TRUE(says(text, "waits to lock the mutex global `(anonymous namespace)::b`"));
  EXPECT_TRUE(says(text, "held by thread 2 since ")) << text;
}
MODEL(mutex, is_one_of_two_taken_in_the_same_order) {
  in_threads<2>([](unsigned) { const std::scoped_lock lock(a, b); });
}

// ---- a loop that polls under the lock waits, as one that loads does

template <class Lock, class Mutex>
void poll(Mutex& m, std::atomic<int>& flag) {
  for (bool done = false; !done;) {
    const Lock lock(m);
    done = flag.load(relaxed) == 1;
  }
}
template <class Lock, class Mutex, bool Set>
void poll_until_set(Mutex& m) {
  std::atomic<int> flag{0};
  std::thread poller([&] { poll<Lock>(m, flag); });
  {
    const std::unique_lock lock(m);
    if (Set) flag.store(1, relaxed);
  }
  poller.join();
}
MODEL(polling, ends_under_a_mutex) { poll_until_set<std::unique_lock<std::mutex>, std::mutex, true>(a); }
MODEL(polling, ends_under_a_shared_mutex) {
  poll_until_set<std::shared_lock<std::shared_mutex>, std::shared_mutex, true>(shared);
}
MODEL_FAILS(polling, never_ends_under_a_mutex, "livelock") {
  poll_until_set<std::unique_lock<std::mutex>, std::mutex, false>(a);
}
MODEL_FAILS(polling, never_ends_under_a_shared_mutex, "livelock") {
  poll_until_set<std::shared_lock<std::shared_mutex>, std::shared_mutex, false>(shared);
}
MODEL_FAILS(polling, never_ends_if_both_only_poll, "livelock") {
  std::atomic<int> flag{0};
  in_threads<2>([&](unsigned) { poll<std::unique_lock<std::mutex>>(a, flag); });
}

// ---- shared mutexes

TEST(shared_mutex, lets_readers_in_together_and_writers_alone) {
  explores({6}, [] {
    in_threads<2>([](unsigned) {
      const std::shared_lock lock(shared);
      expect(data == 0);
    });
  });
  explores({2, 2}, [] {
    together(
        [] {
          const std::shared_lock lock(shared);
          expect(data == 0 || data == 1);
        },
        [] {
          const std::unique_lock lock(shared);
          data = 1;
        });
  });
}
MODEL_FAILS(shared_mutex, is_written_under_by_readers, "data race") {
  in_threads<2>([](unsigned) {
    const std::shared_lock lock(shared);
    ++data;
  });
}
MODEL(shared_mutex, is_tried) {
  together(
      [] {
        if (!shared.try_lock_shared()) return;
        expect(data == 0 || data == 1);
        shared.unlock_shared();
      },
      [] {
        if (!shared.try_lock()) return;
        data = 1;
        shared.unlock();
      });
}
MODEL_FAILS(shared_mutex, is_locked_for_writing_by_its_reader, "deadlock") {
  shared.lock_shared();
  shared.lock();
}
MODEL_FAILS(shared_mutex, is_unlocked_by_nobody_who_has_it, "misuse") { shared.unlock_shared(); }

// ---- spin locks and semaphores of POSIX

pthread_spinlock_t spin;

TEST(spin_lock, is_a_mutex) {
  explores({2, 2}, [] {
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    in_threads<2>([](unsigned) {
      pthread_spin_lock(&spin);
      ++data;
      pthread_spin_unlock(&spin);
    });
    pthread_spin_destroy(&spin);
  });
}
MODEL_FAILS(spin_lock, is_missed_by_one, "data race") {
  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  together(
      [] {
        pthread_spin_lock(&spin);
        ++data;
        pthread_spin_unlock(&spin);
      },
      [] { ++data; });
}

template <unsigned Units>
void two_take_a_unit() {
  sem_t units;
  sem_init(&units, 0, Units);
  in_threads<2>([&](unsigned) {
    sem_wait(&units);
    ++data;
    sem_post(&units);
  });
  int left = 0;
  sem_getvalue(&units, &left);
  expect(left == Units);
  sem_destroy(&units);
}
TEST(semaphore, of_one_unit_is_a_lock) { explores({2, 2}, two_take_a_unit<1>); }
TEST(semaphore, of_two_units_is_none) { fails("data race", two_take_a_unit<2>); }
TEST(semaphore, of_no_unit_is_waited_for_in_vain) { fails("deadlock", two_take_a_unit<0>); }
MODEL(semaphore, publishes_what_came_before_the_post) {
  sem_t units;
  sem_init(&units, 0, 0);
  together(
      [&] {
        data = 1;
        sem_post(&units);
      },
      [&] {
        while (sem_trywait(&units) != 0) expect(errno == EAGAIN);
        expect(data == 1);
      });
}

}  // namespace
