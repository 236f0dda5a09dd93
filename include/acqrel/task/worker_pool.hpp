// acqrel/task/worker_pool.hpp - threads that run the jobs of a service, and how that ends.
//
//   acqrel::worker_pool pool(4, {.queue = 1000});
//   auto size = pool.submit([path] { return measure(path); });            // a task_result<long>
//   if (!pool.post([path] { archive(path); })) refuse(path);                // nobody asks how it ended
//   use(size.get());                                                      // or throws what measure() threw
//   auto end = pool.stop(acqrel::stop_mode::drain, acqrel::deadline_after(5s));
//   for (auto& job : end.undone) job();                                   // what was not begun by then
//
// Publishes  what was done before submit(), to the job; the job's work, to whoever has its result; all, by stop().
// Edges      none of its own: a mutex, the ends of threads, and event.happened for a result.
// Progress   blocking: a mutex, never held while a job runs or is destroyed. submit() waits where the queue is full, but
//            not in a job of this pool: all workers might do so.
// Memory     as many threads as the number given, from the start to the end. A job: an allocation, with a result two.
// Threads    all from any. stop() may be called by any number at once, any number of times; all return after the workers
//            have ended. In a job of this pool it requests only. The owner destroys it, which discards and joins.
// Errors     the constructor: std::invalid_argument for 0 workers, std::system_error for a thread that cannot be started.
//            bad_alloc. A job's exception goes to its result, or to on_exception, or is only counted. The result of
//            a job that was refused or dropped throws job_refused or job_dropped.
// Cost       post() one allocation, a lock, and a system call if a worker sleeps that nobody has called yet. A worker
//            without work sleeps. Bench worker_pool/post.
// Model      tests/task/worker_pool_model.cpp.
// Not for    the parts of one piece of work (task_group); what must happen at a time (signal/timer_queue).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/task/crew.hpp>

#include <atomic>
#include <optional>
#include <type_traits>
#include <variant>

namespace acqrel {

/// What get() throws for a job that the pool did not take; and when it is called again.
struct job_refused final : std::exception {
  const char* what() const noexcept override {
    return "acqrel: job refused: the pool is stopped, its queue full, or the result taken before";
  }
};
/// What get() throws for a job that was taken and never run.
struct job_dropped final : std::exception {
  const char* what() const noexcept override { return "acqrel: job dropped: the pool was stopped before it began"; }
};

/// How a job ends: its value, or its exception. Movable; one thread's at a time.
template <class R>
class [[nodiscard("the job's exception would be lost with it; post() what nobody asks for")]] task_result {
 public:
  task_result() noexcept = default;
  task_result(task_result &&) noexcept = default;
  task_result& operator=(task_result&&) noexcept = default;

  /// Whether there is something to get(), now or later. False: the job was refused, or get() has been called.
  explicit operator bool() const noexcept { return state_ != nullptr; }
  /// Happens when the job has ended: get() will not wait. In a job, wait for it with the job's stop token.
  [[nodiscard]] const event& done() const noexcept { return state_->done; }
  /// Waits for the end, and returns what the job has returned, or throws what it has thrown. Once.
  R get() {
    if (state_ == nullptr) throw job_refused();
    const std::shared_ptr<shared> mine = std::move(state_);
    mine->done.wait();
    if (mine->thrown) std::rethrow_exception(std::exchange(mine->thrown, nullptr));
    if constexpr (!std::is_void_v<R>) return std::move(*mine->value);
  }

 private:
  friend class worker_pool;
  struct shared {
    event done;
    std::exception_ptr thrown;
    std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> value;
  };
  explicit task_result(std::shared_ptr<shared> state) noexcept : state_(std::move(state)) {}

  std::shared_ptr<shared> state_;
};

enum class stop_mode : std::uint8_t {
  drain,    // every job that was taken runs
  discard,  // no other job begins, and those that run are asked to stop
};

class worker_pool {
 public:
  struct options {
    /// How many jobs may wait for a worker.
    std::size_t queue = crew::any_number;
    /// When this is requested the pool discards, by itself: what was not begun is dropped. See cancel_token::stop_token; to
    /// end with an event, post a job that waits for it with its stop token, and then calls stop().
    std::stop_token stop = {};
    /// Gets what posted jobs throw, on the worker's thread; it must not throw.
    crew::exception_handler on_exception = {};
  };

  /// A job that was taken and not begun. Destroyed without having been run, it tells its result's owner job_dropped.
  class undone_job {
   public:
    /// Runs it here, once; a posted one throws what it throws.
    void operator()(const std::stop_token& stop = {}) { std::exchange(job_, nullptr)->run(stop); }

   private:
    friend class worker_pool;
    explicit undone_job(std::unique_ptr<crew::job> job) noexcept : job_(std::move(job)) {}
    std::unique_ptr<crew::job> job_;
  };

  struct stopped {
    bool ended = false;              ///< all workers have ended: nothing runs any more
    std::size_t running = 0;         ///< jobs that still ran when the deadline had passed, or this call's own
    std::vector<undone_job> undone;  ///< each in one stopped only, whoever calls stop()
  };

  explicit worker_pool(std::size_t workers) : worker_pool(workers, options()) {}
  worker_pool(std::size_t workers, options how);
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  /// Has a worker run f(), or f(stop token). The result is false, and throws job_refused, if the pool was stopped, or if
  /// patience ran out before there was room in the queue.
  template <runnable F>
  auto submit(F f, const patience& how_long = {}) {
    using result = std::decay_t<decltype(run_with(f, std::declval<const std::stop_token&>()))>;
    auto state = std::make_shared<typename task_result<result>::shared>();
    std::unique_ptr<crew::job> job = std::make_unique<submitted<F, result>>(std::move(f), state);
    return task_result<result>(crew_.add(job, how_long) ? std::move(state) : nullptr);
  }
  template <runnable F>
  auto try_submit(F f) {
    return submit(std::move(f), at_once());
  }
  /// The same without a result. False: refused, and f is destroyed.
  template <runnable F>
  [[nodiscard("false: the job will not run")]] bool post(F f, const patience& how_long = {}) {
    std::unique_ptr<crew::job> job = crew::make_job(std::move(f));
    return crew_.add(job, how_long);
  }
  template <runnable F>
  [[nodiscard("false: the job will not run")]] bool try_post(F f) {
    return post(std::move(f), at_once());
  }

  /// Takes no more jobs, and waits until the workers have ended. A drain turns into a discard at the deadline; nobody waits
  /// longer than that, so look at `ended`. Called by a job of this pool, it does not wait.
  stopped stop(stop_mode how = stop_mode::drain, steady_deadline deadline = steady_deadline::max());

  /// What a job may also get as its argument: requested by a discard, or a drain that reached its deadline.
  [[nodiscard]] std::stop_token token() const noexcept { return crew_.token(); }
  [[nodiscard]] bool is_stopped() const noexcept { return crew_.is_closed(); }
  /// Posted jobs that threw.
  [[nodiscard]] std::uint64_t failures() const noexcept;
  /// Jobs that were dropped because options::stop was requested.
  [[nodiscard]] std::uint64_t dropped() const noexcept;

 private:
  template <class F, class R>
  struct submitted final : crew::job {
    using shared = typename task_result<R>::shared;
    submitted(F what, std::shared_ptr<shared> where) : f(std::move(what)), state(std::move(where)) {}
    ~submitted() override {
      if (!f) return;
      f.reset();
      state->thrown = std::make_exception_ptr(job_dropped());
      state->done.notify();
    }
    void run(const std::stop_token& stop) override {
      try {
        if constexpr (std::is_void_v<R>) {
          run_with(*f, stop);
        } else {
          state->value.emplace(run_with(*f, stop));
        }
      } catch (...) {
        state->thrown = std::current_exception();
      }
      f.reset();  // what it had captured is gone when its owner goes on
      state->done.notify();
    }
    std::optional<F> f;
    const std::shared_ptr<shared> state;
  };
  struct discard {
    void operator()() const noexcept { pool->discard_by_token(); }
    worker_pool* pool;
  };

  static patience at_once() noexcept { return patience(steady_deadline::min()); }
  void discard_by_token() noexcept;

  std::atomic<std::uint64_t> failures_{0}, dropped_{0};
  crew crew_;
  std::optional<std::stop_callback<discard>> on_stop_;  // last: it uses all of them
};

}  // namespace acqrel
