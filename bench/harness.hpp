// SPDX-License-Identifier: Apache-2.0
// bench/harness.hpp - contenders that register themselves, run interleaved, and are compared round by round.
//
//   bench::enter({.type = "one_shot", .operation = "get", .contender = "acqrel", .variation = "read_only", .threads = 2},
//                [] { return [cell = std::make_shared<cell>()](bench::turn& turn) {
//                   turn.begin();
//                   std::uint64_t done = 0;
//                   do for (int i = 0; i != 1024; ++i, ++done) bench::keep(cell->get()); while (turn.running());
//                   turn.end(done); }; });
//   bench::goal({.type = "one_shot", .operation = "get", .variation = "read_only", .threads = 2,
//                .contender = "acqrel", .against = "floor: raw load", .at_most = 1.2});
//
// A round runs every contender once, for some milliseconds, and makes its ratios from that round alone. What is
// reported is the median over the rounds, so a slow second of the machine touches all contenders or none.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace bench {

/// Makes the compiler believe that value is used.
template <class T>
[[gnu::always_inline]] inline void keep(const T& value) {
  asm volatile("" : : "r"(value));
}

/// What a caller does between two reads: an opaque call that stores to 16 cache lines of its own thread.
[[gnu::noinline]] void stores(std::uint64_t value) noexcept;

struct row {
  std::string type, operation, contender, variation;
  unsigned threads = 1;          // measured threads
  unsigned helpers = 0;          // further threads that run beside them, unmeasured
  std::string environment = {};  // NAME=value: the contender runs in a child process started with it
  std::string name() const;      // type/operation/contender/variation/threads:N
  std::string cell() const;      // the name without its contender: what is compared with each other
};

/// One repetition, shared by its threads.
class lap {
 public:
  explicit lap(unsigned threads) : absent_(threads), entering_(threads) {}
  void wait_until_all_arrived();
  /// Lets them all go, and returns when they went.
  void open();
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }
  double nanoseconds_per_operation() const;

 private:
  friend class turn;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned absent_;
  bool open_ = false;
  std::atomic<unsigned> entering_;
  std::int64_t elapsed_ = 0;
  std::uint64_t operations_ = 0;
  alignas(64) std::atomic<bool> stopped_{false};
};

/// One thread's part of a lap.
class turn {
 public:
  turn(lap& shared, unsigned thread) : lap_(&shared), thread_(thread) {}
  /// 0 to threads-1 are measured; helpers come after.
  unsigned thread() const noexcept { return thread_; }
  /// All threads of the lap leave it together. What came before (registration, warm-up) is not timed.
  void begin();
  bool running() const noexcept { return !lap_->stopped_.load(std::memory_order_relaxed); }
  /// For measured threads. What comes after is not timed.
  void end(std::uint64_t operations);

 private:
  lap* lap_;
  unsigned thread_;
  std::int64_t start_ = 0;
};

using body = std::function<void(turn&)>;

/// Adds a contender. make() builds its shared state before each repetition and the body, which every thread calls; the
/// state is destroyed, and so must be quiet, before the next contender runs.
void enter(row description, std::function<body()> make);

/// Adds a contender that a program beside this one runs, in a process of its own. The program is started once; for each
/// repetition it is sent the line "TASK THREADS MILLISECONDS", and it answers nanoseconds per operation and thread.
void enter_program(row description, std::string program, std::string task);

/// A promise about the median of ratios between two contenders of one cell.
struct promise {
  std::string type, operation, variation;
  unsigned threads = 1;
  std::string contender, against;
  double at_most = 0;
};
void goal(promise wanted);

/// Something that is not time: a name, a unit and a number, found in a process of its own.
struct figure {
  std::string name, unit;
  double value = 0;
};
/// scale is 1 in a full run and smaller in a smoke run.
void enter_measurement(row description, std::function<std::vector<figure>(double scale)> measure);
struct bound {
  std::string type, operation, contender, figure;
  double at_most = 0;
};
void goal(bound wanted);

struct registry {
  struct contest {
    row description;
    std::function<body()> make;
    std::string program = {}, task = {};  // of enter_program
  };
  struct measurement {
    row description;
    std::function<std::vector<figure>(double)> measure;
  };
  std::vector<contest> contests;
  std::vector<measurement> measurements;
  std::vector<promise> promises;
  std::vector<bound> bounds;
};
registry& registered();

/// Nanoseconds per operation and thread over one repetition.
double repeat(const registry::contest& contest, double milliseconds);

/// Names the benchmark that runs now, for the progress line and for the message if it crashes.
void set_current(const std::string& name);
const char* current() noexcept;

}  // namespace bench
