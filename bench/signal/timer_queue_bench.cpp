// SPDX-License-Identifier: Apache-2.0
// Arming one more timer and cancelling it, beside a hundred thousand that are armed.
#include <acqrel/signal/timer_queue.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "bench/harness.hpp"

namespace bench {
namespace {

constexpr int beside = 100'000;
using acqrel::steady_deadline;

// Hours from now, in no order.
steady_deadline some_deadline(std::uint64_t number) noexcept {
  const auto spread = std::chrono::nanoseconds((number * 0x9E3779B97F4A7C15U) >> 20);
  return steady_deadline(std::chrono::hours(1'000'000)) + spread;
}

struct function {
  std::uint64_t* called;
  void operator()() const { ++*called; }
};

struct wheel {
  acqrel::timer arm(std::uint64_t number) { return timers.arm(some_deadline(number), function{&called}); }
  acqrel::timer_queue timers{};
  std::uint64_t called = 0;
};

// What a queue with a sorted container does.
struct sorted {
  struct armed {
    armed(sorted& of, std::multimap<steady_deadline, function>::iterator at) : home(&of), place(at) {}
    armed(armed&& other) noexcept : home(std::exchange(other.home, nullptr)), place(other.place) {}
    armed& operator=(armed&&) = delete;
    ~armed() {
      if (home == nullptr) return;
      const std::lock_guard lock(home->mutex);
      home->timers.erase(place);
    }
    sorted* home;
    std::multimap<steady_deadline, function>::iterator place;
  };
  armed arm(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    return armed(*this, timers.emplace(some_deadline(number), function{&called}));
  }
  std::mutex mutex{};
  std::multimap<steady_deadline, function> timers{};
  std::uint64_t called = 0;
};

// Not a queue: the memory of one timer, and a lock for each step.
struct allocation {
  struct armed {
    allocation* home;
    std::unique_ptr<std::uint64_t[]> memory;
    armed(allocation& of, std::uint64_t number) : home(&of), memory(new std::uint64_t[8]) { memory[0] = number; }
    armed(armed&&) noexcept = default;
    armed& operator=(armed&&) = delete;
    ~armed() {
      if (memory) const std::lock_guard lock(home->mutex);
    }
  };
  armed arm(std::uint64_t number) {
    armed made(*this, number);
    const std::lock_guard lock(mutex);
    return made;
  }
  std::mutex mutex{};
};

template <class Queue>
void enter_queue(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "timer_queue",
           .operation = "arm_cancel",
           .contender = contender,
           .variation = "100k_armed",
           .threads = threads,
           .environment = {}},
          [] {
            struct shared {
              Queue queue{};
              std::vector<decltype(queue.arm(0))> others{};
            };
            auto state = std::make_shared<shared>();
            for (std::uint64_t i = 0; i != beside; ++i) state->others.push_back(state->queue.arm(i));
            return [state](turn& now) {
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 64; ++i, ++done) {
                  const auto armed = state->queue.arm(beside + done * 2 + now.thread());
                  keep(&armed);
                }
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_queue<allocation>("floor: allocate, lock twice");
  enter_queue<sorted>("ref: multimap and mutex");
  enter_queue<wheel>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "timer_queue",
          .operation = "arm_cancel",
          .variation = "100k_armed",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: multimap and mutex",
          .at_most = 0.8});
  }
  return true;
}();

}  // namespace
}  // namespace bench
