// acqrel/base/probe.hpp - points at which the library tells who asked that a thread waits, or tries again.
//
//   void seen(acqrel::probe what, std::int64_t nanoseconds) noexcept;
//   acqrel::install_probe(&seen);  // from now on, called at the end of each wait, on the thread that waited
//   acqrel::install_probe(nullptr);  // no more, but for calls that are under way
//
// Publishes  what install_probe()'s caller did before, to the calls of its function.
// Edges      probe.installed   install_probe() -> a wait that begins later
// Progress   wait-free, but for the installed function.
// Memory     a pointer, once per process.
// Threads    all from any. The function runs on many threads at once, within any lock that its thread holds: it must not
//            wait for any, and what it uses must live as long as the process.
// Errors     none.
// Cost       none where nobody waits or loses; there a load. Bench fair_mutex/lock.
// Model      tests/base/probe_model.cpp.
// Not for    users: observe/contention is the function to install.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace acqrel {

enum class probe : std::uint8_t {
  lock,   // waited for a lock
  wait,   // slept: until something happened, or was worth another look
  retry,  // lost against another thread, and tries again
};
inline constexpr std::size_t probe_kinds = 3;

/// `nanoseconds` of waiting; 0 for a retry.
using probe_function = void (*)(probe what, std::int64_t nanoseconds) noexcept;

/// Replaces the one function of this process; null: none.
void install_probe(probe_function function) noexcept;

/// A wait, as long as this lives, on the waiter's stack. Of those within each other the outermost is told.
class probe_wait {
 public:
  explicit probe_wait(probe what) noexcept;
  ~probe_wait();
  probe_wait(const probe_wait&) = delete;
  probe_wait& operator=(const probe_wait&) = delete;

 private:
  const probe_function function_;  // null: nobody asked, or another wait is around this one
  const probe what_;
  std::int64_t since_ = 0;
};

/// A compare-exchange has lost.
[[gnu::cold, gnu::noinline]] void probe_retry() noexcept;

}  // namespace acqrel
