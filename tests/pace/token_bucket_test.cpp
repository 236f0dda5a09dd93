// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/token_bucket.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::steady_deadline;
using acqrel::token_bucket;
using acqrel::testing::fake_clock;
using std::chrono::nanoseconds;
__extension__ using exact = __int128;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int many = 20'000;
constexpr int rounds = 200;
#else
constexpr int many = 200'000;
constexpr int rounds = 2'000;
#endif

constexpr auto year = 365 * 24h;
constexpr steady_deadline end_of_time(140 * year);  // of what a bucket promises

// A rate as two whole numbers.
struct rate {
  // A token takes a whole number of thirds of a nanosecond: then nothing is rounded.
  constexpr bool is_exact() const { return 3 * period.count() % tokens == 0; }
  std::int64_t tokens;
  nanoseconds period;
};
constexpr rate rates[] = {{1, 1'000'000s}, {100, 1s}, {60, 1s},          {3, 1s},           {1'000'000'000, 1s},
                          {1, 3ns},        {7, 60s},  {700'000'000, 1s}, {999'999'937, 1s}, {640'000'001, 1s}};
static_assert(rates[5].is_exact() && !rates[6].is_exact());

// One that takes: when, and how many.
struct grant {
  steady_deadline time;
  std::int64_t n;
};

// B2, the oracle: in each span from one grant to another, both included, what was granted is no more than the capacity and
// what comes in between; or in half a nanosecond more, if the rate is rounded. In whole numbers, with tokens and times in
// parts of the rate.
void expect_bounded(std::vector<grant> grants, rate of, std::int64_t capacity) {
  std::stable_sort(grants.begin(), grants.end(), [](const grant& a, const grant& b) { return a.time < b.time; });
  exact granted = 0, best = 0;
  bool first = true;
  for (const grant& one : grants) {
    const exact come = exact{one.time.time_since_epoch().count()} * of.tokens;
    const exact here = granted * of.period.count() - come;
    best = first ? here : std::min(best, here);
    first = false;
    granted += one.n;
    ASSERT_LE(2 * (granted * of.period.count() - come - best),
              2 * exact{capacity} * of.period.count() + (of.is_exact() ? 0 : of.tokens))
        << of.tokens << " per " << of.period.count() << " ns";
  }
}

// The reference: a mutex, and tokens in parts of a period, so that no fraction is lost. It answers as of the latest time
// that it was given.
class plain_bucket {
 public:
  plain_bucket(rate of, std::int64_t capacity)
      : rate_(of), capacity_(exact{capacity} * of.period.count()), parts_(capacity_) {}
  bool try_take(std::int64_t n, steady_deadline now) {
    const std::lock_guard lock(mutex_);
    if (now > last_) {
      parts_ = std::min(capacity_, parts_ + exact{(now - last_).count()} * rate_.tokens);
      last_ = now;
    }
    if (parts_ < exact{n} * rate_.period.count()) return false;
    parts_ -= exact{n} * rate_.period.count();
    return true;
  }
  std::int64_t tokens() const { return static_cast<std::int64_t>(parts_ / rate_.period.count()); }

 private:
  std::mutex mutex_;
  const rate rate_;
  const exact capacity_;
  exact parts_;
  steady_deadline last_{};
};

// Counts who sleeps by it.
class watched_clock final : public acqrel::time_source {
 public:
  steady_deadline now() noexcept override { return inner_.now(); }
  bool park_until(const acqrel::park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept override {
    ++parked_;
    return inner_.park_until(word, expected, deadline);
  }
  void advance(nanoseconds by) noexcept { inner_.advance(by); }
  void until_parked(int times) const {
    while (parked_ < times) std::this_thread::yield();
  }

 private:
  fake_clock inner_;
  std::atomic<int> parked_{0};
};

int take_all(token_bucket& bucket) {
  int taken = 0;
  while (bucket.try_take()) ++taken;
  return taken;
}

// ---- semantics ----

// B1
TEST(token_bucket, is_full_at_first_whatever_the_clock_shows) {
  for (const auto start : {steady_deadline::min(), steady_deadline(-1h), steady_deadline(), steady_deadline(1ns),
                           steady_deadline(100 * year), steady_deadline::max()}) {
    for (const rate& one : rates) {
      fake_clock clock(start);
      token_bucket bucket(static_cast<double>(one.tokens), one.period, 5, clock);
      EXPECT_EQ(bucket.tokens(), 5);
      EXPECT_TRUE(bucket.try_take(5));
      EXPECT_EQ(bucket.tokens(), 0);
      EXPECT_FALSE(bucket.try_take());
      EXPECT_FALSE(bucket.try_take(5));
    }
  }
}

TEST(token_bucket, has_the_next_token_exactly_when_it_is_due) {
  fake_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  EXPECT_TRUE(bucket.try_take(20));
  for (int i = 0; i != 3; ++i) {
    clock.advance(10ms - 1ns);
    EXPECT_FALSE(bucket.try_take());
    clock.advance(1ns);
    EXPECT_TRUE(bucket.try_take());
  }
  clock.advance(1h);
  EXPECT_EQ(take_all(bucket), 20);
}

// In whole numbers: at the first nanosecond that is not before its time, or if the rate is rounded, one beside it.
TEST(token_bucket, has_each_token_to_the_nanosecond) {
  for (const rate& one : rates) {
    const auto error = one.is_exact() ? 0ns : 1ns;
    for (const nanoseconds offset : {0ns, 1ns, 2ns, 5ns, 123'456'789ns}) {
      fake_clock clock(steady_deadline(1h + offset));
      token_bucket bucket(static_cast<double>(one.tokens), one.period, 20, clock);
      EXPECT_EQ(take_all(bucket), 20);
      const auto start = clock.now();
      for (int n = 10; n != 30; n += 10) {
        const nanoseconds due((one.period.count() * n + one.tokens - 1) / one.tokens);
        clock.set(start + due - 1ns - error);
        EXPECT_FALSE(bucket.try_take(10));
        clock.set(start + due + error);
        EXPECT_TRUE(bucket.try_take(10)) << n << " of " << one.tokens << " per " << one.period.count() << " ns";
      }
    }
  }
}

// B4
TEST(token_bucket, changes_nothing_when_it_refuses) {
  fake_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  EXPECT_TRUE(bucket.try_take(17));
  clock.advance(5ms);
  for (int i = 0; i != 1000; ++i) EXPECT_FALSE(bucket.try_take(4));
  EXPECT_EQ(bucket.tokens(), 3);
  clock.advance(5ms);
  EXPECT_EQ(bucket.tokens(), 4) << "the half token was not lost";
  EXPECT_TRUE(bucket.try_take(4));
}

// B5
TEST(token_bucket, takes_nothing_always_and_without_a_trace) {
  fake_clock clock;
  for (const rate& one : rates) {
    token_bucket bucket(static_cast<double>(one.tokens), one.period, 3, clock);
    for (int i = 0; i != 100; ++i) EXPECT_TRUE(bucket.try_take(0));
    EXPECT_TRUE(bucket.try_take(3));
    EXPECT_TRUE(bucket.try_take(0));
    (void)bucket.reserve(2);
    EXPECT_TRUE(bucket.try_take(0)) << "also when it is in debt";
    EXPECT_EQ(bucket.reserve(0), 0ns);
    bucket.wait(0);
  }
}

// B5
TEST(token_bucket, refuses_what_it_never_could_give) {
  fake_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{-1000}, std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_THROW((void)bucket.try_take(wrong), std::invalid_argument);
    EXPECT_THROW((void)bucket.reserve(wrong), std::invalid_argument);
    EXPECT_THROW(bucket.wait(wrong), std::invalid_argument);
  }
  for (const std::int64_t wrong : {std::int64_t{21}, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_THROW((void)bucket.try_take(wrong), std::out_of_range);
    EXPECT_THROW((void)bucket.reserve(wrong), std::out_of_range);
    EXPECT_THROW((void)bucket.wait_for(wrong, 1s), std::out_of_range);
  }
  EXPECT_EQ(bucket.tokens(), 20);
  try {
    (void)bucket.try_take(21);
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(
        error.what(),
        "acqrel: token_bucket: 21 tokens will never be there at once in a bucket of 20; take fewer, or make the "
        "bucket larger");
  }
}

// B6
TEST(token_bucket, refuses_rates_that_are_none) {
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const double tokens : {0.0, -0.0, -1.0, nan, infinity, -infinity, 1.1e9, 0.9e-6, 1e300, 1e-300})
    EXPECT_THROW(token_bucket(tokens, 1s, 1), std::invalid_argument) << tokens;
  for (const double period : {0.0, -1.0, nan, infinity, -infinity, 1e-10, 2e6})
    EXPECT_THROW(token_bucket(1, std::chrono::duration<double>(period), 1), std::invalid_argument) << period;
  EXPECT_THROW(token_bucket(-1, -1s, 1), std::invalid_argument);
  EXPECT_THROW(token_bucket(1e9, 1s - 1ns, 1), std::invalid_argument);
  EXPECT_THROW(token_bucket(1, std::chrono::hours::max(), 1), std::invalid_argument);
}

// B6, B12
TEST(token_bucket, grants_at_rates_from_one_in_a_million_seconds_to_a_billion_a_second) {
  for (const double per_second : {1e-6, 1e-3, 0.1, 0.3, 1.0, 2.5, 1e6 / 3, 6e8, 0.9e9, 1e9}) {
    fake_clock clock;
    token_bucket bucket(per_second, 1s, 1000, clock);
    EXPECT_TRUE(bucket.try_take(1000));
    const nanoseconds due(static_cast<std::int64_t>(std::ceil(1000 / per_second * 1e9)));
    clock.advance(due - due / 1'000'000 - 3ns);
    EXPECT_FALSE(bucket.try_take(1000)) << per_second;
    clock.advance(due / 1'000'000 + 4ns);
    EXPECT_TRUE(bucket.try_take(1000)) << per_second;
  }
}

// B7, and a hundred years.
TEST(token_bucket, is_full_and_no_more_after_any_silence) {
  for (const rate& one : rates) {
    for (const nanoseconds silence : {nanoseconds(10 * year), nanoseconds(100 * year)}) {
      fake_clock clock;
      token_bucket bucket(static_cast<double>(one.tokens), one.period, 50, clock);
      EXPECT_TRUE(bucket.try_take(50));
      clock.advance(silence);
      EXPECT_EQ(bucket.tokens(), 50);
      EXPECT_TRUE(bucket.try_take(50));
      EXPECT_FALSE(bucket.try_take());
    }
  }
  fake_clock clock;
  token_bucket bucket(1, 1s, 100, clock);
  EXPECT_TRUE(bucket.try_take(100));
  for (const auto idle : {4s, 5s, 8s, 9s, 60s}) {  // the document's offset wraps after 4.29 s
    clock.advance(idle);
    EXPECT_EQ(take_all(bucket), idle / 1s);
  }
}

// B9
TEST(token_bucket, gives_nothing_for_a_time_that_has_passed) {
  fake_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  const auto now = clock.now();
  EXPECT_TRUE(bucket.try_take(20, now));
  for (const auto old : {now - 1ns, now - 5s, now - 1h, steady_deadline(), steady_deadline::min()}) {
    EXPECT_FALSE(bucket.try_take(1, old));
    EXPECT_EQ(bucket.tokens(old), 0);
  }
  EXPECT_TRUE(bucket.try_take(1, now + 10ms));
  EXPECT_FALSE(bucket.try_take(1, now + 9ms));
  EXPECT_FALSE(bucket.try_take(1, now + 10ms)) << "the time was not set back";
  clock.set(now - 1h);
  EXPECT_FALSE(bucket.try_take());
  clock.set(now + 20ms - 1ns);
  EXPECT_FALSE(bucket.try_take());
  clock.advance(1ns);
  EXPECT_TRUE(bucket.try_take());
  EXPECT_FALSE(bucket.try_take());
}

TEST(token_bucket, takes_as_of_the_time_that_it_is_given) {
  fake_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  const auto now = clock.now();
  EXPECT_TRUE(bucket.try_take(20, now - 100ms)) << "nobody has taken since";
  EXPECT_EQ(bucket.tokens(now), 10);
  EXPECT_TRUE(bucket.try_take(10, now));
  EXPECT_FALSE(bucket.try_take(1, now));
}

// B10
TEST(token_bucket, is_exact_to_its_greatest_capacity) {
  const auto most = [](double tokens, auto period) {
    std::int64_t low = 1, high = std::numeric_limits<std::int64_t>::max();
    while (low != high) {
      const std::int64_t middle = low + (high - low) / 2 + (high - low) % 2;
      try {
        token_bucket bucket(tokens, period, middle);
        low = middle;
      } catch (const std::invalid_argument&) {
        high = middle - 1;
      }
    }
    return low;
  };
  EXPECT_EQ(most(1e9, 1s), (std::int64_t{1} << 62) / 3);
  EXPECT_EQ(most(1, 1s), (std::int64_t{1} << 62) / 3'000'000'000);
  EXPECT_EQ(most(1, 1'000'000s), 1537);
  for (const rate& one : rates) {
    fake_clock clock;
    const auto capacity = most(static_cast<double>(one.tokens), one.period);
    token_bucket bucket(static_cast<double>(one.tokens), one.period, capacity, clock);
    EXPECT_EQ(bucket.tokens(), capacity);
    EXPECT_TRUE(bucket.try_take(capacity - 1));
    EXPECT_EQ(bucket.tokens(), 1);
    EXPECT_TRUE(bucket.try_take());
    EXPECT_EQ(bucket.tokens(), 0);
    EXPECT_FALSE(bucket.try_take());
  }
  for (const std::int64_t wrong : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
    EXPECT_THROW(token_bucket(1, 1s, wrong), std::invalid_argument);
}

// B11
TEST(token_bucket, carries_fractions) {
  for (const rate& one : rates) {
    const auto token = std::chrono::duration<double, std::nano>(one.period) / static_cast<double>(one.tokens);
    if (token < 100ns) continue;  // there one and a half is no number of nanoseconds
    for (const auto& [part, expected] : {std::pair{1.5, 1000}, std::pair{0.75, 750}}) {
      fake_clock clock;
      token_bucket bucket(static_cast<double>(one.tokens), one.period, 2, clock);
      EXPECT_TRUE(bucket.try_take(2));
      int taken = 0;
      for (int i = 0; i != 1000; ++i) {
        clock.advance(std::chrono::ceil<nanoseconds>(token * part));
        taken += bucket.try_take();
      }
      EXPECT_NEAR(taken, expected, expected == 1000 ? 0 : 1) << one.tokens << " per " << one.period.count() << " ns";
    }
  }
}

// B3
TEST(token_bucket, gives_what_is_due_however_often_it_is_asked) {
  for (const rate& one : rates) {
    for (double part = 0.1; part < 2; part += 0.211) {
      fake_clock clock;
      token_bucket bucket(static_cast<double>(one.tokens), one.period, 10, clock);
      const double token = static_cast<double>(one.period.count()) / static_cast<double>(one.tokens);
      const auto poll = std::max(1ns, nanoseconds(std::llround(token * part)));
      EXPECT_TRUE(bucket.try_take(10));
      const auto start = clock.now();
      int taken = 0, polls = 0;
      for (; polls != 3000 && clock.now() + poll < end_of_time; ++polls) {
        clock.advance(poll);
        taken += bucket.try_take();
      }
      const double due =
          std::min(static_cast<double>((clock.now() - start).count()) / token, static_cast<double>(polls));
      EXPECT_GE(taken, 0.99 * due - 1) << token << " ns a token, asked every " << poll.count();
      EXPECT_LE(taken, due + (one.is_exact() ? 0 : 1));
    }
  }
}

// X2, and the rates at which the document's never grants.
TEST(token_bucket, grants_six_a_minute_at_a_tenth_a_second) {
  for (const double per_second : {0.25, 0.233, 0.232, 0.2, 0.1}) {
    fake_clock clock;
    token_bucket bucket(per_second, 1s, 1, clock);
    int taken = 0;
    for (auto passed = 0ms; passed != 1h; passed += 50ms) {
      taken += bucket.try_take();
      clock.advance(50ms);
    }
    EXPECT_NEAR(taken, 3600 * per_second, 3600 * per_second * 0.02 + 1) << per_second;
  }
}

// B12
TEST(token_bucket, grants_many_in_due_time) {
  fake_clock clock;
  token_bucket bucket(1, 1s, 10'000, clock);
  EXPECT_TRUE(bucket.try_take(10'000));
  clock.advance(7200s - 1ns);
  EXPECT_FALSE(bucket.try_take(7200));
  clock.advance(1ns);
  EXPECT_TRUE(bucket.try_take(7200));
}

// B2, B8, B9. Any times, in any order; what is whole numbers also answers as the reference does while time goes forward.
TEST(token_bucket, is_bounded_whatever_times_it_is_given) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  for (const rate& one : rates) {
    const auto token = std::max<std::int64_t>(1, one.period.count() / one.tokens);
    for (const bool forward : {false, true}) {
      constexpr std::int64_t capacity = 10;
      fake_clock clock;
      token_bucket bucket(static_cast<double>(one.tokens), one.period, capacity, clock);
      plain_bucket reference(one, capacity);
      std::vector<grant> grants;
      auto now = clock.now();
      for (int i = 0; i != many / 10 && now < end_of_time; ++i) {
        now += nanoseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(4 * token + 2)));
        auto given = now;
        if (!forward && random() % 2 == 0)
          given -= nanoseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(50 * token)));
        const auto n = static_cast<std::int64_t>(random() % (capacity + 1));
        const bool taken = bucket.try_take(n, given);
        if (taken) grants.push_back({given, n});
        ASSERT_GE(bucket.tokens(given), 0);
        ASSERT_LE(bucket.tokens(given), capacity);
        if (forward && one.is_exact()) {
          ASSERT_EQ(taken, reference.try_take(n, given)) << i;
          ASSERT_EQ(bucket.tokens(given), reference.tokens()) << i;
        }
      }
      expect_bounded(std::move(grants), one, capacity);
    }
  }
}

TEST(token_bucket, reserves_in_the_order_of_the_calls) {
  fake_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  EXPECT_EQ(bucket.reserve(20), 0ns);
  EXPECT_EQ(bucket.reserve(), 10ms);
  EXPECT_EQ(bucket.reserve(20), 210ms);
  EXPECT_EQ(bucket.tokens(), 0) << "never less";
  clock.advance(210ms - 1ns);
  EXPECT_FALSE(bucket.try_take());
  EXPECT_EQ(bucket.tokens(), 0);
  clock.advance(10ms + 1ns);
  EXPECT_TRUE(bucket.try_take());
  clock.advance(10ms);
  EXPECT_EQ(bucket.reserve(), 0ns);
}

TEST(token_bucket, says_when_a_reservation_is_there_at_any_rate) {
  for (const rate& one : rates) {
    fake_clock clock;
    token_bucket bucket(static_cast<double>(one.tokens), one.period, 4, clock);
    EXPECT_EQ(bucket.reserve(4), 0ns);
    for (int n = 1; n != 10; ++n) {
      const nanoseconds due((one.period.count() * n + one.tokens - 1) / one.tokens);
      const auto said = bucket.reserve();
      EXPECT_GE(said, due - (one.is_exact() ? 0ns : 1ns));
      EXPECT_LE(said, due + (one.is_exact() ? 0ns : 2ns));
    }
  }
}

TEST(token_bucket, reserves_no_further_than_time_goes) {
  fake_clock clock;
  token_bucket bucket(1, 1'000'000s, 1537, clock);
  EXPECT_EQ(bucket.reserve(1537), 0ns);
  EXPECT_EQ(bucket.reserve(1537), 1'537'000'000s);
  EXPECT_EQ(bucket.reserve(1537), 2 * 1'537'000'000s);
  EXPECT_EQ(bucket.reserve(1537), 3 * 1'537'000'000s);
  EXPECT_EQ(bucket.reserve(1537), nanoseconds::max()) << "the word ends there";
  EXPECT_EQ(bucket.reserve(1537), nanoseconds::max());
  clock.set(steady_deadline(1h) + 2 * 1'537'000'000s);
  EXPECT_FALSE(bucket.try_take());
}

TEST(token_bucket, has_a_last_time) {
  for (const rate& one : rates) {
    fake_clock clock(steady_deadline::max());
    token_bucket bucket(static_cast<double>(one.tokens), one.period, 100, clock);
    EXPECT_TRUE(bucket.try_take(100, end_of_time));
    EXPECT_EQ(take_all(bucket), 100) << "six years later";
    EXPECT_FALSE(bucket.wait_until(1, steady_deadline::max()));
    EXPECT_FALSE(bucket.try_take());
  }
}

TEST(token_bucket, waits_for_what_is_not_there) {
  watched_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  bucket.wait(20);
  const auto start = clock.now();
  steady_deadline woke{};
  std::thread waiter([&] {
    bucket.wait(5);
    woke = clock.now();
  });
  clock.until_parked(1);
  clock.advance(50ms - 1ns);
  EXPECT_FALSE(bucket.try_take()) << "they are promised";
  clock.advance(1ns);
  waiter.join();
  EXPECT_EQ(woke, start + 50ms);
  EXPECT_FALSE(bucket.try_take());
}

TEST(token_bucket, waits_no_longer_than_it_may_and_takes_nothing_then) {
  watched_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  EXPECT_TRUE(bucket.wait_for(20, 0s)) << "they are there";
  EXPECT_FALSE(bucket.wait_for(1, 0s));
  EXPECT_FALSE(bucket.wait_for(1, -1s));
  EXPECT_FALSE(bucket.wait_until(1, steady_deadline::min()));
  bool came = true;
  std::thread waiter([&] { came = bucket.wait_for(5, 50ms - 1ns); });
  clock.until_parked(1);
  clock.advance(10ms);
  EXPECT_TRUE(bucket.try_take()) << "it has reserved nothing";
  clock.advance(40ms);
  waiter.join();
  EXPECT_FALSE(came);
  EXPECT_EQ(bucket.tokens(), 4);
  std::thread in_time([&] { came = bucket.wait_for(5, 10ms); });
  clock.until_parked(2);
  clock.advance(10ms);
  in_time.join();
  EXPECT_TRUE(came);
  EXPECT_EQ(bucket.tokens(), 0);
}

TEST(token_bucket, gives_back_what_a_stopped_wait_took) {
  watched_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  bucket.wait(20);
  std::stop_source stop;
  bool came = true;
  std::thread waiter([&] { came = bucket.wait(20, stop.get_token()); });
  clock.until_parked(1);
  clock.advance(10ms);
  EXPECT_FALSE(bucket.try_take());
  stop.request_stop();
  waiter.join();
  EXPECT_FALSE(came);
  EXPECT_EQ(bucket.tokens(), 1);
  EXPECT_TRUE(bucket.try_take());
  EXPECT_FALSE(bucket.wait(1, stop.get_token()));
  EXPECT_FALSE(bucket.wait_for(1, 1h, stop.get_token()));
  EXPECT_FALSE(bucket.wait_for(1, 1ns, stop.get_token()));
  clock.advance(10ms);
  EXPECT_TRUE(bucket.wait(1, stop.get_token())) << "nothing to wait for";
}

TEST(token_bucket, keeps_what_others_reserved_when_a_wait_is_stopped) {
  watched_clock clock;
  token_bucket bucket(100, 1s, 20, clock);
  bucket.wait(20);
  std::stop_source stop;
  std::thread waiter([&] { EXPECT_FALSE(bucket.wait(5, stop.get_token())); });
  clock.until_parked(1);
  EXPECT_EQ(bucket.reserve(), 60ms);
  stop.request_stop();
  waiter.join();
  EXPECT_EQ(bucket.reserve(), 70ms);
}

TEST(token_bucket, wakes_by_the_real_clock_too) {
  token_bucket bucket(1000, 1s, 1);
  bucket.wait();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i != 5; ++i) bucket.wait();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 4ms) << "what was taken first may be from a millisecond before";
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  token_bucket slow(1, 1h, 1);
  slow.wait();
  EXPECT_FALSE(slow.wait(1, stop.get_token()));
}

TEST(token_bucket, stands_ready_before_main) {
  static constinit token_bucket bucket(100, 1s, 20);
  static constinit token_bucket odd(3, 1s, 20);
  EXPECT_TRUE(bucket.try_take(20));
  EXPECT_TRUE(odd.try_take(20, std::chrono::steady_clock::now()));
  EXPECT_EQ(bucket.capacity(), 20);
  static_assert(!std::is_copy_constructible_v<token_bucket> && !std::is_move_constructible_v<token_bucket>);
}

// ---- stress ----

// B13. Time stands: what all threads took is what was there, and no token twice.
TEST(token_bucket_stress, grants_each_token_once) {
  for (const int threads : {1, 2, 4}) {
    fake_clock clock;
    token_bucket bucket(100, 1s, many, clock);
    std::vector<std::int64_t> taken(static_cast<std::size_t>(threads));
    std::vector<std::thread> takers;
    std::barrier together(threads);
    for (auto& mine : taken) {
      takers.emplace_back([&] {
        together.arrive_and_wait();
        const auto now = clock.now();
        for (;;) {
          if (bucket.try_take(3, now))
            mine += 3;
          else if (bucket.try_take())
            mine += 1;
          else
            break;
        }
      });
    }
    for (auto& taker : takers) taker.join();
    std::int64_t all = 0;
    for (const auto mine : taken) all += mine;
    EXPECT_EQ(all, many);
  }
}

// X1. Both move the clock by a millisecond and then try, so it never is full after the first second's worth; nothing that
// comes is lost, and nothing is granted that has not come.
TEST(token_bucket_stress, gives_two_spinning_threads_a_hundred_a_second) {
  for (const int threads : {1, 2}) {
    fake_clock clock;
    token_bucket bucket(100, 1s, 100, clock);
    const auto start = clock.now();
    EXPECT_TRUE(bucket.try_take(100));
    std::atomic<std::int64_t> granted{100};
    std::vector<std::thread> spinning;
    for (int i = 0; i != threads; ++i) {
      spinning.emplace_back([&] {
        for (int step = 0; step != many; ++step) {
          const auto before = clock.now();
          clock.advance(1ms);
          granted += bucket.try_take(1, before);  // stale
          granted += bucket.try_take();
        }
      });
    }
    for (auto& one : spinning) one.join();
    granted += take_all(bucket);
    EXPECT_EQ(granted, 100 + (clock.now() - start) / 10ms);
  }
}

// B2. Times that threads disagree about, on a clock that moves; every span of them is counted. Odd rates too.
TEST(token_bucket_stress, is_bounded_over_every_span_of_times) {
  for (const rate& one : {rate{100, 1s}, rate{3, 1s}, rate{700'000'000, 1s}}) {
    for (const std::size_t threads : {1U, 3U}) {
      constexpr std::int64_t capacity = 10;
      fake_clock clock;
      token_bucket bucket(static_cast<double>(one.tokens), one.period, capacity, clock);
      const auto token = std::max<std::int64_t>(1, one.period.count() / one.tokens);
      std::vector<std::vector<grant>> grants(threads);
      std::vector<std::thread> takers;
      for (std::size_t i = 0; i != threads; ++i) {
        takers.emplace_back([&, i] {
          std::minstd_rand random(static_cast<unsigned>(i) + 1);
          for (int call = 0; call != 10 * rounds; ++call) {
            clock.advance(nanoseconds(1 + random() % static_cast<std::uint64_t>(token)));
            auto given = clock.now();
            if (random() % 3 == 0) given -= nanoseconds(random() % static_cast<std::uint64_t>(20 * token));
            const auto n = static_cast<std::int64_t>(1 + random() % 4);
            if (bucket.try_take(n, given)) grants[i].push_back({given, n});
          }
        });
      }
      for (auto& taker : takers) taker.join();
      std::vector<grant> all;
      for (const auto& some : grants) all.insert(all.end(), some.begin(), some.end());
      EXPECT_GT(all.size(), 100U);
      expect_bounded(std::move(all), one, capacity);
    }
  }
}

// B2. By the real clock, however slow the machine, with times injected that are up to all of the run old.
TEST(token_bucket_stress, is_bounded_by_the_real_clock_with_stale_times) {
  constexpr int per_second = 100'000, capacity = 100;
  token_bucket bucket(per_second, 1s, capacity);
  const auto start = std::chrono::steady_clock::now(), end = start + 60ms;
  std::atomic<std::int64_t> granted{0};
  std::vector<std::thread> takers;
  for (unsigned i = 0; i != 4; ++i) {
    takers.emplace_back([&, i] {
      std::minstd_rand random(i + 1);
      std::int64_t mine = 0;
      for (auto now = start; now < end; now = std::chrono::steady_clock::now()) {
        const auto age = nanoseconds(random() % static_cast<std::uint64_t>((now - start).count() + 1));
        mine += bucket.try_take(1, now - age);
        mine += bucket.try_take();
        mine += 2 * bucket.try_take(2, now);
      }
      granted += mine;
    });
  }
  for (auto& taker : takers) taker.join();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  EXPECT_LE(granted, capacity + per_second * passed.count());
  EXPECT_GE(granted, 1);
}

// Waits that are stopped and waits that are not: when all have ended nothing was lost but what stopped waits took before
// others reserved, and nothing came twice.
TEST(token_bucket_stress, waits_get_their_tokens_while_others_are_stopped) {
  fake_clock clock;
  token_bucket bucket(1000, 1s, 10, clock);
  const auto start = clock.now();
  bucket.wait(10);
  std::atomic<std::int64_t> granted{10};
  std::atomic<int> left{3};
  std::vector<std::thread> waiters;
  for (int i = 0; i != 3; ++i) {
    waiters.emplace_back([&, i] {
      for (int round = 0; round != rounds / 20; ++round) {
        if (i == 0) {
          std::stop_source stop;
          std::jthread stopper([&] { stop.request_stop(); });
          granted += 2 * bucket.wait(2, stop.get_token());
        } else {
          bucket.wait(i);
          granted += i;
        }
      }
      --left;
    });
  }
  while (left != 0) {
    clock.advance(1ms);
    std::this_thread::yield();
  }
  for (auto& waiter : waiters) waiter.join();
  EXPECT_LE(granted, 10 + (clock.now() - start) / 1ms);
  EXPECT_GE(granted, 10 + 3 * (rounds / 20));
}

}  // namespace
