// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/stage_gate.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::stage_edge;
using acqrel::stage_gate;
using acqrel::stage_result;

enum class stage : std::uint8_t { init, running, stopping, stopped };
constexpr acqrel::stage_table table{stage_edge{stage::init, stage::running},
                                    stage_edge{stage::running, stage::stopping},
                                    stage_edge{stage::stopping, stage::stopped}};
using gate = stage_gate<table>;
constexpr auto long_enough = 30s;  // no test waits this long unless it fails

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 300;
#else
constexpr int rounds = 3'000;
#endif

// ---- semantics ----

TEST(stage_gate, goes_by_the_edges_of_its_table) {
  gate life(stage::init);
  EXPECT_EQ(life.stage(), stage::init);
  EXPECT_FALSE((life.advance<stage::running, stage::stopping>())) << "it is not there";
  EXPECT_TRUE((life.advance<stage::init, stage::running>()));
  EXPECT_FALSE((life.advance<stage::init, stage::running>())) << "nor any more";
  EXPECT_TRUE(life.at_least(stage::init));
  EXPECT_TRUE(life.at_least(stage::running));
  EXPECT_FALSE(life.at_least(stage::stopping));
  EXPECT_EQ(life.try_advance(stage::running, stage::stopping), stage_result::advanced);
  EXPECT_EQ(life.try_advance(stage::running, stage::stopping), stage_result::lost);
}

// Each of the three was true in the document's version.
TEST(stage_gate, refuses_what_is_no_edge) {  // SG2, SG5
  gate life(stage::init);
  EXPECT_EQ(life.try_advance(stage::init, stage::stopped), stage_result::illegal);
  EXPECT_EQ(life.try_advance(stage::stopped, stage::init), stage_result::illegal);
  EXPECT_EQ(life.try_advance(stage::init, static_cast<stage>(99)), stage_result::illegal);
  EXPECT_EQ(life.try_advance(stage::init, stage::init), stage_result::illegal);
  EXPECT_EQ(life.stage(), stage::init);
}

TEST(stage_gate, takes_any_enum_and_any_table_that_goes_up) {
  enum plain : int { low = 0, high = (1 << 30) - 1 };
  static constexpr acqrel::stage_table one{stage_edge{low, high}};
  stage_gate<one> life(low);
  EXPECT_TRUE((life.advance<low, high>()));
  EXPECT_EQ(life.stage(), high);
  static_assert(sizeof(life) == 4);
  static_assert(!std::is_copy_constructible_v<gate>);
  static_assert(table.allows(stage::init, stage::running) && !table.allows(stage::running, stage::init));
}

TEST(stage_gate, waits_in_every_form) {  // SG4
  gate life(stage::init);
  std::stop_source stop;
  life.wait(stage::init);
  EXPECT_FALSE(life.wait_for(stage::running, 1ms));
  EXPECT_FALSE(life.wait_until(stage::running, acqrel::steady_deadline::min()));
  std::thread other([&] {
    EXPECT_TRUE((life.advance<stage::init, stage::running>()));
    EXPECT_TRUE((life.advance<stage::running, stage::stopping>()));
  });
  life.wait(stage::running);  // also when it was passed
  EXPECT_TRUE(life.wait_for(stage::stopping, long_enough, stop.get_token()));
  other.join();
  stop.request_stop();
  EXPECT_FALSE(life.wait(stage::stopped, stop.get_token()));
  EXPECT_TRUE(life.wait(stage::running, stop.get_token())) << "what holds wins";
}

// ---- stress ----

// The winner of a step counts it in a plain word, before the next: the next winner sees that. All wait for each stage.
TEST(stage_gate_stress, has_one_winner_and_shows_what_came_before) {  // SG1, SG3, SG5
  for (int round = 0; round != rounds; ++round) {
    gate life(stage::init);
    int steps = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i) {
      threads.emplace_back([&] {
        // Who wins the first step owns `steps` until it makes the next one, and so on.
        if (life.try_advance(stage::init, stage::running) == stage_result::advanced) {
          ++steps;
          EXPECT_TRUE((life.advance<stage::running, stage::stopping>()));
        }
        life.wait(stage::stopping);
        if (life.try_advance(stage::stopping, stage::stopped) == stage_result::advanced) ++steps;
        EXPECT_EQ(life.stage(), stage::stopped);
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(steps, 2);
  }
}

// The waiter owns the gate and destroys it at once; the sanitizers watch.
TEST(stage_gate_stress, the_waiter_may_destroy_what_it_waited_for) {
  for (int round = 0; round != rounds; ++round) {
    auto life = std::make_unique<gate>(stage::init);
    int letter = 0;
    std::thread other([&, open = life.get()] {
      letter = round;
      EXPECT_TRUE((open->advance<stage::init, stage::running>()));
    });
    life->wait(stage::running);
    EXPECT_EQ(letter, round);
    life.reset();
    other.join();
  }
}

}  // namespace
