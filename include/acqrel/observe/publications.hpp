// acqrel/observe/publications.hpp - what each named source has published, and who still holds which version of it.
//
//   acqrel::snapshot_source<config> current(acqrel::named{"config"}, load());   // named: it is in the report
//   std::fputs(acqrel::publications::now().table().c_str(), stdout);            // any thread, any time; or json()
//   const acqrel::guard_watchdog dog(10ms, [](const auto& source, const auto& guard) {
//     log_line(source.name, guard.thread, guard.at_least);   // once for each guard that is held longer
//   }, 5ms);                                                 // it looks so often
//
// Publishes  nothing.
// Edges      hazard.record, from reclaim/hazard, to find the threads.
// Progress   blocking: now() takes the mutex that a publish to the source takes, for a look at each slot of each thread.
//            Readers take none and see no fence; only who destroys a version, letting it go last, may wait for the look.
// Memory     the report. A watchdog: a thread, and 48 bytes for each guard that it has told of and that is still held.
// Threads    all from any; the watchdog's function runs on its thread, under no lock. Not in the child of a fork.
// Errors     std::bad_alloc, and std::system_error for want of a thread. A watchdog's function that throws ends the program,
//            and so does the end of the watchdog within it.
// Cost       a read of a named source is that of any other; a publish two to three. Bench publications/publish, report.
// Model      tests/observe/publications_model.cpp.
// Not for    who holds a snapshot_ptr: those are counted, and nobody knows whose they are.
//
// Ages: a reader writes no time, so a guard's is a bound. Nobody takes a replaced version anew, so its guards are held at
// least since it was replaced; that is when a guard begins to do harm, and what the watchdog goes by. A guard of the current
// version is at most as old as that, and for all one can see many short ones, one after the other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/asymmetric_fence.hpp>
#include <acqrel/base/time_source.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace acqrel {

/// A look at all named sources of this process.
class publications {
 public:
  /// Of a thread's four slots, with full fences three, one that holds a version. What it reads beyond them is counted.
  struct guard {
    int thread;  ///< as the kernel numbers them; it may have ended without letting go
    std::uint64_t generation;
    std::chrono::nanoseconds at_least;  ///< since it was replaced; zero for the current version
    std::chrono::nanoseconds at_most;   ///< since it was published
    const void* slot;
    const void* version;
  };

  struct source {
    std::string name;
    bool ended;                    ///< but for versions that somebody holds
    std::uint64_t generation;      ///< of the current version: the publishes up to it; 0 if there is none
    std::uint64_t publishes;       ///< what empties it included
    std::chrono::nanoseconds age;  ///< of the current version, or of the emptiness
    std::size_t live;              ///< versions that are not destroyed
    std::size_t waiting;           ///< of these, replaced ones
    std::uint64_t bytes_waiting;   ///< of what is waiting
    /// How many snapshot_ptr, guards without a slot and the like at least: the only holder of a replaced version is not told from
    /// the list of what is to be destroyed.
    std::uint64_t counted;
    std::vector<guard> guards;  ///< the longest held first
    std::string oldest_name;    ///< of the first one's thread, while that lives
  };

  [[nodiscard]] static publications now();

  fence_mode fences;
  std::vector<source> sources;  ///< in the order of their beginnings

  /// An object: "fences", and "sources" with what stands above, ages in seconds; of the guards, how many and the oldest.
  [[nodiscard]] std::string json() const;
  /// For people: a line for each source.
  [[nodiscard]] std::string table() const;
};

/// Calls a function once for each guard that is seen to be held longer than so long after its version was replaced.
class guard_watchdog {
 public:
  using function = std::function<void(const publications::source&, const publications::guard&)>;

  /// Looks at once, and every `every` by `time`.
  guard_watchdog(std::chrono::nanoseconds longer_than, function told,
                 std::chrono::nanoseconds every = std::chrono::seconds(1), time_source& time = time_source::steady());
  /// Waits for the function, if it runs.
  ~guard_watchdog();
  guard_watchdog(const guard_watchdog&) = delete;
  guard_watchdog& operator=(const guard_watchdog&) = delete;

 private:
  void watch();
  void look();

  const std::chrono::nanoseconds longer_than_;
  const function told_of_;
  const std::chrono::nanoseconds every_;
  time_source& time_;
  std::vector<publications::guard> told_;  // and still held. The thread's
  park_word ended_{0};
  std::thread thread_;
};

}  // namespace acqrel
