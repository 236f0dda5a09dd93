// SPDX-License-Identifier: Apache-2.0
// A publish to 16 subscribers, beside a loop over 16 functions; and one who subscribes and leaves.
#include <acqrel/handoff/bus.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "bench/harness.hpp"

namespace bench {
namespace {

constexpr int subscribers = 16;

// What a subscriber does: one step on a line of the publishing thread, so that what is compared is the calling.
struct alignas(128) heard {
  std::uint64_t sum = 0;
};
constinit thread_local heard mine;
struct listener {
  std::uint64_t factor;
  void operator()(const std::uint64_t& n) const { mine.sum += n * factor; }
};

struct plain_loop {
  plain_loop() {
    for (std::uint64_t i = 0; i != subscribers; ++i) all.emplace_back(listener{i});
  }
  void publish(std::uint64_t n) const {
    for (const auto& each : all) each(n);
  }
  std::vector<std::function<void(const std::uint64_t&)>> all;
};

struct under_mutex : plain_loop {
  void publish(std::uint64_t n) {
    const std::lock_guard lock(mutex);
    plain_loop::publish(n);
  }
  std::mutex mutex;
};

// What the document's does: copies the list under a lock, and calls who may have gone.
struct copied_under_mutex : plain_loop {
  void publish(std::uint64_t n) {
    decltype(all) copy;
    {
      const std::lock_guard lock(mutex);
      copy = all;
    }
    for (const auto& each : copy) each(n);
  }
  std::mutex mutex;
};

struct acqrel_bus {
  acqrel_bus() {
    for (std::uint64_t i = 0; i != subscribers; ++i) held.push_back(changes.subscribe(listener{i}));
  }
  void publish(std::uint64_t n) { changes.publish(n); }
  acqrel::bus<std::uint64_t> changes;
  std::vector<acqrel::subscription> held;
};

template <class Bus>
void enter_publish(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "bus",
           .operation = "publish",
           .contender = contender,
           .variation = "to_16",
           .threads = threads,
           .environment = {}},
          [] {
            return [shared = std::make_shared<Bus>()](turn& now) {
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 64; ++i, ++done) shared->publish(done);
              } while (now.running());
              now.end(done);
              keep(mine.sum);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_publish<plain_loop>("floor: loop over std::function");
  enter_publish<under_mutex>("ref: called under a mutex");
  enter_publish<copied_under_mutex>("ref: copied under a mutex");
  enter_publish<acqrel_bus>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "bus",
          .operation = "publish",
          .variation = "to_16",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: loop over std::function",
          .at_most = 1.2});
  }
  enter({.type = "bus",
         .operation = "subscribe_and_reset",
         .contender = "acqrel",
         .variation = "to_16",
         .environment = {}},
        [] {
          return [shared = std::make_shared<acqrel_bus>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              shared->changes.subscribe(listener{1}).reset();
              ++done;
            } while (now.running());
            now.end(done);
          };
        });
  return true;
}();

}  // namespace
}  // namespace bench
