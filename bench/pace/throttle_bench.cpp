// SPDX-License-Identifier: Apache-2.0
// A call that is refused, as nearly all are: with a time that the caller has, and with the clock to be read.
#include <acqrel/base/padded.hpp>
#include <acqrel/pace/throttle.hpp>

#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

using clock = std::chrono::steady_clock;
constexpr auto interval = std::chrono::hours(1);

struct ours {
  bool allow(clock::time_point now) { return one.allow(now).has_value(); }
  bool allow() { return one.allow().has_value(); }
  acqrel::throttle one{interval};
};

struct locked {
  bool allow(clock::time_point now) {
    const std::lock_guard lock(mutex);
    if (now < not_before) return ++skipped, false;
    not_before = now + interval;
    return true;
  }
  bool allow() { return allow(clock::now()); }
  std::mutex mutex{};
  clock::time_point not_before = clock::time_point::min();
  std::uint64_t skipped = 0;
};

// It compares with a time, and counts in the same line: what any throttle that counts must do.
struct load_and_count {
  bool allow(clock::time_point now) {
    if (now.time_since_epoch().count() >= not_before.load(std::memory_order_relaxed)) return true;
    skipped.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  bool allow() { return allow(clock::now()); }
  std::atomic<std::int64_t> not_before{(clock::now() + interval).time_since_epoch().count()};
  std::atomic<std::uint64_t> skipped{0};
};

template <class Throttle>
void enter_throttle(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    for (const bool reads_clock : {false, true}) {
      enter({.type = "throttle",
             .operation = "allow",
             .contender = contender,
             .variation = reads_clock ? "reads_clock" : "time_given",
             .threads = threads,
             .environment = {}},
            [reads_clock] {
              const auto one = std::make_shared<acqrel::padded<Throttle>>();
              keep((*one)->allow());
              return [one, reads_clock](turn& now) {
                const auto time = clock::now();
                now.begin();
                std::uint64_t done = 0;
                do {
                  if (reads_clock) {
                    for (int i = 0; i != 256; ++i, ++done) keep((*one)->allow());
                  } else {
                    for (int i = 0; i != 256; ++i, ++done) keep((*one)->allow(time));
                  }
                } while (now.running());
                now.end(done);
              };
            });
    }
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_throttle<load_and_count>("floor: load, count");
  enter_throttle<locked>("ref: mutex");
  enter_throttle<ours>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "throttle",
          .operation = "allow",
          .variation = "time_given",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: load, count",
          .at_most = 1.2});
  }
  goal({.type = "throttle",
        .operation = "allow",
        .variation = "reads_clock",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: load, count",
        .at_most = 1.1});
  goal({.type = "throttle",
        .operation = "allow",
        .variation = "time_given",
        .threads = 2,
        .contender = "acqrel",
        .against = "ref: mutex",
        .at_most = 0.5});
  return true;
}();

}  // namespace
}  // namespace bench
