// one_shot under the checker: each edge, the sleepers, and the cell that its waiter destroys.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/one_shot.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

struct pair {
  explicit pair(int n) noexcept : number(n), opposite(~n) {}
  int number, opposite;
};

// Writes into its place, then throws if it is the first to be built.
struct second_time_lucky {
  explicit second_time_lucky(int& builds) : number(5) {
    if (builds++ == 0) throw 1;
  }
  int number;
};

MODEL(one_shot, shows_the_finished_value_or_none, .shows = {"one_shot.ready"}) {
  acqrel::one_shot<pair> cell;
  std::thread publisher([&] { cell.emplace(1); });
  if (const pair* const seen = cell.get()) {
    EXPECT_EQ(seen->opposite, ~seen->number);
  }
  publisher.join();
}

MODEL(one_shot, carries_what_came_before_to_who_waits, .shows = {"one_shot.ready"}) {
  const futex mode;
  acqrel::one_shot<pair> cell;
  int before = 0;
  std::thread publisher([&] {
    before = 1;
    cell.emplace(2);
  });
  EXPECT_EQ(cell.wait().number, 2);
  EXPECT_EQ(before, 1);
  publisher.join();
}

MODEL(one_shot, has_one_winner_and_a_value_for_the_loser) {
  const futex mode;
  acqrel::one_shot<pair> cell;
  bool other_won = false;
  std::thread other([&] {
    other_won = cell.emplace(1);
    EXPECT_NE(cell.get(), nullptr);
  });
  const bool won = cell.emplace(2);
  const pair* const seen = cell.get();
  other.join();
  ASSERT_NE(seen, nullptr);
  EXPECT_NE(won, other_won);
  EXPECT_EQ(seen->number, won ? 2 : 1);
}

// Whoever builds first throws, and leaves a place that it has written to.
MODEL(one_shot, hands_the_place_on_when_a_constructor_throws, .shows = {"one_shot.retry"}) {
  const futex mode;
  acqrel::one_shot<second_time_lucky> cell;
  int builds = 0;
  const auto publish = [&] {
    try {
      return cell.emplace(builds);
    } catch (int) {
      return false;
    }
  };
  bool other_won = false;
  std::thread other([&] { other_won = publish(); });
  const bool won = publish();
  other.join();
  EXPECT_EQ(builds, 2);
  EXPECT_NE(won, other_won);
  EXPECT_EQ(cell.get()->number, 5);
}

MODEL(one_shot, keeps_waiters_through_a_constructor_that_throws) {
  const futex mode;
  acqrel::one_shot<second_time_lucky> cell;
  std::thread publisher([&] {
    int builds = 0;
    try {
      cell.emplace(builds);
    } catch (int) {
      cell.emplace(builds);
    }
  });
  EXPECT_EQ(cell.wait().number, 5);
  publisher.join();
}

MODEL(one_shot, may_be_destroyed_by_who_waited) {  // S7
  const futex mode;
  auto* const cell = new acqrel::one_shot<pair>;
  std::thread publisher([cell] { cell->emplace(1); });
  (void)cell->wait();
  delete cell;
  publisher.join();
}

// ---- what goes wrong without ----

// Reads its word again to find out whether to wake somebody: who waited has destroyed it by then.
struct twin_that_looks_again {
  acqrel::park_word state{0};
  void publish() {
    state.fetch_or(2, std::memory_order_release);
    if ((state.load(std::memory_order_relaxed) & 4) != 0) acqrel::unpark_all(state);
  }
  void wait() {
    (void)acqrel::patience().await(state, 4, [this] { return (state.load(std::memory_order_acquire) & 2) != 0; });
  }
};
MODEL_FAILS(one_shot, the_twin_that_looks_again_after_publishing, "use after free") {
  const futex mode;
  auto* const cell = new twin_that_looks_again;
  std::thread publisher([cell] { cell->publish(); });
  cell->wait();
  delete cell;
  publisher.join();
}

// A second publisher is told it lost as soon as another has claimed; that one throws, and nobody has published.
struct twin_that_does_not_wait_for_the_outcome {
  std::atomic<int> state{0};
  bool publish(bool throws) {
    int empty = 0;
    if (!state.compare_exchange_strong(empty, 1, std::memory_order_acquire, std::memory_order_relaxed)) return false;
    state.store(throws ? 0 : 2, std::memory_order_release);
    return !throws;
  }
};
MODEL_FAILS(one_shot, the_twin_that_gives_up_on_a_claim, "assertion") {
  twin_that_does_not_wait_for_the_outcome cell;
  std::thread first([&] { cell.publish(true); });
  acqrel::model::expect(cell.publish(false) || cell.state.load(std::memory_order_relaxed) == 2,
                        "who lost finds a value");
  first.join();
}

}  // namespace
