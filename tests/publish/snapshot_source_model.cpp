// snapshot_source and cached_reader under the checker: what users call, on the real heart.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/publish/cached_reader.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace {

using heart::begin;
using heart::gone;
constexpr auto asymmetric = acqrel::fence_mode::asymmetric, full = acqrel::fence_mode::full;

struct config {
  explicit config(int n) : number(n), opposite(~n) {}
  ~config() { gone[number] = true; }
  int number, opposite;
};
using source = acqrel::snapshot_source<config>;

std::unique_ptr<config> make(int n) { return std::make_unique<config>(n); }

int whole(const config& c) {
  EXPECT_EQ(c.opposite, ~c.number);
  return c.number;
}

void publishes(acqrel::fence_mode mode) {
  begin(mode, 1);
  source current(make(0));
  std::thread reader([&] {
    const auto now = current.read();
    whole(*now);
  });
  current.publish(make(1));
  reader.join();
  EXPECT_TRUE(gone[0]);
  EXPECT_FALSE(gone[1]);
}
MODEL(snapshot_source, publishes_whole_versions_asymmetric) { publishes(asymmetric); }
MODEL(snapshot_source, publishes_whole_versions_full) { publishes(full); }

// A version kept by a counted pointer, handed to a third thread, while it is replaced and scanned.
void keeps(acqrel::fence_mode mode) {
  begin(mode, 1);
  source current(make(0));
  std::thread keeper([&] {
    acqrel::snapshot_ptr<config> kept = current.get_snapshot();
    std::thread([mine = std::move(kept)] { whole(*mine); }).join();
  });
  current.publish(make(1));
  keeper.join();
  EXPECT_TRUE(gone[0]);
}
MODEL(snapshot_source, keeps_what_a_snapshot_ptr_holds_asymmetric) { keeps(asymmetric); }
MODEL(snapshot_source, keeps_what_a_snapshot_ptr_holds_full) { keeps(full); }

MODEL(snapshot_source, updates_take_turns, .shows = {"turn.held"}) {
  begin(asymmetric, 1, 100);
  setenv("ACQREL_PARK", "futex", 1);
  source current(make(0));
  int calls = 0;  // plain: the functions of two updates never run at once
  const auto next = [&](const config& old) {
    ++calls;
    return make(whole(old) + 1);
  };
  std::thread other([&] { current.update(next); });
  current.update(next);
  other.join();
  const auto last = current.read();
  EXPECT_EQ(last->number, 2);
  EXPECT_EQ(calls, 2);
}

MODEL(cached_reader, sees_whole_versions_in_order) {
  begin(asymmetric, 1);
  source current(make(0));
  std::thread reader([&] {
    acqrel::cached_reader<config> cached(current);
    const int first = whole(*cached.read());
    EXPECT_GE(whole(*cached.read()), first);
  });
  current.publish(make(1));
  reader.join();
  EXPECT_TRUE(gone[0]);
}

}  // namespace
