// acqrel/task/crew.hpp - the threads behind worker_pool and task_group, and the queue that they work off.
//
//   acqrel::crew crew(4, acqrel::crew::any_number);              // at most 4 threads; any number of jobs waits for them
//   auto work = acqrel::crew::make_job([] { std::puts("hello"); });
//   if (!crew.add(work, acqrel::patience())) keep(work);         // false: it was closed, or patience ran out
//   crew.close(acqrel::crew::ending::drain);                     // any thread, any number of times
//   if (crew.join(acqrel::patience())) std::puts("all threads have ended");
//
// Publishes  what was done before add(), to the job; what all jobs did, to whoever has joined.
// Edges      none of its own: a mutex, the ends of threads, and event.happened to call a thread that sleeps.
// Progress   blocking: a mutex, which is never held while a job runs or is destroyed. add() waits where there is no room,
//            but not in a job of this crew: those it would wait for may all be waiting like it. So it takes that one.
// Memory     a thread for each job that runs at once, up to the number given, kept until the end; a pointer for each job.
// Threads    all from any. Destroyed by one that is none of its own, when no other is in any of its functions.
// Errors     std::invalid_argument for no threads. std::system_error if the first thread cannot be started; without a
//            further one the others do its work. Where add() throws, it has not taken the job. What a job throws goes to
//            `on_exception`, which must not throw. A crew destroyed by a job of its own ends the program with a message.
// Cost       add(): a lock, and a system call if a thread sleeps that nobody has called yet. A thread without work sleeps.
//            Bench worker_pool/post.
// Model      tests/task/worker_pool_model.cpp, tests/task/task_group_model.cpp.
// Not for    direct use: worker_pool is for the jobs of a service, task_group for the parts of one job.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/signal/event.hpp>

#include <concepts>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace acqrel {

/// What may be run: f(), or f(stop), which learns that it shall stop.
template <class F>
concept runnable = std::invocable<F&> || std::invocable<F&, const std::stop_token&>;

template <runnable F>
decltype(auto) run_with(F& f, const std::stop_token& stop) {
  if constexpr (std::invocable<F&, const std::stop_token&>) {
    return f(stop);
  } else {
    return f();
  }
}

class crew {
 public:
  struct job {
    virtual ~job() = default;
    /// Once at most.
    virtual void run(const std::stop_token& stop) = 0;
  };
  using jobs = std::vector<std::unique_ptr<job>>;
  using exception_handler = std::function<void(std::exception_ptr)>;
  static constexpr std::size_t any_number = SIZE_MAX;

  template <runnable F>
  [[nodiscard]] static std::unique_ptr<job> make_job(F f) {
    return std::make_unique<job_of<F>>(std::move(f));
  }

  /// How it ends, each harder than the one before it.
  enum class ending : std::uint8_t {
    none,
    finish,   // its jobs may add jobs, nobody else may; it ends when none is left
    drain,    // nobody may add; it ends when none is left
    discard,  // what has not begun is left
  };

  /// At most `threads` jobs run at once, and `room` wait for a thread.
  crew(std::size_t threads, std::size_t room, exception_handler on_exception = {});
  ~crew();  // discards, drops what is left, requests stop and joins
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  /// Starts all threads now, which add() does as it needs them. Throws std::system_error where one cannot be started.
  void start_all();

  /// Takes `added`, once there is room. False: it is closed, or patience ran out; then `added` is as it was.
  [[nodiscard]] bool add(std::unique_ptr<job>& added, const patience& how_long);
  /// Ends it in this way, unless a harder one was asked for before. Does not wait.
  void close(ending how) noexcept;
  /// Asks the jobs that look to stop. Calls what is registered with the token.
  void request_stop() noexcept { stop_.request_stop(); }
  [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }

  /// Waits until it is closed and all threads have ended. False: patience ran out, or this is one of its threads.
  [[nodiscard]] bool join(const patience& how_long);
  /// What a discard has left, each once, in the order in which it was added.
  [[nodiscard]] jobs take_left();

  [[nodiscard]] bool is_closed() const noexcept;
  /// Jobs that run now.
  [[nodiscard]] std::size_t running() const noexcept;
  /// Whether this is one of its threads.
  [[nodiscard]] bool is_within() const noexcept;

 private:
  template <class F>
  struct job_of final : job {
    explicit job_of(F what) : f(std::move(what)) {}
    void run(const std::stop_token& stop) override { run_with(f, stop); }
    F f;
  };
  struct sleeper {  // a thread without work, on its own stack
    event called;
    sleeper* next;
  };
  struct bell {  // a sleeper reads the word under the mutex, and parks on it
    void ring() noexcept;
    park_word rung{0};
    std::size_t sleepers = 0;
  };

  bool has_room() const noexcept;
  void start_one();
  void work() noexcept;
  void run(job& what, const std::stop_token& stop) const noexcept;
  void settle() noexcept;
  void call_all() noexcept;
  static bool sleep(bell& where, std::unique_lock<std::mutex>& lock, const patience& how_long) noexcept;

  const std::size_t most_, most_taken_;
  const exception_handler on_exception_;
  std::stop_source stop_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<std::unique_ptr<job>> queue_;
  std::vector<std::thread> threads_;
  sleeper* idle_ = nullptr;  // those not called, the last first: its cache is warm
  std::size_t started_ = 0, alive_ = 0, running_ = 0;
  ending how_ = ending::none;
  bool joining_ = false, joined_ = false;
  bell room_, end_;
};

}  // namespace acqrel
