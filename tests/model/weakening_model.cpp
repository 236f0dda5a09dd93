// Weakened twins from end to end: the tags of this file, found through debug information, are lowered while it runs.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

using acqrel::model::check;
using acqrel::model::expect;
using acqrel::model::prove;
using acqrel::model::result;

// ---- a value behind a flag: two tags of one edge

class mailbox {
 public:
  void send(int letter) {
    letter_ = letter;
    // edge demo.ready: release
    ready_.store(true, std::memory_order_release);
  }
  const int* look() const {
    // edge demo.ready: acquire
    return ready_.load(std::memory_order_acquire) ? &letter_ : nullptr;
  }

 private:
  int letter_ = 0;
  std::atomic<bool> ready_ = false;
};

void one_letter() {
  mailbox box;
  std::thread writer([&] { box.send(42); });
  if (const int* letter = box.look()) expect(*letter == 42);
  writer.join();
}

MODEL(weakening, a_flag_carries_what_was_written_before, .shows = {"demo.ready"}) { one_letter(); }
MODEL_FAILS(weakening, both_sides, "data race", .weaken = {"demo.ready"}) { one_letter(); }

// ---- each side alone, by a name of its own

MODEL(weakening, each_side_of_a_pair_is_needed, .shows = {"demo.release_side", "demo.acquire_side"}) {
  int data = 0;
  std::atomic<int> flag = 0;
  std::thread writer([&] {
    data = 1;
    // edge demo.release_side: release
    flag.store(1, std::memory_order_release);
  });
  // edge demo.acquire_side: acquire
  if (flag.load(std::memory_order_acquire) == 1) expect(data == 1);
  writer.join();
}

// ---- an operation that ends one edge and begins another

MODEL(weakening, an_operation_between_two_edges_loses_only_its_part_of_one, .shows = {"demo.first", "demo.second"}) {
  int one = 0, two = 0;
  std::atomic<int> step = 0;
  std::thread first([&] {
    one = 1;
    // edge demo.first: release
    step.store(1, std::memory_order_release);
  });
  std::thread second([&] {
    two = 2;
    int seen = 1;
    // edge demo.first: acquire
    // edge demo.second: release
    if (step.compare_exchange_strong(seen, 2, std::memory_order_acq_rel, std::memory_order_relaxed)) expect(one == 1);
  });
  // edge demo.second: acquire
  if (step.load(std::memory_order_acquire) == 2) expect(two == 2);
  first.join();
  second.join();
}

// ---- fences: a weakened one is not there

MODEL(weakening, fences_make_an_edge_of_relaxed_operations, .shows = {"demo.fences"}) {
  int data = 0;
  std::atomic<int> flag = 0;
  std::thread writer([&] {
    data = 1;
    // edge demo.fences: release
    std::atomic_thread_fence(std::memory_order_release);
    flag.store(1, std::memory_order_relaxed);
  });
  if (flag.load(std::memory_order_relaxed) == 1) {
    // edge demo.fences: acquire
    std::atomic_thread_fence(std::memory_order_acquire);
    expect(data == 1);
  }
  writer.join();
}

MODEL(weakening, one_of_two_threads_sees_the_other, .shows = {"demo.order"}) {
  std::atomic<int> x = 0, y = 0;
  int seen = 0;
  std::thread other([&] {
    // edge demo.order: seq_cst  shape SB
    x.store(1, std::memory_order_seq_cst);
    // edge demo.order: seq_cst  shape SB
    seen = y.load(std::memory_order_seq_cst);
  });
  // edge demo.order: seq_cst  shape SB
  y.store(1, std::memory_order_seq_cst);
  // edge demo.order: seq_cst  shape SB
  const int mine = x.load(std::memory_order_seq_cst);
  other.join();
  expect(seen + mine > 0);
}

// ---- the failing order of a compare-exchange

MODEL(weakening, a_compare_exchange_that_fails_may_be_the_acquire_side, .shows = {"demo.failing"}) {
  int data = 0;
  std::atomic<int> flag = 0;
  std::thread writer([&] {
    data = 1;
    // edge demo.failing: release
    flag.store(1, std::memory_order_release);
  });
  int expected = 2;
  // edge demo.failing: acquire / acquire
  if (!flag.compare_exchange_strong(expected, 3, std::memory_order_acquire, std::memory_order_acquire) && expected == 1)
    expect(data == 1);
  writer.join();
}

// ---- operations inside a function of the standard library that is not inlined

MODEL(weakening, a_function_that_is_not_inlined_has_the_tag_of_its_call,
      .shows = {"demo.outer_store", "demo.outer_load"}) {
  void (std::atomic<bool>::*volatile store)(bool, std::memory_order) noexcept = &std::atomic<bool>::store;
  bool (std::atomic<bool>::*volatile load)(std::memory_order) const noexcept = &std::atomic<bool>::load;
  int data = 0;
  std::atomic<bool> flag = false;
  std::thread writer([&] {
    data = 1;
    // edge demo.outer_store: release
    (flag.*store)(true, std::memory_order_release);
  });
  // edge demo.outer_load: acquire
  if ((flag.*load)(std::memory_order_acquire)) expect(data == 1);
  writer.join();
}

// ---- what is not shown is said

TEST(weakening, a_test_that_does_not_miss_an_edge_fails) {
  const result r = prove({.name = "nobody looks", .shows = {"demo.unused"}}, [] {
    std::atomic<int> flag = 0;
    std::thread writer([&] {
      // edge demo.unused: release
      flag.store(1, std::memory_order_release);
    });
    // edge demo.unused: acquire
    static_cast<void>(flag.load(std::memory_order_acquire));
    writer.join();
  });
  EXPECT_FALSE(r.passed());
  EXPECT_EQ(r.trouble, "edge not shown");
  EXPECT_NE(r.message.find("edge demo.unused is not shown"), std::string::npos) << r.message;
  EXPECT_NE(r.message.find("passes in all"), std::string::npos) << r.message;
  EXPECT_EQ(r.edges, std::vector<std::string>{"demo.unused"});
}

TEST(weakening, a_test_that_does_not_meet_an_edge_fails) {
  const result r = prove({.name = "elsewhere", .shows = {"demo.elsewhere"}}, one_letter);
  EXPECT_FALSE(r.passed());
  EXPECT_NE(r.message.find("no operation tagged"), std::string::npos) << r.message;
  EXPECT_NE(r.message.find("demo.ready"), std::string::npos) << r.message;
}

void one_letter_from_away();

TEST(weakening, a_source_that_cannot_be_read_is_named) {
  const result r = prove({.name = "away", .shows = {"demo.away"}}, one_letter_from_away);
  EXPECT_FALSE(r.passed());
  EXPECT_NE(r.message.find("gone/away.hpp cannot be read"), std::string::npos) << r.message;
}

TEST(weakening, an_edge_that_is_not_weakened_is_as_shipped_again) {
  EXPECT_TRUE(check(one_letter).passed());
  EXPECT_FALSE(check({.weaken = {"demo.ready"}}, one_letter).passed());
  EXPECT_TRUE(check({.weaken = {"demo.unused"}}, one_letter).passed());
  EXPECT_TRUE(check(one_letter).passed());
}

#line 1 "gone/away.hpp"
void one_letter_from_away() {
  std::atomic<int> flag = 0;
  // edge demo.away: release
  flag.store(1, std::memory_order_release);
}

}  // namespace
