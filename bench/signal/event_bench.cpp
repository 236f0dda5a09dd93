// SPDX-License-Identifier: Apache-2.0
// A look at an event; two threads that wake each other; and how long it takes to wake one that sleeps.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "bench/harness.hpp"
#include "bench/signal/wake_ups.hpp"

namespace bench {
namespace {

template <class State, class Look>
void enter_look(const char* contender, Look look) {
  enter({.type = "event",
         .operation = "is_set",
         .contender = contender,
         .variation = "read_only",
         .threads = 2,
         .environment = {}},
        [look] {
          return [look, shared = std::make_shared<State>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 256; ++i, ++done) keep(look(*shared));
            } while (now.running());
            now.end(done);
          };
        });
}

struct locked_flag {
  std::mutex mutex;
  bool happened = true;
};
struct happened_event : acqrel::event {
  happened_event() { notify(); }
};

// There and back is one operation. Neither sleeps for longer than the other takes, so spinning a little may pay.
template <class Lane>
void enter_round_trip(const char* contender) {
  enter({.type = "event",
         .operation = "round_trip",
         .contender = contender,
         .variation = "back_to_back",
         .threads = 1,
         .helpers = 1,
         .environment = {}},
        [] {
          struct lanes {
            alignas(128) Lane there;
            alignas(128) Lane back;
            alignas(128) bool over = false;  // written before the last wake
          };
          return [shared = std::make_shared<lanes>()](turn& now) {
            now.begin();
            std::uint64_t n = 0;
            if (now.thread() != 0) {
              for (;; ++n) {
                shared->there.sleep(n);
                if (shared->over) return;
                shared->back.wake(n);
              }
            }
            for (; now.running(); ++n) {
              shared->there.wake(n);
              shared->back.sleep(n);
            }
            now.end(n);
            shared->over = true;
            shared->there.wake(n);
          };
        });
}

std::int64_t nanoseconds() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

// Whether the kernel says that a thread of this process sleeps.
class sleep_watch {
 public:
  explicit sleep_watch(pid_t id) : file_(open(("/proc/self/task/" + std::to_string(id) + "/stat").c_str(), O_RDONLY)) {}
  sleep_watch(const sleep_watch&) = delete;
  sleep_watch& operator=(const sleep_watch&) = delete;
  ~sleep_watch() { close(file_); }
  void until_asleep() const {
    char text[64];
    for (;;) {
      const ssize_t length = pread(file_, text, sizeof text, 0);
      if (length <= 0 ||
          std::string_view(text, static_cast<std::size_t>(length)).find(") S ") != std::string_view::npos)
        return;
      std::this_thread::yield();
    }
  }

 private:
  int file_;
};

// How long a sleeper takes to be up, from before wake() to after sleep(): the median of many. Contender and floor take
// turns. Before each wake the sleeper has slept for a while, so that its CPU has gone to rest as well.
template <class Lane>
std::vector<figure> wake_sleepers(double scale) {
  const auto rounds = std::max<std::uint64_t>(10, static_cast<std::uint64_t>(4000 * scale));
  Lane lane;
  futex_lane floor;
  std::atomic<pid_t> id{0};
  std::atomic<std::int64_t> up{0};
  std::thread sleeper([&] {
    id.store(gettid(), std::memory_order_release);
    for (std::uint64_t n = 0; n != rounds; ++n) {
      lane.sleep(n);
      up.store(nanoseconds(), std::memory_order_release);
      floor.sleep(n);
      up.store(nanoseconds(), std::memory_order_release);
    }
  });
  while (id.load(std::memory_order_acquire) == 0) std::this_thread::yield();
  const sleep_watch watch(id.load(std::memory_order_relaxed));
  const auto wake = [&](auto& which, std::uint64_t n, std::vector<std::int64_t>& times) {
    watch.until_asleep();
    for (const std::int64_t begin = nanoseconds(); nanoseconds() < begin + 20'000;) acqrel::pause_cpu();
    up.store(0, std::memory_order_relaxed);
    const std::int64_t before = nanoseconds();
    which.wake(n);
    std::int64_t after;
    while ((after = up.load(std::memory_order_acquire)) == 0) acqrel::pause_cpu();
    times.push_back(after - before);
  };
  std::vector<std::int64_t> took, floor_took;
  for (std::uint64_t n = 0; n != rounds; ++n) {
    wake(lane, n, took);
    wake(floor, n, floor_took);
  }
  sleeper.join();
  const auto median = [](std::vector<std::int64_t>& times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return static_cast<double>(*middle);
  };
  const double mine = median(took);
  return {{"wake", "us", mine / 1000}, {"x floor", "ratio", mine / median(floor_took)}};
}

template <class Lane>
void enter_lane(const char* contender) {
  enter_round_trip<Lane>(contender);
  enter_measurement(
      {.type = "event", .operation = "wake", .contender = contender, .variation = "asleep", .environment = {}},
      wake_sleepers<Lane>);
}

[[maybe_unused]] const bool entered = [] {
  enter_look<std::atomic<std::uint32_t>>("floor: one acquire load", [](std::atomic<std::uint32_t>& word) {
    return word.load(std::memory_order_acquire) != 0;
  });
  enter_look<locked_flag>("ref: std::mutex", [](locked_flag& flag) {
    const std::lock_guard lock(flag.mutex);
    return flag.happened;
  });
  enter_look<happened_event>("acqrel", [](happened_event& event) { return event.is_set(); });
  goal({.type = "event",
        .operation = "is_set",
        .variation = "read_only",
        .threads = 2,
        .contender = "acqrel",
        .against = "floor: one acquire load",
        .at_most = 1.5});

  enter_lane<futex_lane>("floor: futex");
  enter_lane<standard_atomic_lane>("std::atomic wait and notify");
  enter_lane<condition_variable_lane>("ref: std::condition_variable");
  enter_lane<event_lane>("acqrel");
  goal({.type = "event",
        .operation = "round_trip",
        .variation = "back_to_back",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: futex",
        .at_most = 1});
  goal({.type = "event", .operation = "wake", .contender = "acqrel", .figure = "x floor", .at_most = 1.1});
  return true;
}();

}  // namespace
}  // namespace bench
