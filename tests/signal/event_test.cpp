// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>

#include "../checked_value.hpp"
#include "asleep.hpp"

#include <signal.h>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::event;
using std::chrono::steady_clock;

// ---- semantics ----

TEST(event, is_four_bytes_constant_initialised_and_stays_where_it_is) {
  static constinit event here;
  EXPECT_FALSE(here.is_set());
  static_assert(sizeof(event) == 4);
  static_assert(!std::is_copy_constructible_v<event> && !std::is_move_constructible_v<event>);
  static_assert(!std::is_copy_assignable_v<event> && !std::is_move_assignable_v<event>);
  static_assert(noexcept(here.notify())&& noexcept(here.is_set()));
}

TEST(event, happens_once) {  // S3
  event ready;
  EXPECT_FALSE(ready.is_set());
  EXPECT_TRUE(ready.notify());
  EXPECT_TRUE(ready.is_set());
  EXPECT_FALSE(ready.notify());
  EXPECT_FALSE(ready.notify());
  EXPECT_TRUE(ready.is_set());
}

TEST(event, ends_every_form_of_wait_at_once_from_then_on) {  // S2
  event ready;
  ready.notify();
  const std::stop_source stop;
  ready.wait();
  EXPECT_TRUE(ready.wait(stop.get_token()));
  EXPECT_TRUE(ready.wait_for(-1s));
  EXPECT_TRUE(ready.wait_for(0s, stop.get_token()));
  EXPECT_TRUE(ready.wait_until(steady_clock::time_point::min()));
  EXPECT_TRUE(ready.wait_until(steady_clock::now(), stop.get_token()));
  ready.wait();
}

TEST(event, gives_up_in_time_and_never_early) {  // S6
  const event ready;
  const auto before = steady_clock::now();
  EXPECT_FALSE(ready.wait_for(3ms));
  EXPECT_GE(steady_clock::now() - before, 3ms);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(ready.wait(stop.get_token()));
}

TEST(event, wakes_a_timed_wait_of_any_length) {  // S6
  event ready;
  sleeper waiter([&] { EXPECT_TRUE(ready.wait_for(std::chrono::hours::max())); });
  waiter.until_asleep();
  ready.notify();
}

TEST(event, shows_what_was_written_before) {  // S1
  event ready;
  int data = 0;
  sleeper waiter([&] {
    ready.wait();
    EXPECT_EQ(data, 5);
  });
  waiter.until_asleep();
  data = 5;
  ready.notify();
}

TEST(event, wakes_all_who_sleep) {  // S5
  event ready;
  {
    const auto wait = [&] { EXPECT_TRUE(woken(ready)); };
    std::array<sleeper, 5> waiters{sleeper(wait), sleeper(wait), sleeper(wait), sleeper(wait), sleeper(wait)};
    for (auto& waiter : waiters) waiter.until_asleep();
    EXPECT_TRUE(ready.notify());
  }
}

event* from_handler = nullptr;
std::atomic<int> handled{0};
void notify_from_handler(int) {
  const int kept = std::exchange(errno, 7);
  from_handler->notify();
  if (errno == 7) handled.fetch_add(1);
  errno = kept;
}

// On the very thread that waits: the handler interrupts its sleep, and errno stays as it was.
TEST(event, is_notified_from_a_signal_handler) {
  event ready;
  from_handler = &ready;
  handled = 0;
  struct sigaction action = {}, before = {};
  action.sa_handler = notify_from_handler;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  {
    sleeper waiter([&] {
      EXPECT_TRUE(woken(ready));
      EXPECT_EQ(handled, 1);
    });
    waiter.until_asleep();
    ASSERT_EQ(pthread_kill(waiter.handle(), SIGUSR1), 0);
  }
  EXPECT_TRUE(ready.is_set());
  sigaction(SIGUSR1, &before, nullptr);
}

// ---- stress ----

// In each round another thread writes and notifies; all wait, see what it wrote, and are told that they come second.
TEST(event_stress, all_see_what_one_wrote) {  // S1 S3 S5
  constexpr std::size_t threads = 4;
  const std::size_t rounds = 20'000 / fewer_when_sanitized;
  struct round {
    event ready;
    std::size_t data = 0;
  };
  std::vector<round> each(rounds);
  std::vector<std::thread> crew;
  for (std::size_t me = 0; me != threads; ++me) {
    crew.emplace_back([&, me] {
      for (std::size_t n = 0; n != rounds; ++n) {
        if (n % threads == me) {
          each[n].data = n;
          ASSERT_TRUE(each[n].ready.notify());
        }
        ASSERT_TRUE(woken(each[n].ready));
        ASSERT_EQ(each[n].data, n);
        ASSERT_FALSE(each[n].ready.notify());
      }
    });
  }
  for (auto& thread : crew) thread.join();
}

// Two that meet before each round, so that their calls overlap.
TEST(event_stress, one_of_two_that_notify_at_once_is_first) {  // S4
  const std::size_t rounds = 100'000 / fewer_when_sanitized;
  std::vector<event> each(rounds);
  std::atomic<std::size_t> arrived{0};
  std::array<std::size_t, 2> firsts{};
  const auto run = [&](std::size_t me) {
    for (std::size_t n = 0; n != rounds; ++n) {
      arrived.fetch_add(1);
      for (int spins = 0; arrived.load() < 2 * (n + 1); ++spins) {
        if (spins > 1000) std::this_thread::yield();
      }
      if (each[n].notify()) ++firsts[me];
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
  EXPECT_EQ(firsts[0] + firsts[1], rounds);
}

}  // namespace
