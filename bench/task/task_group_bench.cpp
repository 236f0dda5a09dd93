// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/task_group.hpp>

#include <tbb/task_group.h>

#include "bench/task/tiny_jobs.hpp"

namespace bench {
namespace {

// A piece of work in four parts, begun and ended: what its threads cost is in it.
struct threads_by_hand {
  void batch() {
    for (std::uint64_t done = 0; done != jobs_of_a_batch; done += 4) {
      std::vector<std::thread> parts;
      for (int n = 0; n != 4; ++n) parts.emplace_back([this] { ++count; });
      for (auto& part : parts) part.join();
    }
  }
  std::atomic<std::uint64_t> count{0};
};
struct tbb_parts {
  void batch() {
    for (std::uint64_t done = 0; done != jobs_of_a_batch; done += 4) {
      tbb::task_group group;
      for (int n = 0; n != 4; ++n) group.run([this] { ++count; });
      group.wait();
    }
  }
  std::atomic<std::uint64_t> count{0};
};
struct acqrel_parts {
  void batch() {
    for (std::uint64_t done = 0; done != jobs_of_a_batch; done += 4) {
      acqrel::task_group group;
      for (int n = 0; n != 4; ++n) {
        if (!group.spawn([this] { ++count; })) std::abort();
      }
      group.wait();
    }
  }
  std::atomic<std::uint64_t> count{0};
};

[[maybe_unused]] const bool entered = [] {
  enter_tiny_jobs<threads_by_hand>("task_group", "spawn", "ref: std::thread");
  enter_tiny_jobs<tbb_parts>("task_group", "spawn", "tbb::task_group");
  enter_tiny_jobs<acqrel_parts>("task_group", "spawn", "acqrel");
  goal({.type = "task_group",
        .operation = "spawn",
        .variation = "tiny_jobs",
        .threads = 1,
        .contender = "acqrel",
        .against = "ref: std::thread",
        .at_most = 1.3});
  return true;
}();

}  // namespace
}  // namespace bench
