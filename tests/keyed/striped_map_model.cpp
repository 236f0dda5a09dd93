// striped_map under the checker: what with() does is one step, and a walk beside it. Its edge is fair_mutex's.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/striped_map.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using map = acqrel::striped_map<int, int>;

// Two stripes, and keys where the seed 0 puts them: in all executions the same.
void begin() {
  setenv("ACQREL_PARK", "futex", 1);
  (void)acqrel::park_mode_in_use();  // so that no two threads are the first to ask
  acqrel::fair_mutex::hand_over_after(std::chrono::nanoseconds::max());
}

MODEL(striped_map, does_several_steps_as_one, .shows = {"fair_mutex.held"}) {
  begin();
  map counts(1, 0);
  const auto next = [](std::optional<int>& value) { return (value = value.value_or(0) + 1).value(); };
  int other = 0;
  std::thread second([&] { other = counts.with(1, next); });
  const int mine = counts.with(1, next);
  second.join();
  EXPECT_EQ(mine + other, 3);
  EXPECT_EQ(counts.get(1), 2);
  EXPECT_EQ(counts.size(), 1U);
}

// The same in two calls.
MODEL_FAILS(striped_map, the_twin_that_reads_and_then_writes_loses_one, "assertion") {
  begin();
  map counts(1, 0);
  const auto next = [&] { counts.insert_or_assign(1, counts.get(1).value_or(0) + 1); };
  std::thread second(next);
  next();
  second.join();
  EXPECT_EQ(counts.get(1), 2);
}

MODEL(striped_map, gives_an_entry_to_one_of_two_who_take_it) {
  begin();
  map entries(1, 0);
  entries.insert(1, 5);
  std::optional<int> other;
  std::thread second([&] { other = entries.take(1); });
  const auto mine = entries.take(1);
  second.join();
  EXPECT_NE(mine.has_value(), other.has_value());
  EXPECT_EQ(mine.value_or(0) + other.value_or(0), 5);
  EXPECT_EQ(entries.size(), 0U);
}

MODEL(striped_map, adds_for_one_of_two_who_insert) {
  begin();
  map entries(1, 0);
  bool other = false;
  std::thread second([&] { other = entries.insert(1, 5); });
  const bool mine = entries.insert(1, 6);
  second.join();
  EXPECT_NE(mine, other);
  EXPECT_EQ(entries.get(1), mine ? 6 : 5);
}

MODEL(striped_map, changes_for_one_of_two_who_compare) {
  begin();
  map entries(1, 0);
  entries.insert(1, 5);
  bool other = false;
  std::thread second([&] { other = entries.compare_and_assign(1, 5, 7); });
  const bool mine = entries.compare_and_assign(1, 5, 6);
  second.join();
  EXPECT_NE(mine, other);
  EXPECT_EQ(entries.get(1), mine ? 6 : 7);
}

// Whatever its stripes do meanwhile: what stays is met once.
MODEL(striped_map, meets_what_stays_once_in_a_walk) {
  begin();
  map entries(2, 0);
  entries.insert(1, 10);
  std::thread second([&] { entries.insert(2, 20); });
  int ones = 0;
  entries.for_each([&](int key, int value) {
    ones += key == 1;
    EXPECT_EQ(value, 10 * key);
  });
  EXPECT_EQ(ones, 1);
  second.join();
}

// size() waits for nobody, and knows of what happened before it.
MODEL(striped_map, counts_what_happened_before) {
  begin();
  map entries(2, 0);
  entries.insert(1, 10);
  std::thread second([&] { entries.insert(2, 20); });
  const auto size = entries.size();
  EXPECT_TRUE(size == 1 || size == 2);
  second.join();
  EXPECT_EQ(entries.size(), 2U);
}

}  // namespace
