// SPDX-License-Identifier: Apache-2.0
// A trigger in a series of them: the call is put off once more.
#include <acqrel/base/padded.hpp>
#include <acqrel/pace/debouncer.hpp>

#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

constexpr auto delay = std::chrono::hours(1);

struct ours {
  void trigger(std::uint64_t number) { one.trigger(number); }
  acqrel::timer_queue timers{};
  std::uint64_t got = 0;
  acqrel::debouncer<std::uint64_t> one{timers, delay, [this](std::uint64_t number) { got = number; }};
};

// As it is usually written: each trigger cancels the timer and arms another.
struct rearms {
  void trigger(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    pending = timers.arm_after(delay, [this, number] { got = number; });
  }
  std::uint64_t got = 0;
  std::mutex mutex{};
  acqrel::timer_queue timers{};
  acqrel::timer pending{};
};

// It keeps the argument, reads the clock and takes a lock: not a debouncer.
struct notes {
  void trigger(std::uint64_t number) {
    auto next = std::make_unique<std::uint64_t>(number);
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex);
    due = now + delay;
    pending.swap(next);
  }
  std::mutex mutex{};
  std::chrono::steady_clock::time_point due{};
  std::unique_ptr<std::uint64_t> pending{};
};

template <class Debouncer>
void enter_debouncer(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "debouncer",
           .operation = "trigger",
           .contender = contender,
           .variation = "in_a_series",
           .threads = threads,
           .environment = {}},
          [] {
            const auto one = std::make_shared<acqrel::padded<Debouncer>>();
            return [one](turn& now) {
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 64; ++i, ++done) (*one)->trigger(done);
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_debouncer<notes>("floor: allocate, clock, lock");
  enter_debouncer<rearms>("ref: arms again");
  enter_debouncer<ours>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "debouncer",
          .operation = "trigger",
          .variation = "in_a_series",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: arms again",
          .at_most = 0.9});
  }
  goal({.type = "debouncer",
        .operation = "trigger",
        .variation = "in_a_series",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: allocate, clock, lock",
        .at_most = 1.3});
  return true;
}();

}  // namespace
}  // namespace bench
