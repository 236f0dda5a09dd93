// Look whether it is there, and if not, build it: two threads look, and both build.
//
// Document  Pitfalls, "double-fetched check"; Q.3
// Refused   by the checker
// Saying    Which is: 2|builds == 1|Expected equality
// Instead   let one thread build and the others wait: lazy or once; or an update(), which looks and stores in one.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

std::atomic<int> builds{0};
std::unique_ptr<int> build_expensive() {
  builds.fetch_add(1, std::memory_order_relaxed);
  return std::make_unique<int>(42);
}

#if defined(WRONG)
struct cache {
  void fill() {
    if (!data.read()) data.publish(build_expensive());
  }
  acqrel::snapshot_source<int> data;
};
#else
struct cache {
  void fill() {
    data.update([](const int* old) { return old == nullptr ? build_expensive() : nullptr; });
  }
  acqrel::snapshot_source<int> data;
};
#endif

MODEL(anti_pattern, read_then_store) {
  cache one;
  std::thread other([&] { one.fill(); });
  one.fill();
  other.join();
  EXPECT_EQ(builds.load(std::memory_order_relaxed), 1);
}
