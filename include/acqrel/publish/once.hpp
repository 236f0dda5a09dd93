// acqrel/publish/once.hpp - what is done once, by whoever comes first.
//
//   constinit acqrel::once opened;
//   opened.call([] { log_file = open_log(); });        // any thread, any time: done when it returns
//   if (!opened.call_for(100ms, [] { log_file = open_log(); })) return false;   // another is still at it
//
// Publishes  everything the function wrote, to all who see it done.
// Edges      once.done      a function has returned -> call(), done()   what it wrote, and its caller before
//            once.reopened  a function has thrown -> the next runs      what it wrote until then
// Progress   done() and a call when it is done: wait-free. Before: the first runs the function, others wait for it.
// Memory     4 bytes, and a frame on the stack of who runs the function. Nothing is allocated.
// Threads    any; whoever has seen it done may destroy it, though the one who ran the function is still on its way out.
// Errors     what the function throws reaches the caller that ran it. The once is as before, and exactly one of those
//            who wait goes next, with its own function. A call from within the function, also by way of other onces,
//            throws std::logic_error; two threads that run one once each and call the other's wait for ever.
// Cost       a call when it is done: one acquire load and a branch. Bench once/call.
// Model      tests/publish/once_model.cpp, every edge also weakened.
// Not for    a value that the function makes (lazy); failures that all who wait should hear of (retry_once).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

#include <type_traits>
#include <utility>

namespace acqrel {

template <class F, class... Args>
concept once_function = requires(F&& f, Args&&... args) {
  std::forward<F>(f)(std::forward<Args>(args)...);
};

/// All forms of calling, for a type with `bool done() const` and `bool run<F, Args...>(const patience&, F, Args...)`,
/// false if patience ran out. The limits are for waiting: a function that runs is not interrupted.
template <class Self>
class once_calls {
 public:
  /// Returns when it is done: runs f(args...) unless that has been done, or waits for who is running it.
  template <class F, class... Args>
  requires once_function<F, Args...>
  void call(F&& f, Args&&... args) {
    if (self().done()) [[likely]]
      return;
    (void)go(patience(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  /// The same, but false if it still was not done, and somebody else was at it, when stop was requested.
  template <class F, class... Args>
  requires once_function<F, Args...>
  [[nodiscard]] bool call(const std::stop_token& stop, F&& f, Args&&... args) {
    return self().done() || go(patience(stop), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class Rep, class Period, class F, class... Args>
  requires once_function<F, Args...>
  [[nodiscard]] bool call_for(std::chrono::duration<Rep, Period> time, F&& f, Args&&... args) {
    return self().done() || go(patience(deadline_after(time)), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class Rep, class Period, class F, class... Args>
  requires once_function<F, Args...>
  [[nodiscard]] bool call_for(std::chrono::duration<Rep, Period> time, const std::stop_token& stop, F&& f,
                              Args&&... args) {
    return self().done() || go(patience(deadline_after(time), stop), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class Duration, class F, class... Args>
  requires once_function<F, Args...>
  [[nodiscard]] bool call_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline, F&& f,
                                Args&&... args) {
    return self().done() || go(patience(to_deadline(deadline)), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class Duration, class F, class... Args>
  requires once_function<F, Args...>
  [[nodiscard]] bool call_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                const std::stop_token& stop, F&& f, Args&&... args) {
    return self().done() || go(patience(to_deadline(deadline), stop), std::forward<F>(f), std::forward<Args>(args)...);
  }

 protected:
  ~once_calls() = default;

 private:
  // By value what is small and given away: what a lambda captured then stays in registers when there is nothing to do.
  template <class T>
  using in_registers = std::conditional_t<!std::is_reference_v<T> && std::is_trivially_copyable_v<T> &&
                                              sizeof(std::decay_t<T>) <= 2 * sizeof(void*),
                                          T, T&&>;

  template <class F, class... Args>
  bool go(const patience& how_long, F&& f, Args&&... args) {
    return self().template run<in_registers<F>, in_registers<Args>...>(how_long, std::forward<F>(f),
                                                                       std::forward<Args>(args)...);
  }
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

class once : public once_calls<once> {
 public:
  constexpr once() noexcept = default;
  once(const once&) = delete;  // what was done is done here: refer to this one
  once& operator=(const once&) = delete;

  /// True: what the function wrote may be read.
  [[nodiscard]] bool done() const noexcept {
    // edge once.done: acquire
    return (state_.load(std::memory_order_acquire) & is_done) != 0;
  }

 private:
  friend class once_calls<once>;
  friend class once_turn;

  template <class F, class... Args>
  [[gnu::cold, gnu::noinline]] bool run(const patience& how_long, F f, Args... args);

  // Idle is none of the first three. Above them the number of times it was reopened: whoever is about to sleep because
  // it is running must not mistake one idle time for another.
  static constexpr std::uint32_t is_done = 1;
  static constexpr std::uint32_t is_closed = 2;  // never again, and not done: a failure that lazy keeps
  static constexpr std::uint32_t is_running = 4;
  static constexpr std::uint32_t has_waiters = 8;  // stays once it is set: somebody may be parked
  static constexpr std::uint32_t one_reopening = 16;

  park_word state_{0};
};
static_assert(sizeof(once) == 4);

/// std::call_once, for those who are used to it.
template <class F, class... Args>
requires once_function<F, Args...>
void call_once(once& flag, F&& f, Args&&... args) { flag.call(std::forward<F>(f), std::forward<Args>(args)...); }

// ------------------------------------------------------------------------ Implementation

/// The right to run what a once guards: what once, lazy and retry_once have in common. A turn that ends unfinished, by
/// an exception, reopens the once and wakes one who waits.
class once_turn {
 public:
  enum class result : std::uint8_t { mine, settled, gave_up };

  /// Takes the turn, or waits until the once is settled. std::logic_error if this thread has the turn already.
  once_turn(once& guarded, const patience& how_long);
  ~once_turn();
  once_turn(const once_turn&) = delete;
  once_turn& operator=(const once_turn&) = delete;

  [[nodiscard]] bool mine() const noexcept { return result_ == result::mine; }
  [[nodiscard]] bool gave_up() const noexcept { return result_ == result::gave_up; }
  /// Done; everybody goes on, and the once may be gone.
  void finish() noexcept { settle(once::is_done); }
  /// Never to be done: done() stays false, and nobody gets a turn again.
  void close() noexcept { settle(once::is_closed); }
  [[nodiscard]] static bool closed(const once& guarded) noexcept;

 private:
  bool look() noexcept;
  void settle(std::uint32_t as) noexcept;
  void leave() noexcept;

  once& guarded_;
  once_turn* outer_ = nullptr;  // the turn of this thread, at another once, within which it took this one
  result result_ = result::gave_up;
  bool held_ = false;
};

template <class F, class... Args>
bool once::run(const patience& how_long, F f, Args... args) {
  static_assert(std::is_void_v<decltype(std::forward<F>(f)(std::forward<Args>(args)...))>,
                "the function's result would be lost: let it throw when it fails, and keep a result in acqrel::lazy");
  once_turn turn(*this, how_long);
  if (turn.mine()) {
    std::forward<F>(f)(std::forward<Args>(args)...);
    turn.finish();
  }
  return !turn.gave_up();
}

}  // namespace acqrel
