// bloom_set in every execution: no bit is lost; an add() that happens before is found; and nothing more is promised.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/bloom_set.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using acqrel::bloom_set;
using model_shape = bloom_set::shape;

// The library's but for the one operation that sets a bit. One word.
class stores {
 public:
  explicit stores(const model_shape&) {}
  bool add(int key) {
    const auto seen = word_.load(std::memory_order_relaxed);
    word_.store(seen | std::uint64_t{1} << key, std::memory_order_relaxed);
    return (seen >> key & 1) == 0;
  }
  bool contains(int key) const { return (word_.load(std::memory_order_relaxed) >> key & 1) != 0; }

 private:
  std::atomic<std::uint64_t> word_{0};
};

template <class Set>
void two_adders() {
  Set set(model_shape{.bits = 64, .hashes = 2});
  std::thread other([&] { set.add(1); });
  set.add(2);
  other.join();
  EXPECT_TRUE(set.contains(1));
  EXPECT_TRUE(set.contains(2));
}
MODEL(bloom_set, loses_no_bit_of_two_adders) { two_adders<bloom_set>(); }
MODEL_FAILS(bloom_set, the_twin_that_stores_loses_one, "assertion") { two_adders<stores>(); }

// With one bit a key, one of two is first.
template <class Set>
void news_for_one() {
  Set set(model_shape{.bits = 64, .hashes = 1});
  bool other = false;
  std::thread rival([&] { other = set.add(1); });
  const bool mine = set.add(1);
  rival.join();
  EXPECT_NE(mine, other);
}
MODEL(bloom_set, is_news_to_one_of_two_where_a_key_has_one_bit) { news_for_one<bloom_set>(); }
MODEL_FAILS(bloom_set, the_twin_that_stores_is_news_to_both, "assertion") { news_for_one<stores>(); }

// BF1: found by whoever was told of it by an edge of the caller's own.
MODEL(bloom_set, finds_what_happens_before) {
  bloom_set set(model_shape{.bits = 64, .hashes = 2});
  std::atomic<bool> added{false};
  std::thread reader([&] {
    if (added.load(std::memory_order_acquire)) {
      EXPECT_TRUE(set.contains(1));
    }
  });
  set.add(1);
  added.store(true, std::memory_order_release);
  reader.join();
}
MODEL_FAILS(bloom_set, may_not_find_what_it_heard_of_without_an_edge, "assertion") {
  bloom_set set(model_shape{.bits = 64, .hashes = 2});
  std::atomic<bool> added{false};
  std::thread reader([&] {
    if (added.load(std::memory_order_relaxed)) {
      EXPECT_TRUE(set.contains(1));
    }
  });
  set.add(1);
  added.store(true, std::memory_order_relaxed);
  reader.join();
}

// A "there" publishes nothing of what its adder did before.
MODEL_FAILS(bloom_set, taken_for_a_message_is_a_race, "data race") {
  bloom_set set(model_shape{.bits = 64, .hashes = 2});
  int record = 0;
  std::thread reader([&] {
    if (set.contains(1)) {
      EXPECT_EQ(record, 5);
    }
  });
  record = 5;
  set.add(1);
  reader.join();
}

// What is merged and kept while another adds: its own all, of the other's what happened before.
MODEL(bloom_set, merges_beside_an_adder) {
  bloom_set set(model_shape{.bits = 64, .hashes = 1}), more(model_shape{.bits = 64, .hashes = 1});
  more.add(3);
  std::thread other([&] { set.add(1); });
  set.merge(more);
  EXPECT_TRUE(set.contains(3));
  other.join();
  EXPECT_TRUE(set.contains(1));
}

}  // namespace
