// One winner of each step, who sees what came before; no wake-up is lost.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/stage_gate.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::stage_edge;

enum class stage : std::uint8_t { init, running, stopped };
constexpr acqrel::stage_table table{stage_edge{stage::init, stage::running},
                                    stage_edge{stage::running, stage::stopped}};
using gate = acqrel::stage_gate<table>;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(stage_gate, shows_what_was_done_before_a_stage, .shows = {"stage_gate.stage"}) {  // SG3
  gate life(stage::init);
  int letter = 0;
  std::thread other([&] {
    letter = 1;
    EXPECT_TRUE((life.advance<stage::init, stage::running>()));
  });
  if (life.at_least(stage::running)) {
    EXPECT_EQ(letter, 1);
  }
  other.join();
}

MODEL(stage_gate, shows_the_next_winner_what_came_before, .shows = {"stage_gate.stage"}) {  // SG3, G6
  gate life(stage::init);
  int letter = 0;
  std::thread first([&] {
    letter = 1;
    EXPECT_TRUE((life.advance<stage::init, stage::running>()));
  });
  std::thread second([&] {
    if (life.advance<stage::running, stage::stopped>()) {
      EXPECT_EQ(letter, 1);
    }
  });
  if (life.at_least(stage::stopped)) {
    EXPECT_EQ(letter, 1);
  }
  first.join();
  second.join();
}

MODEL(stage_gate, has_one_winner) {  // SG1
  gate life(stage::init);
  bool other_won = false;
  std::thread rival([&] { other_won = life.advance<stage::init, stage::running>(); });
  const bool won = life.advance<stage::init, stage::running>();
  rival.join();
  EXPECT_NE(won, other_won);
}

MODEL(stage_gate, wakes_who_waits_for_what_was_passed) {  // SG4
  const futex mode;
  gate life(stage::init);
  std::thread other([&] {
    EXPECT_TRUE((life.advance<stage::init, stage::running>()));
    EXPECT_TRUE((life.advance<stage::running, stage::stopped>()));
  });
  life.wait(stage::running);
  other.join();
}

MODEL(stage_gate, wakes_who_waits_through_a_stage_before) {  // SG4
  const futex mode;
  gate life(stage::init);
  std::thread other([&] {
    EXPECT_TRUE((life.advance<stage::init, stage::running>()));
    EXPECT_TRUE((life.advance<stage::running, stage::stopped>()));
  });
  life.wait(stage::stopped);
  other.join();
}

MODEL(stage_gate, may_be_destroyed_by_who_waited) {
  const futex mode;
  auto* const life = new gate(stage::init);
  std::thread other([life] { EXPECT_TRUE((life->advance<stage::init, stage::running>())); });
  life->wait(stage::running);
  delete life;
  other.join();
}

// In the small: a step that forgets to look whether somebody waits.
struct silent : acqrel::waitable<silent> {
  void advance(bool wakes) {
    if ((word.exchange(2, std::memory_order_acq_rel) & 1) != 0 && wakes) acqrel::unpark_all(word);
  }
  bool await(const acqrel::patience& patience) const noexcept {
    return patience.await(word, 1, [this] { return word.load(std::memory_order_acquire) >= 2; });
  }
  mutable acqrel::park_word word{0};
};

void advance_and_wait(bool wakes) {
  const futex mode;
  silent life;
  std::thread other([&] { life.advance(wakes); });
  life.wait();
  other.join();
}

MODEL(stage_gate, whose_small_copy_wakes) { advance_and_wait(true); }

MODEL_FAILS(stage_gate, the_twin_that_wakes_nobody, "deadlock") { advance_and_wait(false); }

}  // namespace
