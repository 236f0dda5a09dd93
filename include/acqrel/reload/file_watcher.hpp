// acqrel/reload/file_watcher.hpp - calls back whenever the content behind a path may have changed.
//
//   acqrel::file_watcher watcher("/etc/service/flags.json", [&] {
//     return load_again();   // once at start, then after every change; false: call again later
//   });
//
// Publishes  nothing; who needs the content reads it in the callback.
// Edges      file_watcher.asked     check() -> callback            what the caller wrote before it asked
//            file_watcher.checked   callback -> check_and_wait()   what the callback wrote
//            file_watcher.joined    callbacks -> stop()            what every callback wrote, for each caller of stop()
// Progress   the callbacks run one at a time on a thread of the watcher's own, which blocks every signal. check() never
//            waits; stop() and check_and_wait() wait for the callback.
// Memory     one thread, a pipe, one inotify instance with a watch for each directory on the way; a few kB.
// Threads    every member from any thread; destruction needs exclusive access and not the callback's thread.
// Errors     the constructor throws std::system_error if it gets no pipe or thread. No inotify is no error: it polls.
//            An exception from the callback is counted, and the callback is called again as if it returned false.
// Cost       idle: one stat and one read of the file for each interval. A change: one wake-up, one look, and
//            `settle` more if it may be half of one. Destruction may wait some 10 ms for the kernel to close inotify.
// Model      none: the edges are those of three words; tests/reload/file_watcher_life_test.cpp under TSan.
// Not for    directory trees, or every single change (bursts are one call).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/park.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace acqrel {

/// When a file_watcher looks.
struct watch_options {
  /// How often to look where inotify is missing, refused or at its limit.
  std::chrono::milliseconds poll_interval{500};
  /// How often to look beside inotify, for what it does not report: network and layered file systems, mounts. Also how
  /// soon a callback that returned false is called again.
  std::chrono::milliseconds sweep_interval{10'000};
  /// A change that may be half of one (a write in place, a file just created) is reported once two looks this far apart
  /// are the same, or the writer has closed the file. A rename is whole and reported at once.
  std::chrono::milliseconds settle{20};
  /// The longest a file that never comes to rest may delay the call.
  std::chrono::milliseconds settle_limit{1'000};
  /// Polls although inotify is there. For tests, and for file systems on which inotify reports nothing.
  bool force_polling = false;
};

/// Follows a path through in-place writes, renames over it, deletion and return, swaps of any symbolic link on the way
/// (Kubernetes' `..data` is one), and parents that do not exist yet.
class file_watcher {
 public:
  /// False: the callback could not use what it found and wants to be called again after `sweep_interval`, or at the
  /// next change, whichever comes first.
  using callback = std::function<bool()>;

  /// Starts to watch. The first call comes at once, so that nothing that changes after this line is missed. A relative
  /// path is taken from the working directory of this moment.
  file_watcher(std::string path, callback changed, watch_options options = {});
  /// Stops.
  ~file_watcher();
  file_watcher(const file_watcher&) = delete;
  file_watcher& operator=(const file_watcher&) = delete;

  /// Asks for a call now, whether or not anything changed. Async-signal-safe.
  void check() noexcept;

  /// The same, and waits until a call that began after this one has returned. False, at once: called from the callback,
  /// or stopped; false at the deadline otherwise.
  [[nodiscard]] bool check_and_wait(steady_deadline deadline = steady_deadline::max()) noexcept;

  /// Ends the thread: when stop() returns no callback runs and none ever will. Waits for a callback that is running and
  /// for nothing else. Any number of calls, from any threads; from the callback itself it only requests the end.
  void stop() noexcept;

  /// Whether changes are reported by the system at this moment, rather than found by looking.
  [[nodiscard]] bool notified_by_system() const noexcept;

  /// How many calls ended in an exception.
  [[nodiscard]] std::uint64_t callback_exceptions() const noexcept;

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace acqrel
