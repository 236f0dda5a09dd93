// One thread sets a member, another looks whether it is set.
//
// Document  Pitfalls, "forgetting to publish"
// Refused   by the checker
// Saying    data race
// Instead   a cell for what comes later, here a snapshot_source; or set it before the other thread starts.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#if defined(WRONG)
struct service {
  void warm_up() { cache = std::make_unique<int>(42); }
  int look() const { return cache ? *cache : 0; }
  std::unique_ptr<int> cache;
};
#else
struct service {
  void warm_up() { cache.publish(std::make_unique<int>(42)); }
  int look() const {
    const auto now = cache.read();
    return now ? *now : 0;
  }
  acqrel::snapshot_source<int> cache;
};
#endif

MODEL(anti_pattern, forgetting_to_publish) {
  service one;
  std::thread reader([&] {
    const int seen = one.look();
    EXPECT_TRUE(seen == 0 || seen == 42);
  });
  one.warm_up();
  reader.join();
}
