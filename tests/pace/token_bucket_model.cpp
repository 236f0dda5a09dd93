// Never more than the capacity and what has come, whatever the order, however old the times. No edge: tokens are numbers.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/token_bucket.hpp>
#include <acqrel/testing/fake_clock.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using namespace std::chrono_literals;
using acqrel::steady_deadline;
using acqrel::testing::fake_clock;

constexpr auto token = 10ms;  // 100 a second

// The source document's, which has no tokens at first: here it is given them.
class documents {
 public:
  documents(double, std::chrono::seconds, std::int64_t capacity, fake_clock& clock)
      : clock_(clock), capacity_(capacity) {
    state_.store(static_cast<std::uint64_t>(capacity) << 32, std::memory_order_seq_cst);
  }
  bool try_take(std::int64_t n = 1) { return try_take(n, clock_.now()); }
  bool try_take(std::int64_t n, steady_deadline now) {
    const auto offset = static_cast<std::uint32_t>((now - base_).count());
    auto old = state_.load(std::memory_order_seq_cst);
    for (;;) {
      const auto elapsed = static_cast<std::uint32_t>(offset - static_cast<std::uint32_t>(old));
      const auto tokens =
          std::min(capacity_, static_cast<std::int64_t>(old >> 32) + std::int64_t{elapsed} / 10'000'000);
      if (tokens < n) return false;
      if (state_.compare_exchange_strong(old, static_cast<std::uint64_t>(tokens - n) << 32 | offset,
                                         std::memory_order_seq_cst))
        return true;
    }
  }

 private:
  fake_clock& clock_;
  const std::int64_t capacity_;
  const steady_deadline base_ = clock_.now();
  std::atomic<std::uint64_t> state_{0};
};

// The library's but for its exchange.
class stores {
 public:
  stores(double, std::chrono::seconds, std::int64_t capacity, fake_clock& clock)
      : clock_(clock), room_(token * capacity) {}
  bool try_take(std::int64_t n = 1) { return try_take(n, clock_.now()); }
  bool try_take(std::int64_t n, steady_deadline now) {
    const auto at = now.time_since_epoch().count();
    const auto next = std::max(full_at_.load(std::memory_order_relaxed), at) + (n * token / 1ns);
    if (next - at > room_.count()) return false;
    full_at_.store(next, std::memory_order_relaxed);
    return true;
  }

 private:
  fake_clock& clock_;
  const std::chrono::nanoseconds room_;
  std::atomic<std::int64_t> full_at_{0};
};

template <class Bucket>
void one_token_for_two() {
  fake_clock clock;
  Bucket bucket(100, 1s, 1, clock);
  bool other = false;
  std::thread rival([&] { other = bucket.try_take(); });
  const bool mine = bucket.try_take();
  rival.join();
  EXPECT_NE(mine, other);
}

MODEL(token_bucket, gives_one_token_to_one_of_two) { one_token_for_two<acqrel::token_bucket>(); }
MODEL_FAILS(token_bucket, the_twin_that_stores, "assertion") { one_token_for_two<stores>(); }

// B13
MODEL(token_bucket, gives_two_of_three_what_is_there) {
  fake_clock clock;
  acqrel::token_bucket bucket(100, 1s, 2, clock);
  int taken[3] = {};
  const auto take = [&](int& mine) { mine = bucket.try_take(); };
  std::thread second(take, std::ref(taken[1])), third(take, std::ref(taken[2]));
  take(taken[0]);
  second.join();
  third.join();
  EXPECT_EQ(taken[0] + taken[1] + taken[2], 2);
  EXPECT_EQ(bucket.tokens(), 0);
}

// B2, B9. Both read the clock, and only then take; it moves on by one token at any moment. The bucket is emptied first.
template <class Bucket>
void old_times() {
  fake_clock clock;
  Bucket bucket(100, 1s, 2, clock);
  EXPECT_TRUE(bucket.try_take(2));
  int taken[2] = {};
  const auto take = [&](int& mine) {
    const auto read = clock.now();
    for (int i = 0; i != 2; ++i) mine += bucket.try_take(1, read);
  };
  std::thread time([&] { clock.advance(token); });
  std::thread rival([&] { take(taken[1]); });
  take(taken[0]);
  rival.join();
  time.join();
  EXPECT_LE(taken[0] + taken[1], 1);
}

MODEL(token_bucket, gives_nothing_for_times_that_are_old) { old_times<acqrel::token_bucket>(); }
MODEL_FAILS(token_bucket, the_documents_code_refills_itself, "assertion") { old_times<documents>(); }

MODEL(token_bucket, gives_nothing_for_a_clock_that_goes_back) {
  fake_clock clock;
  acqrel::token_bucket bucket(100, 1s, 1, clock);
  bool other = false;
  std::thread rival([&] { other = bucket.try_take(); });
  std::thread time([&] { clock.advance(-token / 2); });
  const bool mine = bucket.try_take();
  rival.join();
  time.join();
  EXPECT_NE(mine, other);
}

MODEL(token_bucket, reserves_one_after_the_other) {
  fake_clock clock;
  acqrel::token_bucket bucket(100, 1s, 1, clock);
  EXPECT_TRUE(bucket.try_take());
  std::chrono::nanoseconds pauses[2];
  std::thread rival([&] { pauses[1] = bucket.reserve(); });
  pauses[0] = bucket.reserve();
  rival.join();
  EXPECT_EQ(pauses[0] + pauses[1], 3 * token);
  EXPECT_NE(pauses[0], pauses[1]);
}

// Time stands still, so only the stop ends a wait.
class standing_clock final : public acqrel::time_source {
 public:
  standing_clock() { setenv("ACQREL_PARK", "futex", 1); }
  steady_deadline now() noexcept override { return steady_deadline(1h); }
  bool park_until(const acqrel::park_word& word, std::uint32_t expected, steady_deadline) noexcept override {
    acqrel::park(word, expected);
    return true;
  }
};

MODEL(token_bucket, takes_nothing_when_its_wait_is_stopped) {
  standing_clock clock;
  acqrel::token_bucket bucket(100, 1s, 1, clock);
  EXPECT_TRUE(bucket.try_take());
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(bucket.wait(1, stop.get_token()));
  stopper.join();
  EXPECT_EQ(bucket.reserve(), token) << "its own token came back";
}

}  // namespace
