// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable_word.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::deadline_after;
using acqrel::patience;
using acqrel::waitable_word;

constexpr std::uint64_t largest = (std::uint64_t{1} << 63) - 1;
constexpr auto one_more = [](std::uint64_t n) { return n + 1; };
constexpr auto reached(std::uint64_t wanted) {
  return [wanted](std::uint64_t n) { return n >= wanted; };
}

// Whether the wait ends, and before its time is up: one whose wake-up was lost succeeds too, but then.
template <class Done>
bool woken(const waitable_word& word, Done done) {
  const auto deadline = deadline_after(30s);
  return word.await(patience(deadline), done) && std::chrono::steady_clock::now() < deadline;
}

// ---- semantics ----

TEST(waitable_word, keeps_63_bits) {
  static constinit waitable_word word(largest);
  EXPECT_EQ(word.value(), largest);
  EXPECT_EQ(word.change([](std::uint64_t) { return std::uint64_t{0}; }), largest);
  EXPECT_EQ(word.value(), 0U);
}

TEST(waitable_word, changes_nothing_when_told_so) {
  waitable_word word(3);
  EXPECT_EQ(word.change([](std::uint64_t n) { return n; }), 3U);
  EXPECT_EQ(word.value(), 3U);
}

TEST(waitable_word, waits_for_what_is_there_already_and_gives_up_on_what_is_not) {
  waitable_word word(5);
  EXPECT_TRUE(word.await(patience(), reached(5)));
  EXPECT_TRUE(word.await(patience(acqrel::steady_deadline::min()), reached(5)));
  const auto soon = deadline_after(3ms);
  EXPECT_FALSE(word.await(patience(soon), reached(6)));
  EXPECT_GE(std::chrono::steady_clock::now(), soon);
  std::stop_source stop;
  stop.request_stop();
  const std::stop_token token = stop.get_token();
  EXPECT_FALSE(word.await(patience(token), reached(6)));
  EXPECT_EQ(word.value(), 5U) << "who waits is no part of the value";
}

TEST(waitable_word, wakes_who_waits) {
  waitable_word word;
  std::thread notifier([&] {
    std::this_thread::sleep_for(2ms);
    word.change(one_more);
  });
  EXPECT_TRUE(woken(word, reached(1)));
  notifier.join();
}

// More words than bells: some share one, and are woken for each other for nothing.
TEST(waitable_word, wakes_each_of_more_words_than_there_are_bells) {
  std::deque<waitable_word> words(100);
  std::vector<std::thread> waiters;
  for (auto& word : words) {
    waiters.emplace_back([&word] { EXPECT_TRUE(woken(word, reached(2))); });
  }
  for (int twice = 0; twice != 2; ++twice) {
    for (auto& word : words) word.change(one_more);
  }
  for (auto& waiter : waiters) waiter.join();
}

// ---- stress ----

// Two threads count to each other's number in turns: a lost wake-up is a wait without an end, and a count lost or
// doubled ends with another sum.
TEST(waitable_word_stress, two_threads_take_turns) {
  const std::uint64_t rounds = 20'000 / fewer_when_sanitized;
  waitable_word word;
  const auto play = [&](std::uint64_t parity) {
    for (std::uint64_t n = parity; n < rounds; n += 2) {
      ASSERT_TRUE(woken(word, reached(n)));
      ASSERT_EQ(word.change(one_more), n);
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(word.value(), rounds);
}

// Each waiter has its own number; changes come from two threads.
TEST(waitable_word_stress, every_waiter_wakes_at_its_number_and_no_earlier) {
  const std::uint64_t rounds = 20'000 / fewer_when_sanitized;
  waitable_word word;
  std::vector<std::thread> threads;
  for (std::uint64_t step : {1U, 7U, 100U}) {
    threads.emplace_back([&, step] {
      for (std::uint64_t n = step; n <= 2 * rounds; n += step) {
        ASSERT_TRUE(woken(word, reached(n)));
        ASSERT_GE(word.value(), n);
      }
    });
  }
  const auto count = [&] {
    for (std::uint64_t n = 0; n != rounds; ++n) word.change(one_more);
  };
  threads.emplace_back(count);
  count();
  for (auto& thread : threads) thread.join();
}

}  // namespace
