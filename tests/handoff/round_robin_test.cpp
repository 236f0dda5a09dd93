// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/round_robin.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using acqrel::round_robin;

// The plain answer.
template <class T>
class reference_turns {
 public:
  explicit reference_turns(std::vector<T> items) : items_(std::move(items)) {}
  T next() {
    const std::lock_guard lock(mutex_);
    const T item = items_[at_];
    at_ = (at_ + 1) % items_.size();
    return item;
  }

 private:
  std::mutex mutex_;
  std::vector<T> items_;
  std::size_t at_ = 0;
};

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int i = 0; i != count; ++i) all.push_back(i);
  return all;
}

constexpr std::uint64_t half = std::uint64_t{1} << 63, last = ~std::uint64_t{0};

// ---- semantics ----

// RR1
TEST(round_robin, gives_each_in_turn) {
  round_robin<std::string> words({"one", "two", "three"});
  for (int round = 0; round != 3; ++round) {
    for (const char* word : {"one", "two", "three"}) {
      const auto next = words.next();
      ASSERT_TRUE(next);
      EXPECT_EQ(*next, word);
      EXPECT_EQ(next->size(), std::string(word).size());
      EXPECT_EQ(next.get(), &*next);
    }
  }
}

// RR2
TEST(round_robin, gives_nothing_of_an_empty_list) {
  static constinit round_robin<int> none;
  const auto nothing = none.next();
  EXPECT_FALSE(nothing);
  EXPECT_EQ(nothing.get(), nullptr);
  round_robin<int> emptied({1, 2});
  emptied.replace({});
  EXPECT_FALSE(emptied.next());
  emptied.replace({3});
  const auto again = emptied.next();
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, 3);
  EXPECT_FALSE(round_robin<int>({}, last).next());
}

// RR1
TEST(round_robin, begins_where_it_is_told) {
  for (const std::uint64_t first :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{5}, half - 1, half, half + 1, last}) {
    round_robin<int> turns(numbers(3), first);
    for (std::uint64_t i = 0; i != 9; ++i) {
      const auto item = turns.next();
      EXPECT_EQ(static_cast<std::uint64_t>(*item), (first % 3 + i) % 3) << first;
    }
  }
}

// RR3. The order goes on where the number is set back, whatever the size.
TEST(round_robin, goes_on_where_its_counter_is_set_back) {
  for (int size = 1; size != 20; ++size) {
    round_robin<int> turns(numbers(size), half - 20);
    const std::uint64_t begin = (half - 20) % static_cast<std::uint64_t>(size);
    for (std::uint64_t i = 0; i != 60; ++i) {
      const auto item = turns.next();
      ASSERT_EQ(static_cast<std::uint64_t>(*item), (begin + i) % static_cast<std::uint64_t>(size)) << size;
    }
  }
}

TEST(round_robin, goes_on_with_the_turns_when_the_list_is_replaced) {
  round_robin<int> turns(numbers(3));
  std::vector<int> given(3);
  for (int i = 0; i != 300; ++i) {
    const auto item = turns.next();
    ++given[static_cast<std::size_t>(*item)];
    turns.replace(numbers(3));
  }
  EXPECT_EQ(given, std::vector<int>({100, 100, 100})) << "the first of the list is not favoured";
}

TEST(round_robin, keeps_what_was_given_while_the_list_is_replaced) {
  {
    auto turns = std::make_unique<round_robin<std::unique_ptr<checked>>>();
    std::vector<std::unique_ptr<checked>> list;
    for (long n = 0; n != 3; ++n) list.push_back(std::make_unique<checked>(n));
    turns->replace(std::move(list));
    {
      const auto kept = turns->next();
      turns->replace({});
      EXPECT_EQ(live_now(), 3);
      turns.reset();
      EXPECT_TRUE((*kept)->whole());
      EXPECT_EQ(live_now(), 3) << "also when the round robin is gone";
    }
    EXPECT_EQ(live_now(), 0);
  }
}

// RR4
template <class T>
constexpr bool gives_const =
    std::is_const_v<std::remove_reference_t<decltype(*std::declval<const acqrel::round_robin_item<T>&>())>>;
template <class T>
concept reads_a_temporary = requires(round_robin<T>& turns) {
  *turns.next();
};
TEST(round_robin, gives_const_items_and_none_that_dangle) {
  static_assert(gives_const<std::string>);
  static_assert(!reads_a_temporary<std::string>);
  static_assert(!std::is_copy_constructible_v<acqrel::round_robin_item<int>> &&
                !std::is_move_constructible_v<acqrel::round_robin_item<int>>);
}

struct throws_when_copied {
  throws_when_copied() = default;
  throws_when_copied(const throws_when_copied&) { throw 1; }
  throws_when_copied(throws_when_copied&&) noexcept = default;
  int number = 7;
};

TEST(round_robin, is_as_before_when_a_copy_throws) {
  std::vector<throws_when_copied> one(1);
  round_robin<throws_when_copied> turns(std::move(one));
  const std::vector<throws_when_copied> two(2);
  EXPECT_THROW(turns.replace(two), int);
  const auto item = turns.next();
  EXPECT_EQ(item->number, 7);
}

TEST(round_robin, gives_what_the_reference_gives) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round != 100; ++round) {
    const int size = 1 + static_cast<int>(random() % 50);
    round_robin<int> turns(numbers(size));
    reference_turns<int> reference(numbers(size));
    for (int i = 0; i != 200; ++i) {
      const auto item = turns.next();
      ASSERT_EQ(*item, reference.next());
    }
  }
}

// ---- stress ----

// RR1, RR3. Of n turns of all threads each item has n / size, or one more, also where the number is set back among them.
TEST(round_robin_stress, gives_each_its_share) {
  for (const int threads : {1, 4}) {
    for (const std::uint64_t first : {std::uint64_t{0}, half - 1'000}) {
      constexpr int size = 7;
      const int each = 10'000 / static_cast<int>(fewer_when_sanitized);
      round_robin<int> turns(numbers(size), first);
      std::vector<std::vector<int>> given(static_cast<std::size_t>(threads), std::vector<int>(size));
      std::vector<std::thread> users;
      for (auto& mine : given) {
        users.emplace_back([&] {
          for (int i = 0; i != each; ++i) {
            const auto item = turns.next();
            ++mine[static_cast<std::size_t>(*item)];
          }
        });
      }
      for (auto& user : users) user.join();
      std::vector<int> all(size);
      for (const auto& some : given)
        for (std::size_t i = 0; i != size; ++i) all[i] += some[i];
      const auto [least, most] = std::minmax_element(all.begin(), all.end());
      EXPECT_LE(*most - *least, 1);
      EXPECT_EQ(*least, threads * each / size);
    }
  }
}

// RR4. Lists are replaced all the while, with one to four items that say which list they are of. Whoever has an item finds
// it whole, and no older than the one before.
TEST(round_robin_stress, gives_whole_items_of_newer_and_newer_lists) {
  round_robin<std::unique_ptr<checked>> turns;
  std::atomic<bool> over{false};
  std::vector<std::thread> users;
  for (int t = 0; t != 3; ++t) {
    users.emplace_back([&] {
      long seen = 0, got = 0;
      while (!over.load(std::memory_order_relaxed) || got == 0) {
        const auto item = turns.next();
        if (!item) continue;
        ++got;
        ASSERT_TRUE((*item)->whole());
        ASSERT_GE((*item)->number, seen);
        seen = (*item)->number;
      }
    });
  }
  for (long n = 0; n != 20'000 / fewer_when_sanitized; ++n) {
    std::vector<std::unique_ptr<checked>> list;
    for (long i = 0; i <= n % 4; ++i) list.push_back(std::make_unique<checked>(n));
    turns.replace(std::move(list));
  }
  over.store(true, std::memory_order_relaxed);
  for (auto& user : users) user.join();
  turns.replace({});
  EXPECT_EQ(live_now(), 0);
}

}  // namespace
