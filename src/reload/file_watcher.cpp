// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reload/file_watcher.hpp>

#include "../base/all_signals_blocked.hpp"
#include "file_state.hpp"
#include "inotify_set.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace acqrel {
namespace {

using std::chrono::steady_clock;

// Ends a wait in poll(); writing to it is all a signal handler needs.
class wake_pipe {
 public:
  wake_pipe() {
#if defined(__linux__)
    const bool made = pipe2(ends_, O_CLOEXEC | O_NONBLOCK) == 0;
#else
    const bool made = pipe(ends_) == 0;
    for (int end = 0; made && end != 2; ++end) {
      fcntl(ends_[end], F_SETFD, FD_CLOEXEC);
      fcntl(ends_[end], F_SETFL, O_NONBLOCK);
    }
#endif
    if (!made) throw std::system_error(errno, std::generic_category(), "file_watcher: no pipe to wake its thread");
  }
  ~wake_pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  wake_pipe(const wake_pipe&) = delete;
  wake_pipe& operator=(const wake_pipe&) = delete;

  void wake() noexcept {
    const int kept = errno;
    // A full pipe wakes as well as one more byte would.
    [[maybe_unused]] const auto written = write(ends_[1], "", 1);
    errno = kept;
  }
  void drain() noexcept {
    char bytes[64];
    while (read(ends_[0], bytes, sizeof bytes) > 0) {
    }
  }
  [[nodiscard]] int descriptor() const noexcept { return ends_[0]; }

 private:
  int ends_[2];
};

}  // namespace

class file_watcher::state {
 public:
  state(std::string path, callback changed, watch_options options)
      : path_(std::filesystem::absolute(path).string()), changed_(std::move(changed)), options_(options) {}

  void start() {
    const all_signals_blocked quiet;
    thread_ = std::thread([this] { run(); });
  }

  void check() noexcept { ask(); }

  bool check_and_wait(steady_deadline deadline) noexcept {
    const std::uint32_t ticket = ask();
    if (current_ == this) return false;
    for (;;) {
      // edge file_watcher.checked: acquire
      const std::uint32_t turn = turns_.load(std::memory_order_acquire);
      // plain: ordered by the load of turns_ above, which counts every change of both.
      if (static_cast<std::int32_t>(answered_.load(std::memory_order_relaxed) - ticket) >= 0) return true;
      // plain: as above.
      if (ended_.load(std::memory_order_relaxed)) return false;
      if (!park_until(turns_, turn, deadline)) return false;
    }
  }

  void stop() noexcept {
    // plain: the flag carries no data; the join below orders.
    stopping_.store(true, std::memory_order_relaxed);
    wake_.wake();
    if (current_ == this) return;
    // plain: decides only who joins.
    if (!claimed_.exchange(true, std::memory_order_relaxed)) {
      thread_.join();
      // edge file_watcher.joined: release
      joined_.store(1, std::memory_order_release);
      unpark_all(joined_);
      return;
    }
    // edge file_watcher.joined: acquire
    while (joined_.load(std::memory_order_acquire) == 0) park(joined_, 0);
  }

  [[nodiscard]] bool notified_by_system() const noexcept {
    // plain: a statistic.
    return notified_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t callback_exceptions() const noexcept {
    // plain: a statistic.
    return exceptions_.load(std::memory_order_relaxed);
  }

 private:
  // ---- any thread ----

  std::uint32_t ask() noexcept {
    // edge file_watcher.asked: release
    const std::uint32_t ticket = asked_.fetch_add(1, std::memory_order_release) + 1;
    wake_.wake();
    return ticket;
  }

  [[nodiscard]] bool stopping() const noexcept {
    // plain: see stop().
    return stopping_.load(std::memory_order_relaxed);
  }

  // ---- the watcher's thread ----

  void run() noexcept {
    current_ = this;
#if defined(__linux__)
    pthread_setname_np(pthread_self(), "acqrel-watch");
#endif
    bool whole = true;  // the first look is reported as it is: a change that is under way will be one more
    bool called = false;
    while (!stopping()) {
      // edge file_watcher.asked: acquire
      const std::uint32_t ticket = asked_.load(std::memory_order_acquire);
      // plain: only this thread writes it.
      const bool asked = ticket != answered_.load(std::memory_order_relaxed);
      file_state now = look();
      const bool differs = !called || now != reported_;
      if (differs && !whole) now = settle(now);
      if (stopping()) break;
      if (differs || asked || steady_clock::now() >= call_again_) {
        reported_ = now;
        called = true;
        call_again_ = call() ? steady_deadline::max() : deadline_after(options_.sweep_interval);
      }
      // plain: published by the count of turns.
      answered_.store(ticket, std::memory_order_relaxed);
      end_turn();
      whole = wait();
    }
    // plain: published by the count of turns.
    ended_.store(true, std::memory_order_relaxed);
    end_turn();
    current_ = nullptr;
  }

  void end_turn() noexcept {
    // edge file_watcher.checked: release
    turns_.fetch_add(1, std::memory_order_release);
    unpark_all(turns_);
  }

  // Watches first, looks second: what changes after the look is announced.
  file_state look() noexcept {
    bool active = false;
    try {
      active = !options_.force_polling && inotify_.follow(path_);
    } catch (...) {  // no memory for a map of watches: poll until there is some
    }
    // plain: a statistic.
    notified_.store(active, std::memory_order_relaxed);
    return look_at(path_);
  }

  // The first look that equals the one before, or follows the end of a writing, or comes too late to wait any longer.
  file_state settle(file_state now) noexcept {
    const auto limit = deadline_after(options_.settle_limit);
    while (!stopping() && steady_clock::now() < limit) {
      const auto until = std::min(limit, deadline_after(options_.settle));
      bool whole = false;
      while (!stopping() && !whole && steady_clock::now() < until) whole = sleep_until(until).whole;
      const file_state next = look();
      if (whole || next == now) return next;
      now = next;
    }
    return now;
  }

  bool call() noexcept {
    try {
      return changed_();
    } catch (...) {  // H18: reported by the counter, and by being tried again
      // plain: a statistic.
      exceptions_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  }

  // Until there is a reason to look. True: what is announced is whole.
  bool wait() noexcept {
    const auto next_look = deadline_after(notified_by_system() ? options_.sweep_interval : options_.poll_interval);
    const auto until = std::min(next_look, call_again_);
    while (!stopping() && steady_clock::now() < until) {
      // plain: a request counts from when the top of the loop reads it with acquire.
      if (asked_.load(std::memory_order_relaxed) != answered_.load(std::memory_order_relaxed)) break;
      if (const auto news = sleep_until(until); news.relevant) return news.whole;
    }
    return false;
  }

  // Returns at news, a wake-up, the deadline, or before.
  inotify_set::news sleep_until(steady_deadline until) noexcept {
    pollfd wanted[2] = {{wake_.descriptor(), POLLIN, 0}, {inotify_.descriptor(), POLLIN, 0}};  // -1 is ignored
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    poll(wanted, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (wanted[0].revents != 0) wake_.drain();
    return wanted[1].revents != 0 ? inotify_.take() : inotify_set::news{};
  }

  static constinit thread_local state* current_;  // whose callback may be running on this thread

  const std::string path_;
  const callback changed_;
  const watch_options options_;
  wake_pipe wake_;

  inotify_set inotify_;  // these three only on the watcher's thread
  file_state reported_;
  steady_deadline call_again_ = steady_deadline::max();

  std::atomic<std::uint32_t> asked_{0};     // tickets handed out
  std::atomic<std::uint32_t> answered_{0};  // the last ticket whose call has returned
  std::atomic<bool> ended_{false};          // no further ticket will be answered
  park_word turns_{0};                      // counts changes of answered_ and ended_
  std::atomic<bool> stopping_{false};
  std::atomic<bool> claimed_{false};  // somebody joins
  park_word joined_{0};
  std::atomic<bool> notified_{false};
  std::atomic<std::uint64_t> exceptions_{0};
  std::thread thread_;
};

constinit thread_local file_watcher::state* file_watcher::state::current_ = nullptr;

file_watcher::file_watcher(std::string path, callback changed, watch_options options)
    : state_(std::make_unique<state>(std::move(path), std::move(changed), options)) {
  state_->start();  // the callback may use this watcher at once: state_ stands already
}

file_watcher::~file_watcher() { stop(); }

void file_watcher::check() noexcept { state_->check(); }
bool file_watcher::check_and_wait(steady_deadline deadline) noexcept { return state_->check_and_wait(deadline); }
void file_watcher::stop() noexcept { state_->stop(); }
bool file_watcher::notified_by_system() const noexcept { return state_->notified_by_system(); }
std::uint64_t file_watcher::callback_exceptions() const noexcept { return state_->callback_exceptions(); }

}  // namespace acqrel
