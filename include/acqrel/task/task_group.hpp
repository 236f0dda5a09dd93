// acqrel/task/task_group.hpp - runs the parts of one piece of work at once, and stops all when one fails.
//
//   acqrel::task_group group(8);                                  // at most 8 tasks at once
//   for (const auto& url : urls) {
//     if (!group.spawn([&url](const std::stop_token& stop) { fetch(url, stop); })) break;   // false: one has failed
//   }
//   group.wait();                                                 // throws what the first that failed has thrown
//
// Publishes  what was done before spawn(), to the task; what all tasks did, by wait().
// Edges      none of its own: a mutex, and the ends of threads (crew.hpp).
// Progress   blocking. spawn() waits while as many tasks run as may, but not in a task of this group: those it would wait
//            for may all be waiting like it. That task waits for a thread instead, and spawn() is true at once.
// Memory     a thread for each task that runs at once, kept for further tasks until the end; an allocation for each task.
// Threads    spawn(), request_stop() and the waits from any. From the first wait on, also one that gives up, only the
//            group's own tasks may add to it. Its owner destroys it: that requests stop and joins, whatever has failed.
// Errors     what a task throws is its failure. The first requests stop, refuses new tasks, and is thrown by every wait
//            that is over; failures() has them all. A task that was taken runs, and looks at its token: also after a stop.
//            std::invalid_argument for a limit of 0; std::logic_error for a task that waits for its own group;
//            std::system_error if not even one thread can be started; bad_alloc.
// Cost       spawn() one allocation, a lock, and a system call: it calls a thread that sleeps, or starts one.
//            Bench task_group/spawn.
// Model      tests/task/task_group_model.cpp.
// Not for    jobs that come for as long as a service lives (worker_pool).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/task/crew.hpp>

#include <optional>

namespace acqrel {

class task_group : public waitable<task_group> {
 public:
  static constexpr std::size_t no_limit = crew::any_number;

  /// At most `limit` tasks run at once. A stop of `parent` stops the group, not the other way round; a cancel_token
  /// has a stop_token().
  explicit task_group(std::size_t limit = no_limit, const std::stop_token& parent = {});
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  ~task_group();

  /// Has a thread run f(), or f(stop token), and waits until one may. False: the group has failed, was stopped, or somebody
  /// waits for it; or patience ran out. Then f is destroyed.
  template <runnable F>
  [[nodiscard("false: the task will not run")]] bool spawn(F f, const patience& how_long = {}) {
    std::unique_ptr<crew::job> task = crew::make_job(std::move(f));
    return crew_.add(task, how_long);
  }
  /// The same without waiting. False also if as many run as may.
  template <runnable F>
  [[nodiscard("false: the task will not run")]] bool try_spawn(F f) {
    return spawn(std::move(f), patience(steady_deadline::min()));
  }

  /// Asks the tasks to stop, and takes no more.
  void request_stop() noexcept;
  /// What tasks may also get as their argument. Requested by the first failure, request_stop(), the parent; and when a
  /// wait is over: what still runs for the group then, elsewhere, may end.
  [[nodiscard]] std::stop_token token() const noexcept { return crew_.token(); }

  /// What tasks have thrown, in the order in which it came. Final once a wait is over.
  [[nodiscard]] std::vector<std::exception_ptr> failures() const;

 private:
  friend class waitable<task_group>;
  struct stopper {
    void operator()() const noexcept { group->request_stop(); }
    task_group* group;
  };

  bool await(const patience& how_long) const;
  void fail(std::exception_ptr thrown) noexcept;

  mutable std::mutex mutex_;
  std::vector<std::exception_ptr> failures_;  // under the mutex
  mutable crew crew_;
  std::optional<std::stop_callback<stopper>> on_stop_;  // last: it uses all of them
};

}  // namespace acqrel
