// A number of steps: who waited sees what all who took them wrote, and each wait belongs to one count.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/countdown.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>

namespace {

using acqrel::countdown;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(countdown, shows_what_all_who_counted_wrote, .shows = {"waitable_word.value"}) {  // GL6
  const futex mode;
  countdown parts(2);
  int one = 0, two = 0;
  std::thread first([&] {
    one = 1;
    EXPECT_TRUE(parts.down());
  });
  std::thread second([&] {
    two = 1;
    EXPECT_TRUE(parts.down());
  });
  parts.wait();
  EXPECT_EQ(one + two, 2);
  first.join();
  second.join();
}

MODEL(countdown, needs_three, .max_executions = 100'000) {  // X7
  const futex mode;
  countdown parts(3);
  int taken[3] = {};
  std::thread first([&] {
    taken[0] = 1;
    parts.down();
    taken[1] = 1;
    parts.down();
  });
  std::thread second([&] {
    taken[2] = 1;
    parts.down();
  });
  parts.wait();
  EXPECT_EQ(taken[0] + taken[1] + taken[2], 3);
  first.join();
  second.join();
}

MODEL(countdown, refuses_the_step_that_is_not_there) {  // GL8 GL10
  countdown parts(1);
  bool one = false, two = false;
  std::thread other([&] { one = parts.down(); });
  two = parts.down();
  other.join();
  EXPECT_NE(one, two);
  EXPECT_EQ(parts.remaining(), 0U);
}

MODEL(countdown, may_be_destroyed_by_who_waited) {  // GL11
  const futex mode;
  auto parts = std::make_unique<countdown>(2);
  const auto down = [&gone = *parts] { gone.down(); };
  std::thread one(down), two(down);
  parts->wait();
  parts.reset();
  one.join();
  two.join();
}

MODEL(countdown, loses_no_wake_up_over_a_reset) {
  const futex mode;
  countdown parts(1);
  std::thread taker([&] {
    EXPECT_TRUE(parts.down());
    EXPECT_TRUE(parts.reset(1));
    EXPECT_TRUE(parts.down());
  });
  parts.wait();
  taker.join();
}

// A wait that has begun, its first look behind it, when the last step is taken and a reset follows at once. The state is
// countdown's: round << 32 | steps left.
constexpr std::uint64_t one_left = 1, next_round = std::uint64_t{1} << 32;
template <class Done>
void wait_over_a_reset(Done done) {
  const futex mode;
  acqrel::waitable_word state(one_left);
  std::thread taker([&] {
    state.change([](std::uint64_t) { return std::uint64_t{0}; });
    state.change([](std::uint64_t) { return next_round | one_left; });
  });
  EXPECT_TRUE(state.await(acqrel::patience(), done));
  taker.join();
}
MODEL(countdown, lets_out_behind_a_reset_who_waited_before) {  // GL9
  wait_over_a_reset([](std::uint64_t now) { return now == 0 || now >= next_round; });
}
MODEL_FAILS(countdown, the_twin_that_knows_no_rounds, "deadlock") {
  wait_over_a_reset([](std::uint64_t now) { return now == 0; });
}

MODEL(countdown, is_reset_by_one_of_two) {
  countdown parts(0);
  bool one = false, two = false;
  std::thread other([&] { one = parts.reset(2); });
  two = parts.reset(3);
  other.join();
  EXPECT_NE(one, two);
  EXPECT_EQ(parts.remaining(), one ? 2U : 3U);
}

// The document's latch (ERRATA 2.4): the count goes down first, and whoever took it to 0 then opens.
MODEL_FAILS(countdown, the_twin_that_opens_after_it_counted, "use after free") {
  const futex mode;
  struct pair {
    std::atomic<int> left{1};
    acqrel::park_word open{0};
  };
  auto parts = std::make_unique<pair>();
  std::thread taker([&gone = *parts] {
    if (gone.left.fetch_sub(1, std::memory_order_release) != 1) return;
    gone.open.store(1, std::memory_order_release);
    acqrel::unpark_all(gone.open);
  });
  while (parts->left.load(std::memory_order_acquire) != 0) acqrel::park(parts->open, 0);
  parts.reset();
  taker.join();
}

}  // namespace
