// SPDX-License-Identifier: Apache-2.0
// What a wait costs more because somebody looks: one that ends at once, and two threads at one lock.
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/observe/contention.hpp>

#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using acqrel::contention;

// The profile belongs to the process: each contender begins its turns by turning it on its way.
void off() { contention::ignore(); }
void by_default() { contention::observe(); }
void each_wait() { contention::observe({.every = 1ns, .retries = 1}); }

void enter_sample(const char* contender, void (*set)()) {
  enter({.type = "contention", .operation = "sample", .contender = contender, .variation = "a_wait_that_ends_at_once"},
        [set] {
          return [set](turn& now) {
            set();
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 16; ++i, ++done) const acqrel::probe_wait waiting(acqrel::probe::lock);
            } while (now.running());
            now.end(done);
            off();
          };
        });
}

void enter_lock(const char* contender, void (*set)()) {
  enter({.type = "contention", .operation = "lock", .contender = contender, .variation = "contended", .threads = 2},
        [set] {
          return [set, mutex = std::make_shared<acqrel::fair_mutex>()](turn& now) {
            set();
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 64; ++i, ++done) {
                const std::lock_guard lock(*mutex);
                keep(done);
              }
            } while (now.running());
            now.end(done);
            off();
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  enter_sample("floor: off", off);
  enter_sample("acqrel, a sample for 10 us", by_default);
  enter_sample("acqrel, each wait", each_wait);
  enter_lock("floor: off", off);
  enter_lock("acqrel, a sample for 10 us", by_default);
  enter_lock("acqrel, each wait", each_wait);
  return true;
}();

}  // namespace
}  // namespace bench
