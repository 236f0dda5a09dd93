// Store buffering with the fence pair, in both modes.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/asymmetric_fence.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

enum class side { light, heavy };

void fence(side which) {
  if (which == side::light) {
    acqrel::asymmetric_thread_fence_light();
  } else {
    acqrel::asymmetric_thread_fence_heavy();
  }
}

/// Each thread says "I am here" and looks for the other: at least one must see the other.
void one_of_two_sees_the_other(const char* mode, side mine, side other) {
  setenv("ACQREL_FENCES", mode, 1);
  (void)acqrel::current_fence_mode();
  std::atomic<int> x{0}, y{0};
  int seen_x = -1;
  std::thread peer([&] {
    y.store(1, std::memory_order_relaxed);
    fence(other);
    seen_x = x.load(std::memory_order_relaxed);
  });
  x.store(1, std::memory_order_relaxed);
  fence(mine);
  const int seen_y = y.load(std::memory_order_relaxed);
  peer.join();
  EXPECT_TRUE(seen_x == 1 || seen_y == 1);
}

MODEL(asymmetric_fence, pairs_light_with_heavy, .shows = {"fence.pair"}) {
  one_of_two_sees_the_other("asymmetric", side::light, side::heavy);
}
MODEL(asymmetric_fence, pairs_heavy_with_heavy) { one_of_two_sees_the_other("asymmetric", side::heavy, side::heavy); }
MODEL_FAILS(asymmetric_fence, does_not_pair_light_with_light, "assertion") {
  one_of_two_sees_the_other("asymmetric", side::light, side::light);
}
MODEL(asymmetric_fence, pairs_light_with_heavy_without_membarrier, .shows = {"fence.pair"}) {
  one_of_two_sees_the_other("full", side::light, side::heavy);
}
MODEL(asymmetric_fence, pairs_light_with_light_without_membarrier) {
  one_of_two_sees_the_other("full", side::light, side::light);
}

}  // namespace
