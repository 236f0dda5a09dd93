// SPDX-License-Identifier: Apache-2.0
// Run once for each way to park: CMakeLists.txt in this folder sets ACQREL_PARK.
#include <acqrel/base/park.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <csignal>
#include <pthread.h>
#include <sys/mman.h>
#endif

namespace {

using namespace std::chrono_literals;
using acqrel::deadline_after;
using acqrel::park_word;
using acqrel::steady_deadline;
using std::chrono::steady_clock;

constexpr auto patience = 30s;   // no test waits this long unless it fails
constexpr auto a_moment = 50ms;  // how long we watch that nothing happens

// ---- semantics ----

TEST(park, uses_the_mode_that_was_asked_for) {
  const char* const asked = std::getenv("ACQREL_PARK");
  if (asked == nullptr) return;
  const std::string names[] = {"futex_waitv", "futex", "table"};
  EXPECT_EQ(names[static_cast<int>(acqrel::park_mode_in_use())], asked);
}

TEST(park, returns_at_once_when_the_word_differs) {
  const park_word word{1};
  std::stop_source stop;
  acqrel::park(word, 0);
  EXPECT_TRUE(acqrel::park_until(word, 0, deadline_after(patience)));
  EXPECT_TRUE(acqrel::park_until(word, 0, steady_deadline::min())) << "a change wins over a deadline that has passed";
  EXPECT_TRUE(acqrel::park(word, 0, stop.get_token()));
  stop.request_stop();
  EXPECT_TRUE(acqrel::park(word, 0, stop.get_token())) << "a change wins over a stop";
}

TEST(park, sleeps_until_the_word_changes) {
  park_word word{0};
  std::thread waiter([&] { acqrel::park(word, 0); });
  word.store(1, std::memory_order_release);
  acqrel::unpark_one(word);
  waiter.join();
}

TEST(park, goes_on_sleeping_through_an_unpark_without_a_change) {
  park_word word{0};
  std::atomic<bool> done{false};
  std::thread noise([&] {
    while (!done.load(std::memory_order_relaxed)) acqrel::unpark_all(word);
  });
  const auto deadline = deadline_after(a_moment);
  EXPECT_FALSE(acqrel::park_until(word, 0, deadline));
  EXPECT_GE(steady_clock::now(), deadline);
  done.store(true, std::memory_order_relaxed);
  noise.join();
}

TEST(park, wakes_every_waiter_with_unpark_all) {
  park_word word{0};
  std::vector<std::thread> waiters;
  for (int i = 0; i != 8; ++i) waiters.emplace_back([&] { acqrel::park(word, 0); });
  std::this_thread::sleep_for(1ms);  // most are asleep by now; none needs to be
  word.store(1, std::memory_order_release);
  acqrel::unpark_all(word);
  for (auto& waiter : waiters) waiter.join();
}

TEST(park, never_ends_before_its_deadline) {
  const park_word word{0};
  for (const auto wait : {0us, 1us, 200us, 5000us}) {
    const auto deadline = deadline_after(wait);
    EXPECT_FALSE(acqrel::park_until(word, 0, deadline));
    EXPECT_GE(steady_clock::now(), deadline);
  }
}

TEST(park, takes_extreme_deadlines) {
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), steady_deadline::max());
  EXPECT_EQ(deadline_after(steady_clock::duration::max()), steady_deadline::max());
  EXPECT_EQ(deadline_after(std::chrono::duration<double>(std::numeric_limits<double>::infinity())),
            steady_deadline::max());
  const auto long_ago = deadline_after(std::chrono::hours::min());
  const auto no_number = deadline_after(std::chrono::duration<float>(std::numeric_limits<float>::quiet_NaN()));
  EXPECT_LE(std::max(long_ago, no_number), steady_clock::now());
  using far = std::chrono::time_point<steady_clock, std::chrono::duration<std::int64_t, std::ratio<31556952>>>;
  EXPECT_EQ(acqrel::to_deadline(far::max()), steady_deadline::max());
  EXPECT_EQ(acqrel::to_deadline(far::min()), steady_deadline::min());
  EXPECT_EQ(acqrel::steady_duration(std::chrono::duration<double, std::nano>(1.25)).count(), 2) << "rounds up";

  park_word word{0};
  EXPECT_FALSE(acqrel::park_until(word, 0, steady_deadline::min()));
  EXPECT_FALSE(acqrel::park_until(word, 0, steady_deadline{}));
  std::thread waiters[] = {
      std::thread([&] { EXPECT_TRUE(acqrel::park_until(word, 0, steady_deadline::max())); }),
      std::thread([&] { EXPECT_TRUE(acqrel::park_until(word, 0, steady_deadline::max() - 1ns)); }),
  };
  std::this_thread::sleep_for(1ms);
  word.store(1, std::memory_order_release);
  acqrel::unpark_all(word);
  for (auto& waiter : waiters) waiter.join();
}

TEST(park, is_woken_by_a_stop) {
  const park_word word{0};
  std::stop_source stop;
  std::thread waiter([&] { EXPECT_FALSE(acqrel::park(word, 0, stop.get_token())); });
  std::this_thread::sleep_for(1ms);
  stop.request_stop();
  waiter.join();
  EXPECT_FALSE(acqrel::park(word, 0, stop.get_token())) << "returns at once when stop came before";
}

TEST(park, watches_deadline_and_stop_together) {
  const park_word word{0};
  std::stop_source stop;
  const auto deadline = deadline_after(5ms);
  EXPECT_FALSE(acqrel::park_until(word, 0, deadline, stop.get_token()));
  EXPECT_GE(steady_clock::now(), deadline);
  std::thread waiter([&] { EXPECT_FALSE(acqrel::park_until(word, 0, steady_deadline::max(), stop.get_token())); });
  stop.request_stop();
  waiter.join();
  EXPECT_FALSE(acqrel::park_until(word, 0, steady_deadline::max(), stop.get_token()));
}

TEST(park, of_any_is_woken_by_each_of_its_words_and_by_its_deadline) {
  for (std::size_t changed = 0; changed != 3; ++changed) {
    park_word words[3] = {};
    const acqrel::park_case cases[] = {{&words[0], 0}, {&words[1], 0}, {&words[2], 0}};
    const auto deadline = deadline_after(3ms);
    EXPECT_FALSE(acqrel::park_any(cases, 3, deadline));
    EXPECT_GE(steady_clock::now(), deadline);
    EXPECT_FALSE(acqrel::park_any(cases, 3, steady_deadline::min()));
    std::thread waiter([&] { EXPECT_TRUE(acqrel::park_any(cases, 3, steady_deadline::max())); });
    std::this_thread::sleep_for(1ms);
    words[changed].store(1, std::memory_order_relaxed);
    acqrel::unpark_all(words[changed]);
    waiter.join();
    EXPECT_TRUE(acqrel::park_any(cases, 3, steady_deadline::min())) << "a change wins over a deadline that has passed";
  }
}

TEST(park, takes_a_token_that_can_never_stop) {
  park_word word{0};
  std::thread waiter([&] { EXPECT_TRUE(acqrel::park(word, 0, std::stop_token())); });
  word.store(1, std::memory_order_release);
  acqrel::unpark_all(word);
  waiter.join();
}

#if defined(__linux__)
TEST(park, sleeps_through_signals) {
  struct sigaction quiet = {}, before = {};
  quiet.sa_handler = [](int) {};
  sigaction(SIGUSR1, &quiet, &before);
  const park_word word{0};
  std::stop_source stop;
  std::atomic<bool> back{false};
  std::thread waiter([&] {
    const auto deadline = deadline_after(a_moment);
    EXPECT_FALSE(acqrel::park_until(word, 0, deadline));
    EXPECT_GE(steady_clock::now(), deadline);
    EXPECT_FALSE(acqrel::park_until(word, 0, deadline_after(5ms), stop.get_token()));
    back.store(true, std::memory_order_release);
  });
  while (!back.load(std::memory_order_acquire)) {
    pthread_kill(waiter.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(200us);
  }
  waiter.join();
  sigaction(SIGUSR1, &before, nullptr);
}

// The notifier's side of "a waitable may be destroyed by its waiter as soon as wait returns": the page is gone, every
// touch of it would be a fault.
class vanished_page {
 public:
  vanished_page() {
    page_ = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    word_ = new (page_) park_word(1);
    mprotect(page_, 4096, PROT_NONE);
  }
  ~vanished_page() { munmap(page_, 4096); }
  park_word& word() const { return *word_; }

 private:
  void* page_;
  park_word* word_;
};

TEST(park, unpark_touches_nothing_behind_the_address) {
  const vanished_page gone;
  acqrel::unpark_one(gone.word());
  acqrel::unpark_all(gone.word());
}

// The twin that looks at the word to save the system call, as many notifiers do.
void unpark_only_if_set(const park_word& word) {
  if (word.load(std::memory_order_acquire) != 0) acqrel::unpark_all(word);
}

TEST(park_twin, an_unpark_that_looks_at_the_word_first_faults) {
  const vanished_page gone;
  EXPECT_DEATH(unpark_only_if_set(gone.word()), "");
}
#endif

// ---- twins: what the kernel's comparison and the word for stops are for ----

// Sleeps without comparing: the change that comes between the caller's look and the sleep is lost.
bool park_without_a_second_look(const park_word& word, std::uint32_t expected, steady_deadline deadline) {
  const park_word dormant{0};
  if (word.load(std::memory_order_relaxed) != expected) return true;
  const_cast<park_word&>(word).store(expected + 1, std::memory_order_release);  // the notifier, at the worst instant
  acqrel::unpark_all(word);
  return acqrel::park_until(dormant, 0, deadline);
}

TEST(park_twin, without_a_second_look_a_wake_up_is_lost) {
  const park_word word{0};
  EXPECT_FALSE(park_without_a_second_look(word, 0, deadline_after(a_moment)));
  const park_word ours{1};
  EXPECT_TRUE(acqrel::park_until(ours, 0, steady_deadline::max())) << "the real one at the same instant";
}

// Wakes its own waiter from the stop's callback, but on the user's word, which does not change.
bool park_with_stop_on_the_users_word(const park_word& word, std::stop_source& stop, steady_deadline deadline) {
  const std::stop_callback wake(stop.get_token(), [&] { acqrel::unpark_all(word); });
  if (stop.stop_requested()) return true;
  stop.request_stop();  // another thread, at the worst instant
  return acqrel::park_until(word, 0, deadline);
}

TEST(park_twin, a_stop_that_only_wakes_the_users_word_is_lost) {
  const park_word word{0};
  std::stop_source stop;
  const auto deadline = deadline_after(a_moment);
  EXPECT_FALSE(park_with_stop_on_the_users_word(word, stop, deadline));
  EXPECT_GE(steady_clock::now(), deadline) << "slept through the stop";
}

// ---- stress ----

// Two threads hand a counter to and fro, each parked while it is not its turn. Oracle: both reach the end; a lost
// wake-up would leave one asleep, and its deadline would say so.
TEST(park_stress, two_threads_hand_over_without_losing_a_wake_up) {
  constexpr std::uint32_t rounds = 4000;
  constexpr std::uint32_t start = std::numeric_limits<std::uint32_t>::max() - rounds / 2;  // wraps around half way
  park_word turn{start};
  const auto player = [&](std::uint32_t parity) {
    for (std::uint32_t done = parity; done < rounds; done += 2) {
      std::uint32_t seen = turn.load(std::memory_order_acquire);
      while (seen - start != done) {
        ASSERT_TRUE(acqrel::park_until(turn, seen, deadline_after(patience))) << "lost at " << done;
        seen = turn.load(std::memory_order_acquire);
      }
      turn.store(seen + 1, std::memory_order_release);
      acqrel::unpark_one(turn);
    }
  };
  std::thread other(player, 1U);
  player(0U);
  other.join();
  EXPECT_EQ(turn.load(std::memory_order_relaxed) - start, rounds);
}

// Stops come at every moment of a wait. Oracle: each wait returns false well before the deadline.
TEST(park_stress, no_stop_is_lost) {
  constexpr std::uint32_t rounds = 1000;
  const park_word word{0};
  std::vector<std::stop_source> stops(rounds);
  std::atomic<std::uint32_t> entered{0};
  std::thread stopper([&] {
    for (std::uint32_t round = 0; round != rounds; ++round) {
      while (entered.load(std::memory_order_acquire) <= round) std::this_thread::yield();
      for (std::uint32_t delay = round * 37 % 1500; delay != 0; --delay)
        static_cast<void>(entered.load(std::memory_order_relaxed));
      stops[round].request_stop();
    }
  });
  for (std::uint32_t round = 0; round != rounds; ++round) {
    const auto deadline = deadline_after(patience);
    const auto token = stops[round].get_token();
    entered.store(round + 1, std::memory_order_release);
    ASSERT_FALSE(acqrel::park_until(word, 0, deadline, token));
    ASSERT_LT(steady_clock::now(), deadline) << "stop " << round << " was lost";
  }
  stopper.join();
}

// The waiter frees the word as soon as it sees the change, while the notifier is still on its way into unpark.
// Oracle: ASan and TSan, which would report a touch of the freed word.
TEST(park_stress, a_word_dies_as_soon_as_its_waiter_saw_the_change) {
  constexpr int rounds = 1000;
  std::atomic<park_word*> offered{nullptr};
  std::thread notifier([&] {
    for (int round = 0; round != rounds; ++round) {
      park_word* word = nullptr;
      while ((word = offered.exchange(nullptr, std::memory_order_acquire)) == nullptr) std::this_thread::yield();
      word->store(1, std::memory_order_release);
      acqrel::unpark_all(*word);
    }
  });
  for (int round = 0; round != rounds; ++round) {
    auto* const word = new park_word(0);
    offered.store(word, std::memory_order_release);
    while (word->load(std::memory_order_acquire) == 0) acqrel::park(*word, 0);
    delete word;
  }
  notifier.join();
}

}  // namespace
