// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/versioned.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using acqrel::versioned;

// The plain answer, to compare with call by call.
template <class T>
class plain_versioned {
 public:
  std::uint64_t set(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    return ++version_;
  }
  bool set_if(std::uint64_t expected, T value) {
    const std::lock_guard lock(mutex_);
    if (version_ != expected) return false;
    value_ = std::move(value);
    ++version_;
    return true;
  }
  std::uint64_t erase() {
    const std::lock_guard lock(mutex_);
    if (value_) ++version_;
    value_.reset();
    return version_;
  }
  std::pair<std::optional<T>, std::uint64_t> read() const {
    const std::lock_guard lock(mutex_);
    return {value_, version_};
  }

 private:
  mutable std::mutex mutex_;
  std::optional<T> value_;
  std::uint64_t version_ = 0;
};

// ---- semantics ----

TEST(versioned, is_at_version_0_until_it_is_set) {  // V1 G2
  versioned<int> cell;
  EXPECT_FALSE(cell.read());
  EXPECT_EQ(cell.version(), 0U);
  EXPECT_EQ(cell.get_snapshot().version(), 0U);
  EXPECT_EQ(cell.set(5), 1U);
  EXPECT_EQ(*cell.get_snapshot(), 5);
  EXPECT_EQ(cell.version(), 1U);
  const versioned<std::string> first("there from the start");
  EXPECT_EQ(first.version(), 1U);
}

TEST(versioned, keeps_value_and_version_together_for_who_holds_them) {  // V3
  versioned<std::string> cell;
  cell.set("one");
  const auto guard = cell.read();
  const auto kept = cell.get_snapshot();
  for (int i = 0; i != 100; ++i) cell.set("later");
  EXPECT_EQ(*guard, "one");
  EXPECT_EQ(guard.version(), 1U);
  EXPECT_EQ(*kept, "one");
  EXPECT_EQ(kept.version(), 1U);
  EXPECT_EQ(cell.version(), 101U);
}

TEST(versioned, sets_only_if_nothing_came_between) {  // V6
  versioned<std::unique_ptr<int>> cell;
  auto value = std::make_unique<int>(1);
  EXPECT_FALSE(cell.set_if(1, std::move(value)));
  ASSERT_NE(value, nullptr) << "the value stays with its caller";
  EXPECT_TRUE(cell.set_if(0, std::move(value))) << "from unset";
  EXPECT_EQ(cell.version(), 1U);
  EXPECT_FALSE(cell.set_if(0, std::make_unique<int>(2)));
  EXPECT_TRUE(cell.set_if(1, std::make_unique<int>(3)));
  EXPECT_EQ(**cell.read().operator->(), 3);
}

TEST(versioned, goes_on_counting_after_an_erase) {  // V5
  versioned<int> cell;
  EXPECT_EQ(cell.erase(), 0U) << "nothing to erase";
  cell.set(1);
  EXPECT_EQ(cell.erase(), 2U);
  EXPECT_FALSE(cell.read());
  EXPECT_EQ(cell.version(), 2U);
  EXPECT_EQ(cell.erase(), 2U) << "nothing to erase";
  EXPECT_FALSE(cell.set_if(1, 7)) << "the value of version 1 is gone";
  EXPECT_EQ(cell.set(3), 3U);
  EXPECT_EQ(*cell.get_snapshot(), 3);
}

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&&) { throw std::runtime_error("no"); }
};

TEST(versioned, publishes_nothing_when_moving_the_value_throws) {
  versioned<throws_when_moved> cell;
  EXPECT_THROW(cell.set(throws_when_moved()), std::runtime_error);
  EXPECT_EQ(cell.version(), 0U);
}

template <class Cell, class Value>
concept sets = requires(Cell& cell, Value&& value) {
  cell.set(std::forward<Value>(value));
};
template <class F>
concept dereferences = requires(F read) {
  *read();
};

TEST(versioned, gives_const_access_only_through_a_named_guard) {  // G5
  using guard = acqrel::versioned_guard<int>;
  using ptr = acqrel::versioned_ptr<int>;
  static_assert(std::is_same_v<decltype(*std::declval<guard&>()), const int&>);
  static_assert(std::is_same_v<decltype(*std::declval<ptr&>()), const int&>);
  static_assert(!dereferences<guard (*)()> && dereferences<guard& (*)()>);
  static_assert(!std::is_move_constructible_v<guard> && std::is_copy_constructible_v<ptr>);
  static_assert(!std::is_copy_constructible_v<versioned<int>>);
  static_assert(!sets<versioned<std::string>, std::string&> && sets<versioned<std::string>, std::string>);
  static_assert(sizeof(versioned<int>) == 64);
  SUCCEED();
}

TEST(versioned, destroys_each_value_once) {
  struct owner {
    explicit owner(long n) : value(std::make_unique<checked>(n)) {}
    std::unique_ptr<checked> value;
  };
  const long before = live_now();
  {
    versioned<owner> cell;
    for (long n = 0; n != 100; ++n) cell.set(owner(n));
    const auto kept = cell.get_snapshot();
    cell.erase();
    EXPECT_FALSE(cell.set_if(0, owner(1)));
    acqrel::drain();
    EXPECT_EQ(checked::live, before + 1);
    EXPECT_TRUE(kept->value->whole());
  }
  acqrel::drain();
  EXPECT_EQ(checked::live, before);
}

TEST(versioned, does_what_the_plain_one_does) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  versioned<int> cell;
  plain_versioned<int> plain;
  for (int step = 0; step != 5000; ++step) {
    const int value = static_cast<int>(random() % 100);
    switch (random() % 4) {
      case 0: ASSERT_EQ(cell.set(int(value)), plain.set(value)); break;
      case 1: ASSERT_EQ(cell.erase(), plain.erase()); break;
      default: {
        const std::uint64_t expected = plain.read().second - random() % 2;
        ASSERT_EQ(cell.set_if(expected, int(value)), plain.set_if(expected, value));
      }
    }
    const auto now = cell.read();
    const auto [wanted, version] = plain.read();
    ASSERT_EQ(now.version(), version);
    ASSERT_EQ(static_cast<bool>(now), wanted.has_value());
    ASSERT_EQ(wanted.value_or(-1), now ? *now : -1);
  }
}

// ---- stress ----

// All versions that all writers were given, together, are 1..N, each once. The value a writer sets is unknown to it
// beforehand, so readers check V3 by what the writers noted: the value of version v is that of the writer who got v.
TEST(versioned_stress, gives_out_dense_versions_each_with_its_own_value) {  // V2 V3 V4
  struct stamp {
    long writer, step;
  };
  constexpr long writers = 3;
  const long steps = 20'000 / fewer_when_sanitized;
  versioned<stamp> cell;
  std::vector<std::vector<std::uint64_t>> given(writers);
  std::vector<std::pair<stamp, std::uint64_t>> seen;
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  std::latch go(writers);
  for (long writer = 0; writer != writers; ++writer) {
    threads.emplace_back([&, writer] {
      auto& mine = given[static_cast<std::size_t>(writer)];
      go.arrive_and_wait();
      for (long step = 0; step != steps; ++step) {
        mine.push_back(cell.set({writer, step}));
        if (step % 64 == 0) std::this_thread::yield();
      }
    });
  }
  std::thread reader([&] {
    std::uint64_t newest = 0;
    while (!over.load(std::memory_order_relaxed)) {
      const auto now = cell.read();
      EXPECT_GE(now.version(), newest);
      if (now.version() != newest) seen.emplace_back(*now, now.version());
      newest = now.version();
      std::this_thread::yield();
    }
  });
  for (auto& thread : threads) thread.join();
  over = true;
  reader.join();
  EXPECT_EQ(cell.version(), static_cast<std::uint64_t>(writers * steps));
  std::vector<std::uint64_t> all;
  for (const auto& mine : given) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> wanted(all.size());
  std::iota(wanted.begin(), wanted.end(), 1);
  EXPECT_EQ(all, wanted);
  for (const auto& [value, version] : seen)
    ASSERT_EQ(given[static_cast<std::size_t>(value.writer)][static_cast<std::size_t>(value.step)], version);
}

// All threads try each version; each is won once, so the wins sum up to the last version.
TEST(versioned_stress, lets_one_of_several_equal_attempts_win) {  // V6
  const long rounds = 10'000 / fewer_when_sanitized;
  versioned<long> cell;
  std::vector<long> wins(3);
  std::vector<std::thread> threads;
  for (auto& mine : wins) {
    threads.emplace_back([&] {
      for (;;) {
        const std::uint64_t version = cell.version();
        if (version == static_cast<std::uint64_t>(rounds)) break;
        mine += cell.set_if(version, long{1}) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::accumulate(wins.begin(), wins.end(), 0L), rounds);
}

}  // namespace
