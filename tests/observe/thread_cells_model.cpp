// Records and pages that are met while they are made, and a record that has two owners one after the other.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/thread_cells.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using acqrel::thread_cells;

MODEL(thread_cells, sums_what_a_thread_writes_for_the_first_time,
      .shows = {"thread_cells.record", "thread_cells.page"}) {
  thread_cells words(1);
  std::thread other([&] { thread_cells::add(*words.mine(), 1); });
  const std::uint64_t seen = words.sum(0);
  EXPECT_LE(seen, 1U);
  other.join();
  EXPECT_EQ(words.sum(0), 1U);
}

MODEL(thread_cells, never_goes_down_for_one_who_asks_again) {
  thread_cells words(1);
  std::thread other([&] {
    thread_cells::add(*words.mine(), 1);
    thread_cells::add(*words.mine(), 1);
  });
  const std::uint64_t first = words.sum(0), second = words.sum(0);
  EXPECT_LE(first, second);
  EXPECT_LE(second, 2U);
  other.join();
}

// The second thread may get the record of the first, whose end it knows of by nothing else; and it goes on counting there.
MODEL(thread_cells, goes_on_where_a_thread_that_has_ended_left_off, .shows = {"thread_cells.owner"}) {
  thread_cells words(1);
  std::thread first([&] { thread_cells::add(*words.mine(), 1); });
  std::thread second([&] { thread_cells::add(*words.mine(), 1); });
  first.join();
  second.join();
  EXPECT_EQ(words.sum(0), 2U);
}

MODEL(thread_cells, begins_at_zero_where_others_counted_before) {
  std::thread other;
  {
    thread_cells before(1);
    other = std::thread([&] { thread_cells::add(*before.mine(), 5); });
    other.join();
  }
  thread_cells words(1);
  EXPECT_EQ(words.sum(0), 0U);
  thread_cells::add(*words.mine(), 1);
  EXPECT_EQ(words.sum(0), 1U);
}

// As thread_cells, but that all threads write one word with a load and a store.
MODEL_FAILS(thread_cells, the_twin_of_one_word_for_all, "assertion") {
  thread_cells::cell word{0};
  std::thread other([&] { thread_cells::add(word, 1); });
  thread_cells::add(word, 1);
  other.join();
  EXPECT_EQ(word.load(std::memory_order_relaxed), 2U);
}

}  // namespace
