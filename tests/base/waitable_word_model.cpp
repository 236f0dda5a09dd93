// Waiting on 63 bits by way of a bell that others share: no wake-up is lost, and a change ends before it is seen.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable_word.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::patience;
using acqrel::waitable_word;

constexpr auto one_more = [](std::uint64_t n) { return n + 1; };
constexpr auto reached(std::uint64_t wanted) {
  return [wanted](std::uint64_t n) { return n >= wanted; };
}

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(waitable_word, tells_with_a_value_all_that_led_to_it, .shows = {"waitable_word.value"}) {
  waitable_word word;
  int first = 0, second = 0;
  std::thread one([&] {
    first = 1;
    word.change(one_more);
  });
  std::thread two([&] {
    second = 1;
    word.change(one_more);
  });
  if (word.value() == 2) {
    EXPECT_EQ(first + second, 2);
  }
  one.join();
  two.join();
}

MODEL(waitable_word, tells_who_waited_too, .shows = {"waitable_word.value"}) {
  const futex mode;
  waitable_word word;
  int letter = 0;
  std::thread postman([&] {
    letter = 1;
    word.change(one_more);
  });
  EXPECT_TRUE(word.await(patience(), reached(1)));
  EXPECT_EQ(letter, 1);
  postman.join();
}

MODEL(waitable_word, loses_no_wake_up, .shows = {"waitable_word.bell"}) {
  const futex mode;
  waitable_word word;
  std::thread postman([&] { word.change(one_more); });
  EXPECT_TRUE(word.await(patience(), reached(1)));
  postman.join();
}

MODEL(waitable_word, loses_no_wake_up_over_changes_it_does_not_wait_for) {
  const futex mode;
  waitable_word word;
  std::thread postman([&] {
    word.change(one_more);
    word.change(one_more);
  });
  EXPECT_TRUE(word.await(patience(), reached(2)));
  postman.join();
}

MODEL(waitable_word, wakes_for_the_change_that_matters_only) {
  const futex mode;
  waitable_word word;
  std::thread postman([&] {
    word.change(one_more, reached(2));
    word.change(one_more, reached(2));
  });
  EXPECT_TRUE(word.await(patience(), reached(2)));
  postman.join();
}

MODEL(waitable_word, wakes_all_each_for_its_own_value) {
  const futex mode;
  waitable_word word;
  std::thread guest([&] { EXPECT_TRUE(word.await(patience(), reached(1))); });
  std::thread postman([&] { word.change([](std::uint64_t) { return std::uint64_t{2}; }); });
  EXPECT_TRUE(word.await(patience(), reached(2)));
  guest.join();
  postman.join();
}

MODEL(waitable_word, may_be_destroyed_by_who_waited) {
  const futex mode;
  auto* const word = new waitable_word;
  const auto change = [word] { word->change(one_more, reached(2)); };
  std::thread one(change), two(change);
  EXPECT_TRUE(word->await(patience(), reached(2)));
  delete word;
  one.join();
  two.join();
}

MODEL(waitable_word, gives_up_or_has_it) {
  const futex mode;
  waitable_word word;
  int letter = 0;
  std::thread postman([&] {
    letter = 1;
    word.change(one_more);
  });
  if (word.await(patience(acqrel::deadline_after(std::chrono::seconds(1))), reached(1))) {
    EXPECT_EQ(letter, 1);
  }
  postman.join();
}

// The same protocol with one step wrong.
enum class mistake : std::uint8_t {
  none,
  rings_first,
  rings_for_one,
  keeps_no_bit,
  looks_first,
  forgets_the_bit_was_taken,
  own_bell
};

template <mistake wrong>
struct twin {
  void increment() {
    if (wrong == mistake::rings_first) ring();
    if (wrong == mistake::own_bell) {  // a bell in the object, rung after the change was seen
      word.fetch_add(2, std::memory_order_acq_rel);
      return ring();
    }
    const std::uint64_t before = word.load(std::memory_order_relaxed);
    if ((word.exchange((before & ~awaited) + 2, std::memory_order_acq_rel) & awaited) != 0 &&
        wrong != mistake::rings_first)
      ring();
  }
  void ring() {
    bell.fetch_add(1, std::memory_order_release);
    if (wrong == mistake::rings_for_one) return acqrel::unpark_one(bell);
    acqrel::unpark_all(bell);
  }
  void await(std::uint64_t wanted) {
    for (;;) {
      if (wrong != mistake::keeps_no_bit) word.fetch_or(awaited, std::memory_order_relaxed);
      if (wrong == mistake::looks_first && word.load(std::memory_order_acquire) >> 1 >= wanted) return;
      const std::uint32_t heard = bell.load(std::memory_order_acquire);
      const std::uint64_t seen = word.load(std::memory_order_acquire);
      if (wrong != mistake::looks_first && seen >> 1 >= wanted) return;
      if ((seen & awaited) != 0 || wrong == mistake::forgets_the_bit_was_taken || wrong == mistake::keeps_no_bit ||
          wrong == mistake::looks_first)
        acqrel::park(bell, heard);
    }
  }
  static constexpr std::uint64_t awaited = 1;
  std::atomic<std::uint64_t> word{0};
  acqrel::park_word bell{0};
};

template <mistake wrong>
void two_changes_and_one_who_waits_for_both() {
  const futex mode;
  twin<wrong> word;
  std::thread postman([&] {
    word.increment();
    word.increment();
  });
  word.await(2);
  postman.join();
}

template <mistake wrong>
void one_change_and_two_who_wait() {
  const futex mode;
  twin<wrong> word;
  std::thread guest([&] { word.await(1); });
  std::thread postman([&] { word.increment(); });
  word.await(1);
  guest.join();
  postman.join();
}

MODEL(waitable_word, the_twin_without_a_mistake) { two_changes_and_one_who_waits_for_both<mistake::none>(); }
MODEL(waitable_word, the_twin_without_a_mistake_and_two_who_wait) { one_change_and_two_who_wait<mistake::none>(); }
MODEL_FAILS(waitable_word, the_twin_that_rings_before_the_change, "deadlock") {
  one_change_and_two_who_wait<mistake::rings_first>();
}
MODEL_FAILS(waitable_word, the_twin_that_wakes_one_of_two, "deadlock") {
  one_change_and_two_who_wait<mistake::rings_for_one>();
}
MODEL_FAILS(waitable_word, the_twin_that_does_not_ask_to_be_woken, "deadlock") {
  one_change_and_two_who_wait<mistake::keeps_no_bit>();
}
MODEL_FAILS(waitable_word, the_twin_that_listens_after_it_looked, "deadlock") {
  one_change_and_two_who_wait<mistake::looks_first>();
}
MODEL_FAILS(waitable_word, the_twin_that_does_not_ask_again, "deadlock") {
  two_changes_and_one_who_waits_for_both<mistake::forgets_the_bit_was_taken>();
}
// Why the bells are shared and never destroyed.
MODEL_FAILS(waitable_word, the_twin_that_keeps_the_bell_in_the_object, "use after free") {
  const futex mode;
  auto* const word = new twin<mistake::own_bell>;
  std::thread postman([word] { word->increment(); });
  word->await(1);
  delete word;
  postman.join();
}

}  // namespace
