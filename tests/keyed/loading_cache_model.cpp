// loading_cache under the checker, on the real map. What it adds to its parts is that they go together: what is loaded beside
// an invalidate, what is hit beside an eviction. The rule by which loads end is explored in cache_upkeep_model.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/loading_cache.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "../reclaim/model_version.hpp"

namespace {

using heart::expect;
using cache = acqrel::loading_cache<int, int>;

// What is found out once in a process is found out before the threads start.
void begin() {
  heart::begin(acqrel::fence_mode::asymmetric, 1);
  setenv("ACQREL_PARK", "futex", 1);
  (void)acqrel::park_mode_in_use();
  (void)acqrel::spinner::spinning_pays();
}

// SF6. Without the order of turns the invalidate finds nothing, and the load that begins beside it what was before. With it
// there are too many executions on the real map: cache_upkeep_model.cpp has them all, on a pointer.
MODEL_FAILS(loading_cache, stores_what_is_stale_without_turns, "assertion", .weaken = {"cache_upkeep.turn"}) {
  begin();
  std::atomic<int> source{1};
  cache all([&](int) {
    // plain: the source orders nothing by itself
    return source.load(std::memory_order_relaxed);
  });
  std::thread reader([&] {
    const auto found = all.get(7);
    expect(*found == 1 || *found == 2, "it is one of the two");
  });
  // plain: the source orders nothing by itself
  source.store(2, std::memory_order_relaxed);
  all.invalidate(7);
  reader.join();
  const auto found = all.get(7);
  expect(*found == 2, "who asks after an invalidate gets what was loaded after it");
}

// K4, K8
MODEL(loading_cache, keeps_what_was_hit_while_it_is_evicted) {
  begin();
  cache all([](int key) { return 10 * key; }, {.most = 1});
  (void)all.get(1);
  std::thread reader([&] {
    if (const auto found = all.find(1)) expect(*found == 10, "it is whole");
  });
  (void)all.get(2);
  reader.join();
  expect(all.size() == 1, "there is room for one");
  expect(!all.find(1) && all.find(2), "the other one");
}

}  // namespace
