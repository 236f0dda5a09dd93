// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using acqrel::fair_mutex;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int fewer_when_sanitized = 10;
#else
constexpr int fewer_when_sanitized = 1;
#endif

static_assert(sizeof(fair_mutex) <= 8 && std::is_nothrow_default_constructible_v<fair_mutex>);
static_assert(!std::is_copy_constructible_v<fair_mutex> && !std::is_move_constructible_v<fair_mutex>);
static_assert(noexcept(std::declval<fair_mutex&>().lock()) && noexcept(
    std::declval<fair_mutex&>().try_lock_for(std::declval<std::chrono::seconds>())));
constinit fair_mutex made_before_main;

/// Waiters are served in order at once, or never, or as the library has it.
class hand_over {
 public:
  explicit hand_over(std::chrono::nanoseconds after) { fair_mutex::hand_over_after(after); }
  ~hand_over() { fair_mutex::hand_over_after(1ms); }
};
constexpr auto at_once = 0ns, never = std::chrono::nanoseconds::max();

// The pointer to the first waiter, above the four flags.
void wait_until_somebody_waits(const fair_mutex& mutex) {
  static_assert(std::is_standard_layout_v<fair_mutex>);
  const auto& word = reinterpret_cast<const std::atomic<std::uintptr_t>&>(mutex);
  while (word.load(std::memory_order_relaxed) <= 15) std::this_thread::yield();
}

// ---- semantics ----

TEST(fair_mutex, is_held_by_one) {
  fair_mutex mutex;
  mutex.lock();
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
  const acqrel::fair_lock lock(made_before_main);
  EXPECT_FALSE(made_before_main.try_lock());
}

TEST(fair_mutex, is_had_in_every_form_when_it_is_free) {
  fair_mutex mutex;
  std::stop_source stopped;
  stopped.request_stop();
  const auto stop = stopped.get_token();
  const auto past = steady_clock::now() - 1h;
  for (const bool had :
       {mutex.try_lock(), (mutex.unlock(), mutex.lock(stop)), (mutex.unlock(), mutex.try_lock_for(-1s)),
        (mutex.unlock(), mutex.try_lock_for(0s, stop)), (mutex.unlock(), mutex.try_lock_until(past)),
        (mutex.unlock(), mutex.try_lock_until(past, stop))}) {
    EXPECT_TRUE(had) << "what is free is had, whatever the time and the stop";
  }
  mutex.unlock();
}

TEST(fair_mutex, is_given_up_in_every_form_but_lock_when_it_is_held) {
  fair_mutex mutex;
  const acqrel::fair_lock lock(mutex);
  std::stop_source stop;
  std::thread([&] {
    const auto soon = steady_clock::now() + 5ms;
    EXPECT_FALSE(mutex.try_lock_until(soon));
    EXPECT_GE(steady_clock::now(), soon) << "a wait never ends early";
    EXPECT_FALSE(mutex.try_lock_for(1ms));
    EXPECT_FALSE(mutex.try_lock_for(-1h));
    EXPECT_FALSE(mutex.try_lock_until(acqrel::steady_deadline::min()));
    EXPECT_FALSE(mutex.try_lock_for(1ms, stop.get_token()));
    stop.request_stop();
    EXPECT_FALSE(mutex.lock(stop.get_token()));
    EXPECT_FALSE(mutex.try_lock_for(long_enough, stop.get_token()));
    EXPECT_FALSE(mutex.try_lock_until(acqrel::steady_deadline::max(), stop.get_token()));
  }).join();
}

TEST(fair_mutex, ends_a_wait_that_is_asked_to_stop) {
  fair_mutex mutex;
  mutex.lock();
  std::jthread waiter([&](const std::stop_token& stop) { EXPECT_FALSE(mutex.lock(stop)); });
  wait_until_somebody_waits(mutex);
  waiter.request_stop();
  waiter.join();
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(fair_mutex, takes_the_longest_times_there_are) {
  fair_mutex mutex;
  mutex.lock();
  std::thread waiter([&] {
    EXPECT_TRUE(mutex.try_lock_for(std::chrono::hours::max()));
    mutex.unlock();
    EXPECT_TRUE((mutex.try_lock_until(std::chrono::time_point<steady_clock, std::chrono::hours>::max())));
    mutex.unlock();
  });
  wait_until_somebody_waits(mutex);
  mutex.unlock();
  waiter.join();
}

TEST(fair_mutex, serves_first_who_came_first) {
  const hand_over mode(at_once);
  fair_mutex mutex;
  std::vector<int> served;
  mutex.lock();
  std::vector<std::thread> waiters;
  for (int n = 0; n != 4; ++n) {
    waiters.emplace_back([&, n] {
      mutex.lock();
      served.push_back(n);
      mutex.unlock();
    });
    if (n == 0) wait_until_somebody_waits(mutex);
  }
  mutex.unlock();
  mutex.lock();  // the holder comes back at once, but not before the first
  ASSERT_FALSE(served.empty());
  EXPECT_EQ(served.front(), 0);
  mutex.unlock();
  for (auto& waiter : waiters) waiter.join();
}

// Whether a thread that comes back at once gets in before one that waits.
bool hog_is_first(std::chrono::nanoseconds hand_over_after) {
  const hand_over mode(hand_over_after);
  fair_mutex mutex;
  bool served = false;
  mutex.lock();
  std::thread waiter([&] {
    mutex.lock();
    served = true;
    mutex.unlock();
  });
  wait_until_somebody_waits(mutex);
  mutex.unlock();
  mutex.lock();
  const bool first = !served;
  mutex.unlock();
  waiter.join();
  return first;
}

TEST(fair_mutex, lets_a_hog_in_no_more_once_it_hands_over) {
  for (int round = 0; round != 500 / fewer_when_sanitized; ++round) ASSERT_FALSE(hog_is_first(at_once)) << round;
}

TEST(fair_mutex, lets_a_hog_in_as_long_as_it_does_not) {
  int round = 0;
  while (round != 100'000 && !hog_is_first(never)) ++round;
  EXPECT_LT(round, 100'000) << "not once in so many rounds, so the test above would not notice either";
}

TEST(fair_mutex, works_with_the_locks_and_conditions_of_the_standard_library) {
  fair_mutex mutex, other;
  std::condition_variable_any changed;
  bool ready = false;
  std::thread maker([&] {
    const std::scoped_lock both(other, mutex);
    ready = true;
    changed.notify_one();
  });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, long_enough, [&] { return ready; }));
  }
  maker.join();
  const std::scoped_lock both(mutex, other);
  EXPECT_FALSE((std::unique_lock(other, 1ms).owns_lock()));
}

// ---- stress ----

// Waits of all kinds at once, at a mutex that hands over always, sometimes or never. Each count was made under the lock,
// so it must agree with what the threads counted for themselves.
TEST(fair_mutex_stress, counts_what_everybody_counts) {
  for (const auto after : {at_once, std::chrono::nanoseconds(20us), std::chrono::nanoseconds(1ms), never}) {
    const hand_over mode(after);
    fair_mutex mutex;
    long together = 0;
    std::atomic<long> alone{0};
    std::vector<std::thread> threads;
    for (int kind = 0; kind != 5; ++kind) {
      threads.emplace_back([&, kind] {
        long mine = 0;
        for (int n = 0; n != 40'000 / fewer_when_sanitized; ++n) {
          std::stop_source stop;
          bool had = true;
          switch (kind) {
            case 0: had = mutex.try_lock(); break;
            case 1: had = mutex.try_lock_for(std::chrono::microseconds(n % 50)); break;
            case 2: had = mutex.try_lock_for(std::chrono::microseconds(n % 20), stop.get_token()); break;
            default: mutex.lock();
          }
          if (!had) continue;
          ++together;
          ++mine;
          if (n % 64 == 0) std::this_thread::yield();  // while holding it
          mutex.unlock();
        }
        alone.fetch_add(mine, std::memory_order_relaxed);
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(together, alone.load(std::memory_order_relaxed));
    EXPECT_TRUE(mutex.try_lock()) << "nothing was left behind";
    mutex.unlock();
  }
}

// The last to hold it destroys it at once; the sanitizers watch.
TEST(fair_mutex_stress, may_be_destroyed_by_its_last_holder) {
  for (int round = 0; round != 5000 / fewer_when_sanitized; ++round) {
    auto* const mutex = new fair_mutex;
    mutex->lock();
    std::thread last([mutex] {
      mutex->lock();
      mutex->unlock();
      delete mutex;
    });
    if (round % 2 == 0) wait_until_somebody_waits(*mutex);
    mutex->unlock();
    last.join();
  }
}

// A hog holds the lock 100 us and takes it again at once. A waiter wants it ten times, each time while the hog has it.
// std::mutex is measured beside it for half a second, and may starve it.
template <class Mutex>
std::pair<int, steady_clock::duration> beside_a_hog(steady_clock::duration at_most) {
  Mutex mutex;
  std::atomic<bool> over{false};
  std::atomic<int> turns{0};
  std::thread hog([&] {
    while (!over.load(std::memory_order_relaxed)) {
      const std::lock_guard lock(mutex);
      turns.fetch_add(1, std::memory_order_relaxed);
      for (const auto until = steady_clock::now() + 100us; steady_clock::now() < until;) acqrel::pause_cpu();
    }
  });
  while (turns.load(std::memory_order_relaxed) == 0) std::this_thread::yield();
  const auto begin = steady_clock::now();
  std::atomic<int> had{0};
  std::thread waiter([&] {
    while (!over.load(std::memory_order_relaxed) && had.load(std::memory_order_relaxed) != 10) {
      const int before = turns.load(std::memory_order_relaxed);
      {
        const std::lock_guard lock(mutex);
        had.fetch_add(1, std::memory_order_relaxed);
      }
      while (turns.load(std::memory_order_relaxed) == before && !over.load(std::memory_order_relaxed)) {
        std::this_thread::yield();
      }
    }
  });
  while (had.load(std::memory_order_relaxed) != 10 && steady_clock::now() - begin < at_most) {
    std::this_thread::sleep_for(1ms);
  }
  const int result = had.load(std::memory_order_relaxed);
  const auto took = steady_clock::now() - begin;
  over.store(true, std::memory_order_relaxed);
  hog.join();
  waiter.join();
  return {result, took};
}

TEST(fair_mutex_stress, serves_a_waiter_beside_a_hog) {
  const auto report = [](const char* what, const auto& result) {
    std::printf("%-11s beside a hog: %2d of 10 in %lld us\n", what, result.first,
                static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(result.second).count()));
  };
  report("std::mutex", beside_a_hog<std::mutex>(500ms));
  const auto fair = beside_a_hog<fair_mutex>(long_enough);
  report("fair_mutex", fair);
  EXPECT_EQ(fair.first, 10);
}

}  // namespace
