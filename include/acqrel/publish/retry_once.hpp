// acqrel/publish/retry_once.hpp - what is done once, tried again after a failure that all who waited hear of.
//
//   constinit acqrel::retry_once connected([](std::uint32_t failures) noexcept -> std::chrono::nanoseconds {
//     return failures * 10ms;                            // how long to leave it alone after a failure
//   });
//   connected.call([] { link = dial(); });               // any thread: connected, or dial's exception
//   if (!connected.call_for(50ms, [] { link = dial(); })) return false;   // another is still dialling
//
// Publishes  everything the function that succeeded wrote, to all who see it done; an attempt's exception, to all who
//            waited for that attempt.
// Edges      retry_once.done  a function has returned -> call(), done()   what it wrote, and its caller before
//            and those of once (once.hpp): every attempt is one
// Progress   done() and a call when it is done: wait-free. Before: the first runs its function, others wait for that
//            attempt, not for a turn of their own: ten callers wait as long as one.
// Memory     80 bytes; from the first call on one attempt on the heap, which an attempt that failed leaves to those who
//            still look at its exception.
// Threads    any; whoever has seen it done may destroy it.
// Errors     what the function throws reaches all who waited for it, the same exception: do not write to it. While
//            backoff says so, calls throw it again at once and nothing runs. A call from within the function throws
//            std::logic_error. std::bad_alloc if there is no memory for an attempt. A waiter that gives up cancels nothing.
// Cost       a call when it is done: one acquire load and a branch. Bench retry_once/call.
// Model      tests/publish/retry_once_model.cpp, every edge also weakened.
// Not for    a function each caller should try for itself (once), or that should not be tried again (lazy).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>
#include <acqrel/publish/once.hpp>

#include <exception>
#include <memory>
#include <mutex>

namespace acqrel {

class retry_once : public once_calls<retry_once> {
 public:
  /// How long after the end of a failed attempt the next may begin, by how many have failed so far. Runs on the thread
  /// whose function failed, with nothing locked; those who wait hear of the failure when it has returned.
  using backoff = std::chrono::nanoseconds (*)(std::uint32_t failures) noexcept;

  /// Tries again at the next call.
  constexpr retry_once() noexcept = default;
  constexpr explicit retry_once(backoff wait) noexcept : backoff_(wait) {}
  /// `time` must outlive it.
  constexpr retry_once(backoff wait, time_source& time) noexcept : backoff_(wait), time_(&time) {}
  retry_once(const retry_once&) = delete;  // what was done is done here: refer to this one
  retry_once& operator=(const retry_once&) = delete;

  /// True: what the function wrote may be read.
  [[nodiscard]] bool done() const noexcept {
    // edge retry_once.done: acquire
    return (state_.load(std::memory_order_acquire) & is_done) != 0;
  }
  /// How many attempts have begun, the one that succeeded among them. Wraps after 2^31.
  [[nodiscard]] std::uint32_t attempts() const noexcept {
    // plain: a number to look at
    return state_.load(std::memory_order_relaxed) / one_attempt;
  }

 private:
  friend class once_calls<retry_once>;

  // A once that nobody runs twice: what it threw is kept here.
  struct attempt {
    once ran;
    std::exception_ptr error;                            // written within its turn
    steady_deadline next_from = steady_deadline::min();  // likewise
  };

  static constexpr std::uint32_t is_done = 1;
  static constexpr std::uint32_t one_attempt = 2;

  template <class F, class... Args>
  [[gnu::cold, gnu::noinline]] bool run(const patience& how_long, F f, Args... args);
  std::shared_ptr<attempt> join();
  void begin() noexcept;
  void succeed() noexcept;
  void fail(attempt& mine) noexcept;
  steady_deadline now() const noexcept { return (time_ != nullptr ? *time_ : time_source::steady()).now(); }

  std::atomic<std::uint32_t> state_{0};  // attempts begun, above is_done
  std::mutex mutex_;                     // guards the pointer, and is held for no longer than it takes to copy it
  std::shared_ptr<attempt> current_;     // the last that began; callers who find it running or in backoff share it
  backoff backoff_ = nullptr;
  time_source* time_ = nullptr;  // null: the steady clock
};

// ------------------------------------------------------------------------ Implementation

template <class F, class... Args>
bool retry_once::run(const patience& how_long, F f, Args... args) {
  static_assert(std::is_void_v<decltype(std::forward<F>(f)(std::forward<Args>(args)...))>,
                "the function's result would be lost: throw to say that it failed");
  const std::shared_ptr<attempt> current = join();
  once_turn turn(current->ran, how_long);
  if (turn.gave_up()) return false;
  if (turn.mine()) {
    begin();
    try {
      std::forward<F>(f)(std::forward<Args>(args)...);
      succeed();
    } catch (...) {
      current->error = std::current_exception();
      if (current->error == nullptr) throw;  // the thread is being cancelled: one who waits tries in its place
      fail(*current);
    }
    turn.finish();  // who waited may destroy this
  }
  if (current->error != nullptr) std::rethrow_exception(current->error);
  return true;
}

}  // namespace acqrel
