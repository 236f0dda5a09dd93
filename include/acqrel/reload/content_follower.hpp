// acqrel/reload/content_follower.hpp - hands over each new content of a file once; the part of reloader that knows no T.
//
//   acqrel::content_follower follower("/etc/motd",
//                                     {.apply = [&](std::string_view text) { show(text); },   // throws: not accepted
//                                      .published = {},
//                                      .failed = [](const acqrel::reload_failure& f) { log(f.message); }},
//                                     {});
//
// Publishes  what `apply` made visible.
// Edges      content_follower.generation   apply -> generation()        what apply wrote, to who saw its number
//            content_follower.changed      apply -> wait_for_change()   the new generation, or the stop
// Progress   generation() is wait-free; status() takes a short lock; the rest as file_watcher.
// Memory     one copy of the last accepted content, for an exact comparison, and file_watcher's.
// Threads    every member from any thread. The hooks run one at a time, first on the constructor's thread, then on the
//            watcher's, never under a lock.
// Errors     a content that cannot be read or that `apply` refuses becomes a reload_failure; nothing is thrown at users.
// Cost       idle: as file_watcher. A change: one read, one comparison, one apply.
// Model      none: two edges of the plain message-passing shape, tests/reload/reloader_events_test.cpp under TSan.
// Not for    values that readers share: use reloader, which publishes them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/park.hpp>
#include <acqrel/reload/file_watcher.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace acqrel {

/// Why the file's present content is not the one in use.
struct reload_failure {
  enum class cause : std::uint8_t {
    unreadable,  // missing, no permission, too large, not a file, or never at rest
    refused,     // read, but the parser threw
  };
  cause why = cause::unreadable;
  std::string message;             // names the file, and what the system or the parser said
  std::uint64_t content_hash = 0;  // of the refused content; 0 if unreadable
  std::chrono::system_clock::time_point since;
};

/// A copy of the counters at one moment.
struct reload_status {
  std::uint64_t loads = 0;            // contents given to the parser, accepted or not
  std::uint64_t failures = 0;         // distinct failures, as reported
  std::uint64_t hook_exceptions = 0;  // exceptions from on_publish and on_failure
  std::uint64_t generation = 0;       // contents published; 0 while the fallback or nothing is in use
  std::optional<std::chrono::system_clock::time_point> last_success;  // when the file last was found good
  std::optional<reload_failure> error;  // the present failure; none while the file's content is the one in use
};

/// Reads a file whenever it may have changed and applies each new content once.
class content_follower {
 public:
  struct hooks {
    std::function<void(std::string_view)> apply;              // parses and makes visible, or throws and changes nothing
    std::function<void(std::uint64_t generation)> published;  // after apply is visible; may be empty
    std::function<void(const reload_failure&)> failed;        // once for each distinct failure; may be empty
    // After a failure the file's content is again the one in use, so nothing is published; may be empty.
    std::function<void(std::uint64_t generation)> recovered = {};
  };
  struct options {
    watch_options watch;
    std::size_t size_limit = std::size_t{16} << 20;  // a larger file is a failure, not a surprise for the memory
    std::function<std::chrono::system_clock::time_point()> wall_clock;  // for the stamps in status(); may be empty
  };

  /// Loads once, on this thread, then starts to watch.
  content_follower(std::string path, hooks use, options settings);
  ~content_follower();
  content_follower(const content_follower&) = delete;
  content_follower& operator=(const content_follower&) = delete;

  /// How many contents were applied. Who sees n sees what the n-th apply made visible, or something newer.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    // edge content_follower.generation: acquire
    return generation_.load(std::memory_order_acquire);
  }

  /// Waits until the generation is not `seen`, and returns it. Nothing: the deadline has passed, stop was requested, or
  /// the follower was stopped.
  [[nodiscard]] std::optional<std::uint64_t> wait_for_change(std::uint64_t seen,
                                                             steady_deadline deadline = steady_deadline::max(),
                                                             const std::stop_token& stop = {}) const noexcept;

  /// Reads the file now, also to try a refused content again. See file_watcher::check_and_wait.
  [[nodiscard]] bool reload_now(steady_deadline deadline = steady_deadline::max()) noexcept;
  /// The same without waiting; async-signal-safe.
  void request_reload() noexcept;

  [[nodiscard]] reload_status status() const;
  [[nodiscard]] bool notified_by_system() const noexcept;
  /// See file_watcher::stop. Waiters in wait_for_change return.
  void stop() noexcept;

 private:
  const std::string& load_first();
  bool load();
  bool accept(std::string content);
  bool fail(reload_failure::cause why, std::string message, std::uint64_t content_hash);
  void succeed(bool published);
  void change() noexcept;
  template <class Hook, class... Arguments>
  void call(const Hook& hook, Arguments&&... arguments) noexcept;

  const std::string path_;
  const hooks use_;
  const options settings_;

  // Only whoever runs load(): the constructor, then the watcher's thread.
  std::optional<std::string> in_use_;                            // the content last applied
  std::vector<std::pair<std::uint64_t, std::string>> reported_;  // failures since the last success, at most 32

  std::atomic<std::uint64_t> generation_{0};
  mutable park_word changed_{0};      // counts publishes and the stop
  std::atomic<bool> stopped_{false};  // before changed_
  mutable std::mutex status_mutex_;
  reload_status status_;   // under status_mutex_
  bool watching_ = false;  // written once, before watcher_ starts its thread
  file_watcher watcher_;   // last: its thread uses all of the above, from its constructor on
};

}  // namespace acqrel
