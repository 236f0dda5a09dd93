// The loop that all waits stand on: no wake-up is lost, by waiters of all kinds at once.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

constexpr std::uint32_t is_open = 1;
constexpr std::uint32_t has_waiters = 2;

struct door : acqrel::waitable<door> {
  void open() noexcept {
    if ((state.exchange(is_open, std::memory_order_release) & has_waiters) != 0) acqrel::unpark_all(state);
  }
  void open_and_wake_nobody() noexcept { state.store(is_open, std::memory_order_release); }
  void open_for_one() noexcept {
    if ((state.exchange(is_open, std::memory_order_release) & has_waiters) != 0) acqrel::unpark_one(state);
  }
  bool await(const acqrel::patience& patience) const noexcept {
    return patience.await(state, has_waiters,
                          [this] { return (state.load(std::memory_order_acquire) & is_open) != 0; });
  }
  mutable acqrel::park_word state{0};
};

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(waitable, loses_no_wake_up) {
  const futex mode;
  door front;
  int letter = 0;
  std::thread postman([&] {
    letter = 1;
    front.open();
  });
  front.wait();
  EXPECT_EQ(letter, 1);
  postman.join();
}

MODEL(waitable, wakes_all_who_wait) {
  const futex mode;
  door front;
  std::thread postman([&] { front.open(); });
  std::thread guest([&] { front.wait(); });
  front.wait();
  guest.join();
  postman.join();
}

MODEL(waitable, may_be_destroyed_by_who_waited) {
  const futex mode;
  auto* const front = new door;
  std::thread postman([front] { front->open(); });
  front->wait();
  delete front;
  postman.join();
}

MODEL(waitable, gives_up_or_has_it) {
  const futex mode;
  door front;
  int letter = 0;
  std::thread postman([&] {
    letter = 1;
    front.open();
  });
  if (front.wait_for(std::chrono::seconds(1))) {
    EXPECT_EQ(letter, 1);
  }
  postman.join();
}

MODEL_FAILS(waitable, the_twin_that_wakes_nobody, "deadlock") {
  const futex mode;
  door front;
  std::thread postman([&] { front.open_and_wake_nobody(); });
  front.wait();
  postman.join();
}

MODEL_FAILS(waitable, the_twin_that_wakes_one_of_two, "deadlock") {
  const futex mode;
  door front;
  std::thread postman([&] { front.open_for_one(); });
  std::thread guest([&] { front.wait(); });
  front.wait();
  guest.join();
  postman.join();
}

}  // namespace
