// acqrel/observe/contention.hpp - where the threads of a process wait and try again, and for how long.
//
//   acqrel::contention::observe();  // any thread, any time: from now on
//   acqrel::contention seen = acqrel::contention::so_far();
//   std::fputs(seen.table().c_str(), stderr);  // the worst place first
//   if (argc > 1) saved = save(argv[1], seen.only({acqrel::probe::lock}).pprof());  // go tool pprof -top that file
//   acqrel::contention::ignore();
//
// Publishes  a place and its first sample, to so_far().
// Edges      contention.site   the first sample of a place -> so_far()
// Progress   a sample is wait-free. observe() and so_far() allocate, and so_far() reads the files of the process for names.
// Memory     590 KB from the first observe() to the end of the process, for 2,048 places. What finds no room is counted.
// Threads    all from any.
// Errors     std::bad_alloc. Where a module has no symbols, a place is an address, which pprof can name if it has the file.
// Cost       nothing where nobody waits. On, a wait reads the clock twice, and each sample walks the stack: with the default
//            one for 10 us of waiting, a few per cent of what is waited. Bench contention/sample.
// Model      tests/observe/contention_model.cpp.
// Not for    where a program computes: use a profiler.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/capability.hpp>
#include <acqrel/base/probe.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace acqrel {

/// What was seen since the first observe() of this process.
class contention {
 public:
  struct sampling {
    /// One sample for so much waiting: each longer wait is recorded, of shorter ones the share that is due.
    std::chrono::nanoseconds every = std::chrono::microseconds(10);
    /// One of so many retries, at random.
    std::uint32_t retries = 100;
  };

  /// A place where threads waited, or lost.
  struct site {
    probe what;
    double times;                     ///< an estimate, from the samples
    std::chrono::nanoseconds waited;  ///< likewise; zero for retries
    /// Return addresses, the innermost first, beginning in the library; at most 30.
    std::vector<std::uintptr_t> stack;
  };

  /// Begins, or goes on with another rate. Throws std::invalid_argument for a rate below 1.
  static void observe(sampling how);
  static void observe() { observe(sampling()); }
  /// Ends, but for waits that are under way.
  static void ignore() noexcept;
  [[nodiscard]] static contention so_far();

  /// What has come since `before`.
  [[nodiscard]] contention since(const contention& before) const;
  [[nodiscard]] contention only(std::initializer_list<probe> kinds) const;

  /// The most waited first, then the most tried again.
  std::vector<site> sites;
  /// Samples for which there was no room.
  std::uint64_t lost = 0;
  /// From the first observe().
  std::chrono::nanoseconds duration{0};

  /// A profile.proto of pprof, uncompressed, of `contentions` and `delay`. The first frame is who called the library; the
  /// label `wait` says what for.
  [[nodiscard]] std::string pprof() const;
  /// A line for each stack, outermost first, and its nanoseconds: what flame graphs are made of. Without retries.
  [[nodiscard]] std::string folded() const;
  /// The same as a picture, an SVG by itself: each function as wide as was waited below it, its callers under it.
  [[nodiscard]] std::string flame_graph() const;
  /// For people: each place with its share, and the functions that led to it.
  [[nodiscard]] std::string table(std::size_t places = 10) const;
};

/// A mutex of any type whose waits are seen: profiled<std::mutex>, profiled<std::shared_mutex>.
template <class Mutex>
class ACQREL_CAPABILITY("mutex") profiled {
 public:
  profiled() = default;
  profiled(const profiled&) = delete;
  profiled& operator=(const profiled&) = delete;

  void lock() ACQREL_ACQUIRE() ACQREL_UNCHECKED {
    if (!mutex_.try_lock()) wait([this] { mutex_.lock(); });
  }
  [[nodiscard]] bool try_lock() ACQREL_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() ACQREL_RELEASE() { mutex_.unlock(); }

  void lock_shared() requires requires(Mutex& m) { m.lock_shared(); }
  {
    if (!mutex_.try_lock_shared()) wait([this] { mutex_.lock_shared(); });
  }
  [[nodiscard]] bool try_lock_shared() requires requires(Mutex& m) { m.lock_shared(); }
  { return mutex_.try_lock_shared(); }
  void unlock_shared() requires requires(Mutex& m) { m.lock_shared(); }
  { mutex_.unlock_shared(); }

 private:
  template <class Take>
  [[gnu::cold, gnu::noinline]] void wait(Take take) {
    const probe_wait waiting(probe::lock);
    take();
  }
  Mutex mutex_;
};

}  // namespace acqrel
