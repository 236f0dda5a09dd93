// acqrel/signal/timer_queue.hpp - calls functions at their times, on one thread of its own.
//
//   acqrel::timer_queue timers;
//   acqrel::timer alarm = timers.arm_after(10ms, [&] { ring(); });   // called once, not before 10 ms from now
//   alarm.wait();                                                    // or wait_for, wait_until
//   acqrel::timer_cancel late = alarm.cancel();                      // cancelled, running, or gone
//
// Publishes  what was done before arm(), to the function; what the function did, to who learns that it has ended.
// Edges      timer_queue.ended   the function's end, its destruction -> wait(), cancel() that says `gone`
// Progress   blocking, for a list operation: arm() and cancel() take a mutex, under which nobody's code runs. wait() and
//            cancel_and_wait() wait for the function.
// Memory     one allocation a timer, 48 bytes and the function; 17 kB a queue. The thread starts with the first timer.
// Threads    every member from any thread, from the functions too. A timer belongs to one thread at a time, but any may
//            call its cancel() and wait(). It may outlive its queue, but no call of either may overlap ~timer_queue.
// Errors     arm() throws bad_alloc, or system_error if it gets no thread; nothing is armed then. A function that throws
//            ends the program: nobody could catch it. ~timer_queue in one of its functions ends it as well.
// Cost       O(1): each timer is moved at most ten times, whatever its time. Bench timer_queue/arm_cancel.
// Model      tests/signal/timer_queue_model.cpp: called or cancelled, never both or neither; the edge also weakened.
// Not for    long work (the others wait behind it: hand it on), or wall-clock times (a clock that is set).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>
#include <acqrel/base/waitable.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace acqrel {

/// What cancelling came to.
enum class timer_cancel : std::uint8_t {
  cancelled,  // the function will never run, and is destroyed unless another thread just does so
  running,    // it runs now, on the queue's thread: perhaps this one
  gone,       // it has run, or was cancelled or dropped before
};

class timer;

/// Functions with deadlines. They are called in the order of these, equal ones in the order of arm(). Deadlines are exact
/// to the clock's unit; one in the past is due at once, and time_point::max() never is.
class timer_queue {
 public:
  explicit timer_queue(time_source& time = time_source::steady());
  /// Waits for the function that is running, and destroys the others without a call.
  ~timer_queue();
  timer_queue(const timer_queue&) = delete;
  timer_queue& operator=(const timer_queue&) = delete;

  /// Calls `function` once `deadline` has passed, unless the timer is cancelled or destroyed first.
  template <std::invocable Function, class Duration>
  [[nodiscard("keep the timer: destroyed, it cancels; or detach() it")]] timer arm(
      std::chrono::time_point<std::chrono::steady_clock, Duration> deadline, Function function);
  /// The same, `delay` from now, saturating.
  template <std::invocable Function, class Rep, class Period>
  [[nodiscard("keep the timer: destroyed, it cancels; or detach() it")]] timer arm_after(
      std::chrono::duration<Rep, Period> delay, Function function);

  /// The time by its clock.
  [[nodiscard]] steady_deadline now() const noexcept;
  /// How many are armed: neither begun nor cancelled.
  [[nodiscard]] std::size_t armed() const noexcept;

 private:
  friend class timer;
  friend class timer_wheel;
  class state;
  struct links {
    links* previous = nullptr;  // the state's mutex; null: armed no more
    links* next = nullptr;
  };
  struct entry : links {
    explicit entry(steady_deadline when) noexcept : deadline(when) {}
    virtual ~entry() = default;
    virtual void call() noexcept = 0;
    virtual void drop() noexcept = 0;

    const steady_deadline deadline;
    state* home = nullptr;          // written once, before anybody else knows the entry
    mutable park_word progress{0};  // bits: the queue is done with it, the timer is, somebody waits
    bool begun = false;             // the state's mutex
  };
  template <class Function>
  struct entry_of final : entry {
    entry_of(steady_deadline when, Function&& to_call) : entry(when), function(std::move(to_call)) {}
    void call() noexcept override { static_cast<void>(std::move(*function)()); }
    void drop() noexcept override { function.reset(); }
    std::optional<Function> function;
  };

  timer arm_entry(std::unique_ptr<entry> armed);
  [[nodiscard]] steady_deadline deadline_in(std::chrono::steady_clock::duration delay) const noexcept;

  std::unique_ptr<state> state_;
};

/// Owns an armed function: destroyed, it cancels it, and waits if it is running on another thread. With the waits of
/// waitable<timer>, for the function to have ended or been cancelled; called from the function they never return.
class timer : public waitable<timer> {
 public:
  timer() noexcept = default;  // of nothing: gone
  timer(timer&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  timer& operator=(timer&& other) noexcept {
    timer(std::move(other)).swap(*this);
    return *this;
  }
  ~timer();

  /// Never waits for the function.
  timer_cancel cancel() noexcept;
  /// The same, but where the function is running it waits for its end, and says `gone`. Only called from the function
  /// itself it does not wait, and says `running`.
  timer_cancel cancel_and_wait() noexcept;
  /// Lets the function run whether or not this object still exists.
  void detach() noexcept;
  void swap(timer& other) noexcept { std::swap(entry_, other.entry_); }

 private:
  friend class timer_queue;
  friend class waitable<timer>;
  explicit timer(timer_queue::entry* entry) noexcept : entry_(entry) {}
  timer_cancel cancel(bool and_wait) noexcept;
  bool has_ended() const noexcept;
  bool await(const patience& patience) const noexcept;

  timer_queue::entry* entry_ = nullptr;
};

// ---- Implementation ------------------------------------------------------------------------------------------------

template <std::invocable Function, class Duration>
timer timer_queue::arm(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline, Function function) {
  return arm_entry(std::make_unique<entry_of<Function>>(to_deadline(deadline), std::move(function)));
}

template <std::invocable Function, class Rep, class Period>
timer timer_queue::arm_after(std::chrono::duration<Rep, Period> delay, Function function) {
  return arm(deadline_in(steady_duration(delay)), std::move(function));
}

}  // namespace acqrel
