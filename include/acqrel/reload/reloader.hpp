// acqrel/reload/reloader.hpp - a file's content as a published value that follows the file.
//
//   acqrel::reloader<config> current("/etc/service/config.json", parse_config,
//                                    {.fallback = std::make_unique<config>(),
//                                     .on_failure = [](const acqrel::reload_failure& f) { log(f.message); }});
//   auto now = current.read();                    // any thread, any time: wait-free
//   serve(now->limit);
//
// Publishes  the T that parse made of the file's content, whole, through a snapshot_source.
// Edges      none of its own: read() has snapshot_source's, wait_for_change() content_follower's.
// Progress   read() and current() as snapshot_source; the file is read and parsed on the reloader's own thread.
// Memory     the T in use, those still held by readers, and one copy of the file's content.
// Threads    every member from any thread; destruction needs exclusive access. parse and the hooks run one at a time,
//            first on the constructor's thread, then on the reloader's, never under a lock.
// Errors     what cannot be read or parsed changes nothing: the last good T stays, on_failure hears of each distinct
//            failure once, status() shows it as long as it lasts. The constructor throws only what file_watcher throws.
// Cost       read() is snapshot_source::read(). A change costs one read and one parse; a touch costs one read.
// Model      none of its own; tests/reload/reloader_test.cpp, also under TSan.
// Not for    formats of which half a file is valid too, unless their writers rename (file_watcher waits for a file to
//            come to rest, but only a parser can refuse one that stayed cut off).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/reclaim/hazard.hpp>
#include <acqrel/reload/content_follower.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace acqrel {

/// What a reloader is told besides path and parser.
template <class T>
struct reload_options {
  /// In use until the first good load. Without one, read() and current() are empty until generation() is 1.
  std::unique_ptr<T> fallback = nullptr;
  /// After the T is visible to every reader, with its generation. Runs before the next content is looked at.
  std::function<void(const T&, std::uint64_t generation)> on_publish = {};
  /// Once for each distinct failure: content and message. A success in between makes it news again.
  std::function<void(const reload_failure&)> on_failure = {};
  /// When a failure ends because the file says again what is in use: the edit was taken back. Nothing is published.
  std::function<void(std::uint64_t generation)> on_recovery = {};
  watch_options watch = {};
  std::size_t size_limit = std::size_t{16} << 20;
  /// For the stamps in status(); the system clock if empty.
  std::function<std::chrono::system_clock::time_point()> wall_clock = {};
  /// By which observe/publications knows it, if it shall.
  const char* name = nullptr;
};

/// Keeps a T that follows a file.
template <class T>
class reloader {
 public:
  /// Makes a T of a whole file, or throws to refuse it; validation belongs here. Null is a refusal too.
  using parser = std::function<std::unique_ptr<T>(std::string_view content)>;

  /// Loads the file on this thread, then follows it. A first load that fails is reported like any other and tried again.
  reloader(std::string path, parser parse, reload_options<T> options = {})
      : source_(options.name == nullptr ? snapshot_source<T>(std::move(options.fallback))
                                        : snapshot_source<T>(named{options.name}, std::move(options.fallback))),
        parse_(std::move(parse)),
        on_publish_(std::move(options.on_publish)),
        follower_(
            std::move(path),
            {.apply = [this](std::string_view content) { publish(content); },
             .published = [this](std::uint64_t generation) { announce(generation); },
             .failed = std::move(options.on_failure),
             .recovered = std::move(options.on_recovery)},
            {.watch = options.watch, .size_limit = options.size_limit, .wall_clock = std::move(options.wall_clock)}) {}

  /// The T in use, for as long as the guard lives. Empty only without a fallback and before the first good load.
  [[nodiscard]] snapshot_guard<T> read() const noexcept { return source_.read(); }
  /// The T in use, to keep and copy.
  [[nodiscard]] snapshot_ptr<T> current() const noexcept { return source_.get_snapshot(); }
  /// For readers that hold on to a source, such as cached_reader.
  [[nodiscard]] const snapshot_source<T>& source() const noexcept { return source_; }

  /// How many contents were published. Who sees n reads the n-th T or a newer one.
  [[nodiscard]] std::uint64_t generation() const noexcept { return follower_.generation(); }

  /// Waits until the generation is not `seen`, and returns it: read() then gives that T or a newer one. A slow caller
  /// misses versions between, never the last. Nothing: deadline passed, stop requested, or reloader stopped.
  [[nodiscard]] std::optional<std::uint64_t> wait_for_change(std::uint64_t seen,
                                                             steady_deadline deadline = steady_deadline::max(),
                                                             const std::stop_token& stop = {}) const noexcept {
    return follower_.wait_for_change(seen, deadline, stop);
  }

  /// Reads the file now, also to try a refused content again; true once that is done. False, at once: called from parse
  /// or a hook, or stopped; false at the deadline otherwise.
  [[nodiscard]] bool reload_now(steady_deadline deadline = steady_deadline::max()) noexcept {
    return follower_.reload_now(deadline);
  }
  /// The same without waiting; async-signal-safe, for a SIGHUP handler.
  void request_reload() noexcept { follower_.request_reload(); }

  /// Counters, the time of the last success, the present failure.
  [[nodiscard]] reload_status status() const { return follower_.status(); }
  /// Whether changes are reported by the system at this moment, rather than found by polling.
  [[nodiscard]] bool notified_by_system() const noexcept { return follower_.notified_by_system(); }

  /// Stops following; what was read stays readable. Waits for a parse or hook that is running and for nothing else. Any
  /// number of calls, from any threads; from parse or a hook it only requests the end. The destructor stops too.
  void stop() noexcept { follower_.stop(); }

 private:
  void publish(std::string_view content) {
    std::unique_ptr<T> made = parse_(content);
    if (made == nullptr) throw std::runtime_error("the parser returned nothing");
    source_.publish(std::move(made));
  }

  void announce(std::uint64_t generation) {
    // The old T dies now if nobody reads it, not at the next reload, which may be days away.
    drain();
    if (!on_publish_) return;
    const snapshot_ptr<T> shown = source_.get_snapshot();  // the one just published: nobody else publishes here
    on_publish_(*shown, generation);
  }

  snapshot_source<T> source_;
  const parser parse_;
  const std::function<void(const T&, std::uint64_t)> on_publish_;
  content_follower follower_;  // last: its thread ends before the rest dies
};

}  // namespace acqrel
