// Parking: no wake-up is lost, and an unpark may come when the word is gone.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/park.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

using acqrel::park_word;

void wait_for(const park_word& word) {
  while (word.load(std::memory_order_acquire) == 0) acqrel::park(word, 0);
}

void no_wake_up_is_lost(const char* mode) {
  setenv("ACQREL_PARK", mode, 1);
  park_word word{0};
  int data = 0;
  std::thread waiter([&] {
    wait_for(word);
    EXPECT_EQ(data, 1);
  });
  data = 1;
  word.store(1, std::memory_order_release);
  acqrel::unpark_one(word);
  waiter.join();
}

MODEL(park, loses_no_wake_up) { no_wake_up_is_lost("futex"); }
MODEL(park, loses_no_wake_up_spuriously_woken, .spurious_wakeups = 1) { no_wake_up_is_lost("futex"); }
MODEL(park, loses_no_wake_up_in_the_table) { no_wake_up_is_lost("table"); }

MODEL(park, wakes_all) {
  setenv("ACQREL_PARK", "futex", 1);
  park_word word{0};
  std::thread one([&] { wait_for(word); }), two([&] { wait_for(word); });
  word.store(1, std::memory_order_release);
  acqrel::unpark_all(word);
  one.join();
  two.join();
}

MODEL_FAILS(park, the_twin_that_wakes_one_of_two, "deadlock") {
  setenv("ACQREL_PARK", "futex", 1);
  park_word word{0};
  std::thread one([&] { wait_for(word); }), two([&] { wait_for(word); });
  word.store(1, std::memory_order_release);
  acqrel::unpark_one(word);
  one.join();
  two.join();
}

MODEL_FAILS(park, the_twin_that_wakes_before_it_stores, "deadlock") {
  setenv("ACQREL_PARK", "futex", 1);
  park_word word{0};
  std::thread waiter([&] { wait_for(word); });
  acqrel::unpark_one(word);
  word.store(1, std::memory_order_release);
  waiter.join();
}

// Whoever saw the word change may destroy it while the unpark is still on its way.
MODEL(park, the_word_may_be_gone_when_it_is_unparked) {
  setenv("ACQREL_PARK", "futex", 1);
  auto* const word = new park_word{0};
  std::thread waiter([word] {
    wait_for(*word);
    delete word;
  });
  const park_word& same = *word;
  word->store(1, std::memory_order_release);
  acqrel::unpark_one(same);
  waiter.join();
}

}  // namespace
