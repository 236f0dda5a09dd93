// acqrel/pace/debouncer.hpp - many triggers, one call: when they have paused, with what the last one gave.
//
//   acqrel::debouncer<std::string> save(timers, 200ms, 2s, [](const std::string& text) { write(text); });
//   save.trigger("draft");   // any thread; write() runs once, 200 ms after the last trigger, 2 s after the first at the latest
//   save.flush();            // at once, here
//   save.cancel_and_wait();  // not at all; and when this returns write() is not running
//
// Publishes  what was done before trigger(), to the call that follows; what a call did, to the next one, and to who learns
//            that none is left: wait(), flush() and cancel_and_wait().
// Edges      none of its own: a fair_mutex orders all.
// Progress   blocking, for a few instructions: trigger() and cancel() take a mutex, under which nobody's code runs. flush(),
//            wait() and cancel_and_wait() wait for a call under way on another thread.
// Memory     112 bytes; a trigger allocates its arguments, and one in a series its timer.
// Threads    every member from any, the function too. The function runs on the thread of the queue, or in flush(); never
//            twice at once. ~debouncer cancels and waits; it needs exclusive access, must not run in the function, and
//            comes before the end of the queue.
// Errors     std::invalid_argument for a negative delay, or one above the longest. trigger() throws bad_alloc, or
//            system_error if the queue gets no thread, with nothing changed. What the function throws passes through
//            flush(); on the queue's thread it is counted, exceptions(). If that thread gets no memory, the program ends.
// Cost       trigger() an allocation, a clock and a lock. Bench debouncer/trigger.
// Model      tests/pace/debouncer_model.cpp: triggers on the real code; a run and its cancelling on a small copy of it.
// Not for    the first of many rather than the last (throttle), or long work: other timers wait behind it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/signal/timer_queue.hpp>

#include <functional>
#include <memory>
#include <thread>
#include <tuple>

namespace acqrel {

/// Of a debouncer, what knows no types. With the waits of waitable: until nothing is pending or running; called from the
/// function they never return.
class debouncer_core : public waitable<debouncer_core> {
 public:
  using duration = std::chrono::steady_clock::duration;
  debouncer_core(const debouncer_core&) = delete;
  debouncer_core& operator=(const debouncer_core&) = delete;

  /// Returns when all that was triggered before has run: what is pending runs here, unless the queue's thread just takes it.
  /// True: it ran here. Called from the function it does not wait: what is pending runs next.
  bool flush();
  /// Drops what is pending. True: there was something. It never waits for a call that is running.
  bool cancel() noexcept;
  /// The same, but it waits for the end of a call that is running, unless it is called from it.
  bool cancel_and_wait() noexcept;
  /// Whether a call is to come that has not begun.
  [[nodiscard]] bool pending() const noexcept;
  /// How often the function has thrown on the queue's thread.
  [[nodiscard]] std::uint64_t exceptions() const noexcept;

 protected:
  // A call to come, with its arguments.
  struct call {
    call() = default;
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    virtual ~call() = default;
    virtual void run() = 0;
  };
  debouncer_core(timer_queue& timers, duration delay, duration longest);
  ~debouncer_core() = default;
  void trigger(std::unique_ptr<call> next);
  void end() noexcept;  // before anything is destroyed
  // Converts; what is below 0 or not a number becomes -1.
  template <class Rep, class Period>
  static constexpr duration checked(std::chrono::duration<Rep, Period> time) noexcept {
    return time >= time.zero() ? steady_duration(time) : duration(-1);
  }

 private:
  friend class waitable<debouncer_core>;
  bool await(const patience& patience) const noexcept;
  bool cancel(bool and_wait) noexcept;
  void await_end_of(std::uint64_t run) const noexcept;
  void fire() noexcept;
  // For who holds the mutex:
  void arm();
  std::unique_ptr<call> begin() noexcept;
  [[nodiscard]] bool change() noexcept;  // whether somebody is to be woken, once the mutex is free
  // For who does not:
  void end_run() noexcept;
  struct run_here;

  timer_queue& timers_;
  const duration delay_, longest_;
  mutable fair_mutex mutex_;
  std::unique_ptr<call> pending_;  // mutex_. If there is one, armed_ or runner_ is set
  steady_deadline first_{};        // mutex_; trigger of the pending call
  steady_deadline due_{};          // mutex_; when that runs
  timer timer_;                    // mutex_; the last that was armed
  bool armed_ = false;             // mutex_; fire() will come, at due_ or before
  std::thread::id runner_{};       // mutex_; of the call that runs
  std::uint64_t runs_ = 0;         // mutex_; begun
  std::uint64_t exceptions_ = 0;   // mutex_
  mutable park_word changes_{0};   // counts what a wait may end by; bit 0: somebody waits
};

/// Calls a function once the triggers have paused for `delay`, and not later than `longest` after the first of them, with
/// the arguments of the last. A trigger during the call leads to one more.
template <class... Args>
class debouncer : public debouncer_core {
  static_assert((std::is_object_v<Args> && ...), "debouncer<Args...>: plain object types, which a trigger gives away");

 public:
  template <class Rep, class Period, class Function>
  debouncer(timer_queue& timers, std::chrono::duration<Rep, Period> delay, Function function)
      : debouncer(timers, delay, duration::max(), std::move(function)) {}
  template <class Rep, class Period, class Rep2, class Period2, class Function>
  debouncer(timer_queue& timers, std::chrono::duration<Rep, Period> delay, std::chrono::duration<Rep2, Period2> longest,
            Function function)
      : debouncer_core(timers, checked(delay), checked(longest)),
        function_(std::make_unique<function_of<Function>>(std::move(function))) {}
  ~debouncer() { end(); }

  /// The call comes `delay` from now, or when it is due by `longest`, if that is sooner.
  void trigger(Args... args) {
    debouncer_core::trigger(std::make_unique<call_of>(*function_, std::tuple<Args...>(std::move(args)...)));
  }

 private:
  struct any_function {
    virtual ~any_function() = default;
    virtual void operator()(Args&&... args) = 0;
  };
  template <class Function>
  struct function_of final : any_function {
    explicit function_of(Function&& from) : function(std::move(from)) {}
    void operator()(Args&&... args) override { static_cast<void>(std::invoke(function, std::move(args)...)); }
    Function function;
  };
  struct call_of final : call {
    call_of(any_function& of, std::tuple<Args...>&& with) : function(of), args(std::move(with)) {}
    void run() override { std::apply(function, std::move(args)); }
    any_function& function;
    std::tuple<Args...> args;
  };

  const std::unique_ptr<any_function> function_;
};

static_assert(sizeof(debouncer<>) == 112);

}  // namespace acqrel
