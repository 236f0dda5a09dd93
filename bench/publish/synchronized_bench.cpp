// SPDX-License-Identifier: Apache-2.0
// A counter behind its lock, against a mutex beside it.
#include <acqrel/publish/synchronized.hpp>

#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct nothing {
  std::uint64_t count = 0;
  void add() { ++count; }
};
struct beside {
  std::mutex mutex;
  std::uint64_t count = 0;
  void add() {
    const std::lock_guard lock(mutex);
    ++count;
  }
};
struct bare {
  acqrel::fair_mutex mutex;
  std::uint64_t count = 0;
  void add() {
    const acqrel::fair_lock lock(mutex);
    ++count;
  }
};
struct behind {
  acqrel::synchronized<std::uint64_t> count;
  void add() {
    count.with_lock([](std::uint64_t& n) { ++n; });
  }
};

template <class Counter>
void enter_count(const char* contender, unsigned threads) {
  enter({.type = "synchronized",
         .operation = "with_lock",
         .contender = contender,
         .variation = "count",
         .threads = threads},
        [] {
          return [counter = std::make_shared<Counter>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 64; ++i, ++done) {
                counter->add();
                asm volatile("" ::: "memory");
              }
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  enter_count<nothing>("floor: no lock", 1);
  for (const unsigned threads : {1u, 2u}) {
    if (threads == 2) enter_count<bare>("floor: fair_mutex", 2);  // two without a lock would be a race
    if (threads == 1) enter_count<bare>("fair_mutex", 1);
    enter_count<beside>("ref: std::mutex", threads);
    enter_count<behind>("acqrel", threads);
    goal({.type = "synchronized",
          .operation = "with_lock",
          .variation = "count",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: std::mutex",
          .at_most = 1.0});
  }
  return true;
}();

}  // namespace
}  // namespace bench
