// The checker of histories, held to histories of which one knows the answer. Each call has the time it began and ended.
// SPDX-License-Identifier: Apache-2.0
#include "../linearizable.hpp"

#include "../keyed/map_spec.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <mutex>

namespace {

using linearizable::call;
using linearizable::in_some_order;

// A cell that holds a number, at first 0.
struct cell_spec {
  struct operation {
    bool writes = false;
    int value = 0;
  };
  using state = int;
  static bool step(int& now, const operation& o) {
    if (o.writes) now = o.value;
    return now == o.value;
  }
  static std::string text(const operation& o) { return (o.writes ? "write " : "read ") + std::to_string(o.value); }
};

struct queue_spec {
  struct operation {
    bool puts = false;
    int value = 0;  // -1: it was empty
  };
  using state = std::deque<int>;
  static bool step(state& now, const operation& o) {
    if (o.puts) return now.push_back(o.value), true;
    if (now.empty()) return o.value == -1;
    const int first = now.front();
    now.pop_front();
    return o.value == first;
  }
  static std::string text(const operation& o) { return (o.puts ? "put " : "get ") + std::to_string(o.value); }
};

call<cell_spec> write(int value, std::uint64_t from, std::uint64_t to) { return {{true, value}, from, to, 0}; }
call<cell_spec> read(int value, std::uint64_t from, std::uint64_t to) { return {{false, value}, from, to, 0}; }
call<queue_spec> put(int value, std::uint64_t from, std::uint64_t to) { return {{true, value}, from, to, 0}; }
call<queue_spec> get(int value, std::uint64_t from, std::uint64_t to) { return {{false, value}, from, to, 0}; }

// ---- semantics ----

TEST(linearizable, takes_calls_one_after_the_other_as_they_are) {
  EXPECT_TRUE(in_some_order<cell_spec>({}));
  EXPECT_TRUE(in_some_order<cell_spec>({write(1, 0, 1), read(1, 2, 3)}));
  EXPECT_FALSE(in_some_order<cell_spec>({write(1, 0, 1), read(0, 2, 3)})) << "read what was overwritten before";
  EXPECT_FALSE(in_some_order<cell_spec>({read(1, 0, 1), write(1, 2, 3)})) << "read what was written after";
  EXPECT_TRUE(in_some_order<cell_spec>({read(7, 0, 1)}, 7)) << "from another state at first";
}

TEST(linearizable, takes_calls_at_one_time_in_either_order) {
  EXPECT_TRUE(in_some_order<cell_spec>({write(1, 0, 3), read(0, 1, 2)}));
  EXPECT_TRUE(in_some_order<cell_spec>({write(1, 0, 3), read(1, 1, 2)}));
  EXPECT_FALSE(in_some_order<cell_spec>({write(1, 0, 5), read(1, 1, 2), read(0, 3, 4)})) << "new, then old";
  EXPECT_TRUE(in_some_order<cell_spec>({write(1, 0, 5), read(0, 1, 2), read(1, 3, 4)}));
}

// Two readers that see two writes in different orders: what sequential consistency forbids, and a missing fence allows.
TEST(linearizable, refuses_two_orders_of_two_writes) {
  EXPECT_FALSE(in_some_order<cell_spec>({write(1, 0, 9), write(2, 0, 9), read(1, 1, 2), read(2, 3, 4), read(1, 5, 6)}));
  EXPECT_TRUE(in_some_order<cell_spec>({write(1, 0, 9), write(2, 0, 9), read(1, 1, 2), read(2, 3, 4), read(2, 5, 6)}));
}

// Herlihy and Wing 1990, figure 1: queues.
TEST(linearizable, decides_the_histories_of_the_paper) {
  EXPECT_TRUE(in_some_order<queue_spec>({put(1, 0, 3), put(2, 1, 2), get(2, 4, 7), get(1, 5, 6)}));
  EXPECT_FALSE(in_some_order<queue_spec>({put(1, 0, 1), put(2, 2, 3), get(2, 4, 5)})) << "not the first";
  EXPECT_FALSE(in_some_order<queue_spec>({put(1, 0, 1), get(1, 2, 5), get(1, 3, 4)})) << "twice";
  EXPECT_FALSE(in_some_order<queue_spec>({put(1, 0, 1), get(-1, 2, 3)})) << "it was not empty";
  EXPECT_TRUE(in_some_order<queue_spec>({put(1, 0, 3), get(-1, 1, 2)}));
}

// All orders of 20 calls at one time are more than can be tried: what is remembered is not tried again.
TEST(linearizable, remembers_what_it_has_tried) {
  std::vector<call<cell_spec>> many;
  for (int n = 0; n != 20; ++n) many.push_back(write(1, 0, 100));
  many.push_back(read(2, 0, 100));
  EXPECT_FALSE(in_some_order(many));
  many.pop_back();
  EXPECT_TRUE(in_some_order(many));
}

TEST(linearizable, takes_64_calls_of_one_object_and_refuses_more) {
  std::vector<call<cell_spec>> all;
  for (int n = 0; n != 64; ++n) all.push_back(write(n, 2 * static_cast<unsigned>(n), 2 * static_cast<unsigned>(n) + 1));
  EXPECT_TRUE(in_some_order(all));
  all.push_back(read(63, 200, 201));
  EXPECT_THROW((void)in_some_order(all), std::invalid_argument);
}

// Of two keys each is right, or one is not: the text has the calls of that one only.
TEST(linearizable, decides_each_key_alone_and_says_what_is_wrong) {
  linearizable::history<map_spec> calls(2);
  calls.record(0, {.what = map_spec::insert, .key = 1}, [&](auto& o) {
    calls.record(1, {.what = map_spec::insert, .key = 2}, [](auto& of_two) { of_two.did = true; });
    o.did = true;
  });
  EXPECT_EQ(calls.broken(), "");
  calls.record(1, {.what = map_spec::find, .key = 2}, [](auto&) {});
  EXPECT_EQ(calls.broken(),
            "not linearizable:\n  thread 1  1 to 2  insert(2, 0): true\n  thread 1  4 to 5  find(2): nothing\n");
}

// By one thread, random calls of a right object are linearizable; with one answer changed they hardly ever are.
TEST(linearizable, notices_a_wrong_answer_among_random_ones) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::minstd_rand random(seed);
  int noticed = 0;
  for (int round = 0; round != 200; ++round) {
    std::vector<call<cell_spec>> calls;
    int now = 0;
    const auto wrong = random() % 12;
    for (unsigned n = 0; n != 12; ++n) {
      const bool writes = random() % 2 == 0;
      if (writes) now = static_cast<int>(random() % 3);
      calls.push_back({{writes, now}, 2 * n, 2 * n + 1, 0});
    }
    ASSERT_TRUE(in_some_order(calls));
    if (calls[wrong].what.writes) continue;
    calls[wrong].what.value = 3;
    ASSERT_FALSE(in_some_order(calls));
    ++noticed;
  }
  EXPECT_GT(noticed, 0);
}

// A map that asks and then puts: what comes between is made to.
TEST(linearizable, catches_the_map_that_asks_and_then_assigns) {
  std::optional<int> map;
  linearizable::history<map_spec> calls(2);
  const auto insert = [&map](auto& o, auto between) {
    const bool there = map.has_value();
    between();
    if (!there) map = o.value;
    o.did = !there;
  };
  calls.record(0, {.what = map_spec::insert, .key = 1, .value = 1}, [&](auto& o) {
    insert(o, [&] {
      calls.record(1, {.what = map_spec::insert, .key = 1, .value = 2}, [&](auto& other) { insert(other, [] {}); });
    });
  });
  EXPECT_NE(calls.broken(), "") << "both say that they were first";
}

// ---- stress ----

// A mutex makes anything linearizable.
TEST(linearizable_stress, finds_nothing_in_what_a_mutex_guards) {
  struct locked {
    std::mutex mutex;
    int value = 0;
  };
  const auto call = [](locked& cell, auto& calls, std::size_t thread, auto& random) {
    calls.record(thread, {random() % 2 == 0, static_cast<int>(random() % 3)}, [&](auto& o) {
      const std::lock_guard lock(cell.mutex);
      if (o.writes)
        cell.value = o.value;
      else
        o.value = cell.value;
    });
  };
  EXPECT_EQ((linearizable::find_broken<cell_spec, locked>(1, 300, 3, 6, call)), "");
}

}  // namespace
