// A thread that a test knows to be asleep, inside the wait it was about to begin; and whether a wait was woken.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

constexpr std::chrono::seconds long_enough{30};  // no test waits this long unless it fails

/// Whether a wait for `waitable` ends, and before its time is up: a wait whose wake-up was lost succeeds too, but then.
template <class Waitable, class... Key>
bool woken(const Waitable& waitable, Key... key) {
  const auto begin = std::chrono::steady_clock::now();
  return waitable.wait_for(key..., long_enough) && std::chrono::steady_clock::now() - begin < long_enough;
}

/// Runs `body` in a thread. until_asleep() returns when the kernel says that it sleeps; a body that does nothing but wait
/// then sleeps in there.
class sleeper {
 public:
  template <class Body>
  explicit sleeper(Body body)
      : thread_([this, body = std::move(body)]() mutable {
          id_.store(gettid(), std::memory_order_release);
          body();
        }) {}
  ~sleeper() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  pthread_t handle() { return thread_.native_handle(); }
  void until_asleep() const {
    pid_t id = 0;
    while ((id = id_.load(std::memory_order_acquire)) == 0) std::this_thread::yield();
    const std::string path = "/proc/self/task/" + std::to_string(id) + "/stat";
    for (;;) {
      std::string line;
      std::getline(std::ifstream(path), line);
      if (line.empty() || line.find(") S ") != line.npos) return;  // empty: it has ended
      std::this_thread::yield();
    }
  }

 private:
  std::atomic<pid_t> id_{0};  // published by the thread before its body
  std::thread thread_;        // last: it uses id_
};
