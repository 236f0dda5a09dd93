// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/countdown.hpp>
#include <acqrel/task/worker_pool.hpp>

#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "bench/go.hpp"
#include "bench/task/tiny_jobs.hpp"

namespace bench {
namespace {

using acqrel::countdown;

struct called_here {
  void batch() {
    countdown left(jobs_of_a_batch);
    for (std::uint64_t n = 0; n != jobs_of_a_batch; ++n) left.down();
    left.wait();
  }
};

struct pool_by_hand {
  void batch() {
    countdown left(jobs_of_a_batch);
    for (std::uint64_t n = 0; n != jobs_of_a_batch; ++n) pool.post([&left] { left.down(); });
    left.wait();
  }
  plain_pool pool;
};

// Its caller works too, so the arena has one worker less.
struct tbb_group {
  void batch() {
    arena.execute([this] {
      for (std::uint64_t n = 0; n != jobs_of_a_batch; ++n) group.run([this] { ++done; });
      group.wait();
    });
  }
  std::atomic<std::uint64_t> done{0};
  tbb::task_arena arena{static_cast<int>(workers_of_a_pool)};
  tbb::task_group group;
};

struct acqrel_pool {
  void batch() {
    countdown left(jobs_of_a_batch);
    for (std::uint64_t n = 0; n != jobs_of_a_batch; ++n) {
      if (!pool.post([&left] { left.down(); })) std::abort();
    }
    left.wait();
  }
  acqrel::worker_pool pool{workers_of_a_pool};
};

struct acqrel_results {
  void batch() {
    results.clear();
    for (std::uint64_t n = 0; n != jobs_of_a_batch; ++n) results.push_back(pool.submit([n] { return n; }));
    for (auto& each : results) keep(each.get());
  }
  acqrel::worker_pool pool{workers_of_a_pool};
  std::vector<acqrel::task_result<std::uint64_t>> results;
};

[[maybe_unused]] const bool entered = [] {
  enter_tiny_jobs<called_here>("worker_pool", "post", "floor: called at once");
  enter_tiny_jobs<pool_by_hand>("worker_pool", "post", "ref: std::mutex, std::condition_variable, std::function");
  enter_tiny_jobs<tbb_group>("worker_pool", "post", "tbb::task_group");
  enter_go({.type = "worker_pool",
            .operation = "post",
            .contender = "Go, a goroutine each",
            .variation = "tiny_jobs",
            .threads = 1},
           "goroutines");
  enter_tiny_jobs<acqrel_pool>("worker_pool", "post", "acqrel");
  enter_tiny_jobs<acqrel_results>("worker_pool", "post", "acqrel, with results");
  goal({.type = "worker_pool",
        .operation = "post",
        .variation = "tiny_jobs",
        .threads = 1,
        .contender = "acqrel",
        .against = "ref: std::mutex, std::condition_variable, std::function",
        .at_most = 1});
  return true;
}();

}  // namespace
}  // namespace bench
