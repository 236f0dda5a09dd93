// One caller for each interval, whatever the order, however old the times. No edge: the number is all that is told.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/throttle.hpp>
#include <acqrel/testing/fake_clock.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace std::chrono_literals;
using acqrel::steady_deadline;
using acqrel::testing::fake_clock;

constexpr auto interval = 10s;
constexpr steady_deadline boot{};  // the clock of a machine that just started

// The source document's: the times are its callers', and the first call is no other than the rest.
class documents {
 public:
  documents(std::chrono::seconds, fake_clock& clock) : clock_(clock) {}
  std::optional<std::uint64_t> allow() { return allow(clock_.now()); }
  std::optional<std::uint64_t> allow(steady_deadline given) {
    const auto now = given.time_since_epoch().count();
    auto last = last_.load(std::memory_order_seq_cst);
    constexpr auto length = std::chrono::nanoseconds(interval).count();
    if (now - last < length || !last_.compare_exchange_strong(last, now, std::memory_order_seq_cst)) {
      skipped_.fetch_add(1, std::memory_order_seq_cst);
      return std::nullopt;
    }
    return skipped_.exchange(0, std::memory_order_seq_cst);
  }

 private:
  fake_clock& clock_;
  std::atomic<std::int64_t> last_{0}, skipped_{0};
};

// The library's but for its one exchange.
class stores {
 public:
  stores(std::chrono::seconds, fake_clock& clock) : clock_(clock) {}
  std::optional<std::uint64_t> allow() {
    const auto now = clock_.now();
    if (now.time_since_epoch().count() < not_before_.load(std::memory_order_relaxed)) return std::nullopt;
    not_before_.store((now + interval).time_since_epoch().count(), std::memory_order_relaxed);
    return 0;
  }

 private:
  fake_clock& clock_;
  std::atomic<std::int64_t> not_before_{std::numeric_limits<std::int64_t>::min()};
};

// An answer, and what the clock showed before the call and after it.
struct answer {
  bool allowed = false;
  steady_deadline from{}, to{};
};
// Whether both can have been allowed at times within their calls, an interval apart.
void expect_apart(const answer& a, const answer& b) {
  if (a.allowed && b.allowed) acqrel::model::expect(b.to - a.from >= interval || a.to - b.from >= interval, "too soon");
}

template <class Throttle>
void two_at_one_time() {
  fake_clock clock;
  Throttle one(interval, clock);
  bool other = false;
  std::thread rival([&] { other = one.allow().has_value(); });
  const bool mine = one.allow().has_value();
  rival.join();
  EXPECT_NE(mine, other);
}

MODEL(throttle, allows_one_of_two_at_one_time) { two_at_one_time<acqrel::throttle>(); }
MODEL_FAILS(throttle, the_twin_that_stores, "assertion") { two_at_one_time<stores>(); }

MODEL(throttle, allows_one_of_three_at_one_time) {
  fake_clock clock;
  acqrel::throttle one(interval, clock);
  int allowed[3] = {};
  const auto call = [&](int& mine) { mine = one.allow().has_value(); };
  std::thread second(call, std::ref(allowed[1])), third(call, std::ref(allowed[2]));
  call(allowed[0]);
  second.join();
  third.join();
  EXPECT_EQ(allowed[0] + allowed[1] + allowed[2], 1);
  EXPECT_EQ(one.skipped(), 2U);
}

template <class Throttle>
void the_first_after_boot() {
  fake_clock clock(boot);
  Throttle one(interval, clock);
  EXPECT_TRUE(one.allow());
}

MODEL(throttle, allows_the_first_call_after_boot) { the_first_after_boot<acqrel::throttle>(); }
MODEL_FAILS(throttle, the_documents_code_refuses_it, "assertion") { the_first_after_boot<documents>(); }

// Both read the clock, and only then call; it moves on at any moment.
template <class Throttle>
void old_times() {
  fake_clock clock;
  Throttle one(interval, clock);
  const auto call = [&](answer& mine) {
    const auto read = clock.now();
    mine.from = clock.now();
    mine.allowed = one.allow(read).has_value();
    mine.to = clock.now();
  };
  answer first, second;
  std::thread rival([&] { call(second); });
  std::thread time([&] { clock.advance(interval); });
  call(first);
  rival.join();
  time.join();
  expect_apart(first, second);
}

MODEL(throttle, keeps_the_interval_with_times_that_are_old) { old_times<acqrel::throttle>(); }
MODEL_FAILS(throttle, the_documents_code_allows_two_at_once, "assertion") { old_times<documents>(); }

MODEL(throttle, keeps_the_interval_by_a_clock_that_goes_back) {
  fake_clock clock;
  acqrel::throttle one(interval, clock);
  bool other = false;
  std::thread rival([&] { other = one.allow().has_value(); });
  std::thread time([&] { clock.advance(-5s); });
  const bool mine = one.allow().has_value();
  rival.join();
  time.join();
  EXPECT_NE(mine, other);
}

// T8
MODEL(throttle, tells_of_each_refusal_once) {
  fake_clock clock;
  acqrel::throttle one(interval, clock);
  EXPECT_EQ(one.allow(), 0U);
  EXPECT_FALSE(one.allow());
  std::uint64_t told = 0;
  std::thread other([&] {
    EXPECT_FALSE(one.allow(boot));
    told = one.take_skipped();
  });
  clock.advance(interval);
  const auto mine = one.allow();
  other.join();
  EXPECT_TRUE(mine.has_value());
  EXPECT_EQ(*mine + told + one.take_skipped(), 2U);
  EXPECT_EQ(one.skipped(), 2U);
}

// T7
MODEL(throttle, refuses_nobody_without_an_interval) {
  fake_clock clock;
  acqrel::throttle one(0s, clock);
  std::thread other([&] { EXPECT_TRUE(one.allow()); });
  EXPECT_TRUE(one.allow());
  other.join();
}

}  // namespace
