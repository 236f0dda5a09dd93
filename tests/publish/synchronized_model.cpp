// synchronized under the checker: no change is lost on who waits for it, and who waited may destroy it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/synchronized.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

using acqrel::synchronized;

void begin() {
  setenv("ACQREL_PARK", "futex", 1);
  (void)acqrel::park_mode_in_use();  // so that no two threads are the first to ask
  acqrel::fair_mutex::hand_over_after(std::chrono::nanoseconds::max());
}

MODEL(synchronized, gives_the_value_to_one_after_the_other, .shows = {"fair_mutex.held"}) {
  begin();
  synchronized<int> cell;
  std::thread other([&] { cell.with_lock([](int& n) { ++n; }); });
  cell.with_lock([](int& n) { ++n; });
  other.join();
  EXPECT_EQ(cell.with_lock([](int& n) { return n; }), 2);
}

MODEL(synchronized, loses_no_change_and_may_be_destroyed_by_who_waited) {
  begin();
  auto* const cell = new synchronized<int>;
  std::thread maker([cell] { cell->with_lock([](int& n) { n = 1; }); });
  EXPECT_EQ(cell->with_lock_when([](const int& n) { return n == 1; }, [](int& n) { return n; }), 1);
  delete cell;
  maker.join();
}

// A change that says that it is none.
MODEL_FAILS(synchronized, the_twin_that_changes_behind_a_const, "deadlock") {
  begin();
  struct sly {
    mutable int n = 0;
  };
  synchronized<sly> cell;
  const auto& same = cell;
  std::thread maker([&] { same.with_lock([](const sly& s) { s.n = 1; }); });
  cell.with_lock_when([](const sly& s) { return s.n == 1; }, [](sly&) {});
  maker.join();
}

}  // namespace
