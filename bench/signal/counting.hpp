// SPDX-License-Identifier: Apache-2.0
// bench/signal/counting.hpp - a step of a signal that counts, while nobody waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {

struct counted_by_fetch_add {
  void step() { count.fetch_add(1, std::memory_order_acq_rel); }
  std::atomic<std::uint64_t> count{0};
};
struct counted_under_mutex {
  void step() {
    {
      const std::lock_guard lock(mutex);
      ++count;
    }
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t count = 0;
};

template <class Signal>
void enter_steps(const char* type, const char* operation, const char* contender, unsigned threads) {
  enter({.type = type,
         .operation = operation,
         .contender = contender,
         .variation = "nobody_waits",
         .threads = threads,
         .environment = {}},
        [] {
          return [signal = std::make_shared<Signal>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 256; ++i, ++done) signal->step();
            } while (now.running());
            now.end(done);
          };
        });
}

/// `Signal` has a step(), which is `type`'s `operation`.
template <class Signal>
void enter_counting(const char* type, const char* operation) {
  for (const unsigned threads : {1u, 2u}) {
    enter_steps<counted_by_fetch_add>(type, operation, "floor: fetch_add", threads);
    enter_steps<counted_under_mutex>(type, operation, "ref: std::mutex, std::condition_variable", threads);
    enter_steps<Signal>(type, operation, "acqrel", threads);
    goal({.type = type,
          .operation = operation,
          .variation = "nobody_waits",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: std::mutex, std::condition_variable",
          .at_most = 1});
  }
}

}  // namespace bench
