// SPDX-License-Identifier: Apache-2.0
// The time, strictly increasing: beside the clock alone.
#include <acqrel/base/padded.hpp>
#include <acqrel/pace/monotonic_clock.hpp>

#include <algorithm>
#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

std::int64_t wall() noexcept { return std::chrono::system_clock::now().time_since_epoch().count(); }

struct ours {
  std::int64_t now() { return clock.now().time_since_epoch().count(); }
  acqrel::monotonic_clock clock{};
};

struct locked {
  std::int64_t now() {
    const std::int64_t shown = wall();
    const std::lock_guard lock(mutex);
    return last = std::max(shown, last + 1);
  }
  std::mutex mutex{};
  std::int64_t last = 0;
};

// Not what is wanted: it repeats.
struct clock_alone {
  std::int64_t now() { return wall(); }
};

template <class Clock>
void enter_clock(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "monotonic_clock",
           .operation = "now",
           .contender = contender,
           .variation = "reads_clock",
           .threads = threads,
           .environment = {}},
          [] {
            const auto clock = std::make_shared<acqrel::padded<Clock>>();
            return [clock](turn& now) {
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 256; ++i, ++done) keep((*clock)->now());
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_clock<clock_alone>("floor: the clock alone");
  enter_clock<locked>("ref: mutex");
  enter_clock<ours>("acqrel");
  goal({.type = "monotonic_clock",
        .operation = "now",
        .variation = "reads_clock",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: the clock alone",
        .at_most = 1.3});
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "monotonic_clock",
          .operation = "now",
          .variation = "reads_clock",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: mutex",
          .at_most = 1});
  }
  return true;
}();

}  // namespace
}  // namespace bench
