// docs/patterns/shut-down-cleanly.md: take no more, finish what was begun, say what was not.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>
#include <acqrel/task/worker_pool.hpp>

#include <csignal>
#include <cstdio>
#include <mutex>

namespace {

using namespace std::chrono_literals;

struct request {
  int number;
};
void handle(const request& asked, const std::stop_token&) { std::printf("handled %d\n", asked.number); }

}  // namespace

// [shut-down]
class service {
 public:
  bool accept(request asked) {
    return pool_.post([asked](const std::stop_token& stop) { handle(asked, stop); });
  }

  // Called by the thread of main(), which waits for the signal.
  std::size_t shut_down() {
    const auto end = pool_.stop(acqrel::stop_mode::drain, acqrel::deadline_after(5s));
    if (!end.ended) std::printf("%zu requests did not end in time\n", end.running);
    return end.undone.size();
  }

 private:
  acqrel::worker_pool pool_{4, {.queue = 1000}};
};
// [/shut-down]

// [by-event]
// The pool ends when `closing` happens, whoever lets it happen: one of its workers waits for that.
bool end_with(acqrel::worker_pool& pool, const acqrel::event& closing) {
  return pool.post([&](const std::stop_token& stop) {
    if (closing.wait(stop)) pool.stop(acqrel::stop_mode::discard);  // asks and does not wait: it is a job of the pool
  });
}
// [/by-event]

namespace wrong {

// [shut-down-wrong]
class service {
 public:
  void accept(request asked) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(asked);
  }
  void shut_down() {
    stopping_ = true;
    worker_.join();
  }

 private:
  void work() {
    while (!stopping_) {
      const std::lock_guard lock(mutex_);
      if (jobs_.empty()) continue;
      handle(jobs_.front(), {});
      jobs_.pop_front();
    }
  }
  std::mutex mutex_;
  std::deque<request> jobs_;
  std::atomic<bool> stopping_{false};
  std::thread worker_{[this] { work(); }};
};
// [/shut-down-wrong]

}  // namespace wrong

// [signal]
int main() {
  static constinit acqrel::event stop_wanted;  // notify() is allowed in a signal handler
  std::signal(SIGTERM, [](int) { stop_wanted.notify(); });

  service serving;
  if (!serving.accept({1})) std::puts("refused");
  std::raise(SIGTERM);

  stop_wanted.wait();
  std::printf("%zu requests were not begun\n", serving.shut_down());
  if (!serving.accept({2})) std::puts("refused");
}
// [/signal]
