// Lazy: who gets the value gets all of it; a failure that is kept reaches all who wait; a retry loses none of them.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/lazy.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::on_error;
using acqrel::once_value;
using acqrel::model::expect;

// How to park and whether to spin is found out before the threads start, so that nothing is explored of that.
struct futex {
  futex() {
    setenv("ACQREL_PARK", "futex", 1);
    (void)acqrel::park_mode_in_use();
    (void)acqrel::spinner::spinning_pays();
  }
};

struct failure {};

MODEL(lazy, gives_both_the_same_whole_value, .shows = {"once.done"}) {
  const futex mode;
  const auto seven = once_value([] { return 7; });
  const int* others = nullptr;
  std::thread other([&] {
    EXPECT_EQ(seven.get(), 7);
    others = &seven.get();
  });
  EXPECT_EQ(seven.get(), 7);
  other.join();
  EXPECT_EQ(others, &seven.get());
}

MODEL(lazy, has_a_value_when_it_says_so, .shows = {"once.done"}) {
  const auto seven = once_value([] { return 7; });
  std::thread other([&] { EXPECT_EQ(seven.get(), 7); });
  if (seven.has_value()) {
    EXPECT_EQ(seven.get(), 7);
  }
  other.join();
}

MODEL(lazy, runs_again_on_what_a_failed_run_left, .shows = {"once.reopened"}) {
  const futex mode;
  const auto second = once_value<on_error::retry>([tries = 0]() mutable {
    if (++tries == 1) throw failure();
    return tries;
  });
  const auto get = [&] {
    try {
      EXPECT_EQ(second.get(), 2);
      return 0;
    } catch (const failure&) {
      return 1;
    }
  };
  int failures = 0;
  std::thread other([&] { failures = get(); });
  const int mine = get();
  other.join();
  EXPECT_EQ(failures + mine, 1);
}

MODEL(lazy, gives_all_the_one_failure_it_keeps) {
  const futex mode;
  int runs = 0;
  const auto never = once_value([&]() -> int {
    ++runs;
    throw failure();
  });
  const auto get = [&]() -> const failure* {
    try {
      (void)never.get();
    } catch (const failure& error) {
      return &error;
    }
    return nullptr;
  };
  const failure* others = nullptr;
  std::thread other([&] { others = get(); });
  const failure* const mine = get();
  other.join();
  EXPECT_NE(mine, nullptr);
  EXPECT_EQ(mine, others);
  EXPECT_EQ(runs, 1);
  expect(!never.has_value(), "a failure is no value");
}

// The captures outlive the turn, and the lazy: whoever got the value may destroy it while they go.
MODEL(lazy, may_be_destroyed_by_who_got_the_value) {
  const futex mode;
  struct capture {
    capture() = default;
    capture(capture&& from) noexcept : last(std::exchange(from.last, nullptr)) {}
    ~capture() {
      if (last != nullptr) ++*last;
    }
    int* last = nullptr;
  };
  int gone = 0;
  capture first;
  first.last = &gone;
  bool mine = false;
  auto make = [&mine, held = std::move(first), me = std::this_thread::get_id()] {
    mine = std::this_thread::get_id() == me;
    return 7;
  };
  auto* const seven = new acqrel::lazy(std::move(make));
  std::thread other([seven] { (void)seven->get(); });
  (void)seven->get();
  if (!mine) delete seven;
  other.join();
  if (mine) delete seven;
  EXPECT_EQ(gone, 1);
}

// ---- twins

MODEL_FAILS(lazy, the_twin_that_looks_twice_without_acquire, "data race") {
  const futex mode;
  acqrel::once flag;
  std::atomic<bool> made{false};
  int value = 0;
  const auto get = [&] {
    if (!made.load(std::memory_order_relaxed)) {
      flag.call([&] {
        value = 7;
        made.store(true, std::memory_order_release);
      });
    }
    return value;
  };
  std::thread other([&] { EXPECT_EQ(get(), 7); });
  EXPECT_EQ(get(), 7);
  other.join();
}

}  // namespace
