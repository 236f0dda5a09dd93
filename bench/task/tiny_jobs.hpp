// SPDX-License-Identifier: Apache-2.0
// bench/task/tiny_jobs.hpp - jobs that only count themselves, given to other threads in batches whose end is waited for.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/harness.hpp"

namespace bench {

constexpr std::uint64_t jobs_of_a_batch = 1024;
constexpr unsigned workers_of_a_pool = 2;

/// What everybody writes first: a mutex, a condition variable, a deque of functions. Ends by a flag.
class plain_pool {
 public:
  plain_pool() {
    for (unsigned n = 0; n != workers_of_a_pool; ++n) threads_.emplace_back([this] { work(); });
  }
  ~plain_pool() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  void post(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return over_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

/// `Pool` has a batch(), which runs jobs_of_a_batch jobs and waits for them.
template <class Pool>
void enter_tiny_jobs(const char* type, const char* operation, const char* contender) {
  enter({.type = type,
         .operation = operation,
         .contender = contender,
         .variation = "tiny_jobs",
         .threads = 1,
         .environment = {}},
        [] {
          return [pool = std::make_shared<Pool>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              pool->batch();
              done += jobs_of_a_batch;
            } while (now.running());
            now.end(done);
          };
        });
}

}  // namespace bench
