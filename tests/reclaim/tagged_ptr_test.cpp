// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reclaim/tagged_ptr.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using acqrel::atomic_packed_ptr;
using acqrel::atomic_tagged_ptr;
using acqrel::tagged_ptr;

namespace {

struct node {
  std::atomic<node*> below{nullptr};
  long owner = 0;
};

// What the document does: the pointer alone.
class naive_ptr {
 public:
  tagged_ptr<node> load() const { return {held_.load(std::memory_order_acquire), 0}; }
  bool compare_exchange(tagged_ptr<node>& expected, node* desired) {
    return held_.compare_exchange_strong(expected.pointer, desired, std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }

 private:
  std::atomic<node*> held_{nullptr};
};

template <class Top>
void push(Top& top, node* added) {
  tagged_ptr<node> seen = top.load();
  do added->below.store(seen.pointer, std::memory_order_relaxed);
  while (!top.compare_exchange(seen, added));
}

template <class Top>
node* pop(Top& top) {
  tagged_ptr<node> seen = top.load();
  while (seen.pointer != nullptr && !top.compare_exchange(seen, seen.pointer->below.load(std::memory_order_relaxed))) {
  }
  return seen.pointer;
}

// ---- semantics ----

template <class Top>
class tagged : public ::testing::Test {};
using both = ::testing::Types<atomic_tagged_ptr<node>, atomic_packed_ptr<node>>;
TYPED_TEST_SUITE(tagged, both);

TYPED_TEST(tagged, counts_each_exchange) {
  node one, two;
  TypeParam top(&one);
  tagged_ptr<node> seen = top.load();
  EXPECT_EQ(seen, (tagged_ptr<node>{&one, 0}));
  EXPECT_TRUE(top.compare_exchange(seen, &two));
  EXPECT_FALSE(top.compare_exchange(seen, &two));
  EXPECT_EQ(seen, (tagged_ptr<node>{&two, 1}));
  EXPECT_TRUE(top.compare_exchange(seen, nullptr));
  EXPECT_EQ(top.load(), (tagged_ptr<node>{nullptr, 2}));
  EXPECT_EQ(TypeParam().load(), tagged_ptr<node>());
}

// A pop that was held up while a and b were popped and a pushed again. Gives whether it then succeeded.
template <class Top>
bool replays() {
  Top top;
  node a, b, c;
  for (node* each : {&c, &b, &a}) push(top, each);
  tagged_ptr<node> held_up = top.load();
  node* const below = held_up.pointer->below.load(std::memory_order_relaxed);
  EXPECT_EQ(pop(top), &a);
  EXPECT_EQ(pop(top), &b);
  push(top, &a);
  const bool succeeded = top.compare_exchange(held_up, below);
  // Right: c below a. Wrong: b, which its owner holds, is on top, and c is lost when it is used again.
  EXPECT_EQ(top.load().pointer, succeeded ? &b : &a);
  return succeeded;
}

TEST(tagged_ptr, is_needed_against_a_b_a) { EXPECT_TRUE(replays<naive_ptr>()); }

TYPED_TEST(tagged, refuses_the_replay_of_a_b_a) { EXPECT_FALSE(replays<TypeParam>()); }  // L5

TYPED_TEST(tagged, tells_generations_apart_when_a_packed_one_comes_round) {
  constexpr bool packed = sizeof(TypeParam) == 8;
  node one;
  TypeParam top(&one);
  tagged_ptr<node> old = top.load(), seen = old;
  for (int n = 0; n < 65'535; ++n) {
    ASSERT_TRUE(top.compare_exchange(seen, &one));
    ++seen.generation;
  }
  tagged_ptr<node> before = old;
  EXPECT_FALSE(top.compare_exchange(before, &one));
  ASSERT_TRUE(top.compare_exchange(seen, &one));
  EXPECT_EQ(top.compare_exchange(old, &one), packed);  // what 16 bits mean
}

TEST(packed_ptr, refuses_an_address_that_it_has_no_room_for) {
  atomic_packed_ptr<char> top;
  char* const far = reinterpret_cast<char*>(std::uintptr_t{0x00ff'0000'1234'5678});
  tagged_ptr<char> seen = top.load();
  try {
    (void)top.compare_exchange(seen, far);
    FAIL() << "it took it";
  } catch (const std::range_error& refused) {
    EXPECT_NE(std::strstr(refused.what(), "0xff000012345678"), nullptr) << refused.what();
    EXPECT_NE(std::strstr(refused.what(), "atomic_tagged_ptr"), nullptr) << refused.what();
  }
  EXPECT_EQ(top.load(), tagged_ptr<char>());
  EXPECT_THROW(atomic_packed_ptr<char>{far}, std::range_error);
  atomic_tagged_ptr<char> wide(far);
  EXPECT_EQ(wide.load().pointer, far);
}

static_assert(sizeof(atomic_tagged_ptr<node>) == 16 && alignof(atomic_tagged_ptr<node>) == 16);
static_assert(sizeof(atomic_packed_ptr<node>) == 8);

// ---- stress ----

// Four threads take nodes of a shared list and put them back at once. Who has a node writes to it: nobody else may.
template <class Top>
void circulate(long rounds) {
  Top top;
  std::array<node, 6> nodes;
  for (node& each : nodes) push(top, &each);
  std::vector<std::thread> running;
  for (long t = 1; t <= 4; ++t) {
    running.emplace_back([&, t] {
      for (long n = 0; n < rounds; ++n) {
        node* const first = pop(top);
        node* const second = pop(top);
        for (node* mine : {first, second})
          if (mine != nullptr) mine->owner = t;
        for (node* mine : {first, second}) {
          if (mine == nullptr) continue;
          ASSERT_EQ(mine->owner, t);
          push(top, mine);
        }
      }
    });
  }
  for (auto& one : running) one.join();
  std::size_t left = 0;
  while (pop(top) != nullptr && left <= nodes.size()) ++left;
  EXPECT_EQ(left, nodes.size());
}

TYPED_TEST(tagged, loses_no_node_that_is_used_again_at_once) {  // L1 L4
  circulate<TypeParam>(50'000 / fewer_when_sanitized);
}

}  // namespace
