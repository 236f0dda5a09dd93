// Numbered rounds: each waiter wakes at its own, and finds the number counted on.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/generation.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>

namespace {

using acqrel::generation;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(generation, lets_go_with_all_before_it_and_counted_on, .shows = {"waitable_word.value"}) {  // GL1 GL2
  const futex mode;
  generation flushes;
  int data = 0;
  std::thread flusher([&] {
    data = 1;
    EXPECT_EQ(flushes.fire(), 1U);
  });
  flushes.wait(0);
  EXPECT_EQ(data, 1);
  EXPECT_GT(flushes.current(), 0U);
  flusher.join();
}

MODEL(generation, wakes_each_at_its_own_number) {  // GL4
  const futex mode;
  generation flushes;
  int first = 0, second = 0;
  std::thread flusher([&] {
    first = 1;
    flushes.fire();
    second = 1;
    flushes.fire();
  });
  flushes.wait(1);
  EXPECT_EQ(first + second, 2);
  flushes.wait(0);
  flusher.join();
}

MODEL(generation, ends_two_when_two_fire) {
  const futex mode;
  generation flushes;
  std::uint64_t one = 0;
  std::thread other([&] { one = flushes.fire(); });
  const std::uint64_t two = flushes.fire();
  flushes.wait(1);
  other.join();
  EXPECT_EQ(one + two, 3U);
  EXPECT_EQ(flushes.current(), 2U);
}

MODEL(generation, may_be_destroyed_by_who_waited) {  // GL11
  const futex mode;
  auto flushes = std::make_unique<generation>();
  std::thread flusher([&gone = *flushes] {
    gone.fire();
    gone.fire();
  });
  flushes->wait(1);
  flushes.reset();
  flusher.join();
}

// The document's order (ERRATA 2.13): the waiter is woken, then the number counts on.
MODEL_FAILS(generation, the_twin_that_wakes_before_it_counts, "assertion") {
  const futex mode;
  generation woken;
  std::atomic<std::uint64_t> number{0};
  std::thread flusher([&] {
    woken.fire();
    number.store(1, std::memory_order_release);
  });
  woken.wait(0);
  EXPECT_GT(number.load(std::memory_order_acquire), 0U);
  flusher.join();
}

// A count of 64 bits beside the word that threads park on: the waiter sees the count, and the word is gone.
MODEL_FAILS(generation, the_twin_with_the_count_beside_the_word, "use after free") {
  const futex mode;
  struct pair {
    std::atomic<std::uint64_t> count{0};
    acqrel::park_word word{0};
  };
  auto flushes = std::make_unique<pair>();
  const auto fire = [&gone = *flushes] {
    gone.count.fetch_add(1, std::memory_order_release);
    gone.word.fetch_add(1, std::memory_order_release);
    acqrel::unpark_all(gone.word);
  };
  std::thread one(fire), two(fire);
  for (;;) {
    const std::uint32_t word = flushes->word.load(std::memory_order_acquire);
    if (flushes->count.load(std::memory_order_acquire) == 2) break;
    acqrel::park(flushes->word, word);
  }
  flushes.reset();
  one.join();
  two.join();
}

}  // namespace
