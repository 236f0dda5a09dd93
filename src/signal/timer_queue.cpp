// SPDX-License-Identifier: Apache-2.0
#include "../base/all_signals_blocked.hpp"
#include "timer_wheel.hpp"

#include <mutex>
#include <thread>

namespace acqrel {
namespace {

// entry::progress
constexpr std::uint32_t ended = 1;     // the function has been destroyed: the queue is done with the entry
constexpr std::uint32_t released = 2;  // so is the timer; whoever sets the second of both bits deletes the entry
constexpr std::uint32_t has_waiters = 4;

}  // namespace

class timer_queue::state {
 public:
  explicit state(time_source& time) noexcept : time_(time) {}

  void arm(entry& armed) {
    {
      const std::lock_guard lock(mutex_);
      if (!thread_.joinable()) {
        const all_signals_blocked mask;
        thread_ = std::thread([this] { run(); });
      }
      armed.home = this;
      wheel_.insert(armed);
      if (armed.deadline >= sleeps_until_) return;
      sleeps_until_ = steady_deadline::min();  // one wake-up is enough
      // plain: the mutex orders; the number only has to differ.
      changed_.fetch_add(1, std::memory_order_relaxed);
    }
    unpark_one(changed_);
  }

  timer_cancel cancel(entry& armed, bool and_wait, const timer& owner) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (!wheel_.holds(armed)) {
        if (!armed.begun || owner.has_ended()) return timer_cancel::gone;
        if (!and_wait || std::this_thread::get_id() == thread_.get_id()) return timer_cancel::running;
      } else {
        wheel_.remove(armed);
        and_wait = false;
      }
    }
    if (and_wait) {
      owner.wait();
      return timer_cancel::gone;
    }
    end(armed);
    return timer_cancel::cancelled;
  }

  void stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      // plain: as in arm().
      changed_.fetch_add(1, std::memory_order_relaxed);
    }
    unpark_one(changed_);
    if (thread_.joinable()) thread_.join();
    // One at a time: destroying one function may cancel another timer.
    while (entry* const left = take_any()) end(*left);
  }

  std::size_t armed() const noexcept {
    const std::lock_guard lock(mutex_);
    return wheel_.size();
  }
  steady_deadline now() const noexcept { return time_.now(); }

 private:
  void run() noexcept {
    for (;;) {
      const steady_deadline now = time_.now();
      std::unique_lock lock(mutex_);
      sleeps_until_ = steady_deadline::min();
      if (stopping_) return;
      if (entry* const due = wheel_.take_due(now)) {
        due->begun = true;
        lock.unlock();
        due->call();
        end(*due);
        continue;
      }
      const steady_deadline wake = sleeps_until_ = wheel_.next();
      // plain: the mutex orders.
      const std::uint32_t seen = changed_.load(std::memory_order_relaxed);
      lock.unlock();
      static_cast<void>(time_.park_until(changed_, seen, wake));
    }
  }

  entry* take_any() noexcept {
    const std::lock_guard lock(mutex_);
    return wheel_.take_any();
  }

  // For who took it out of the wheel.
  static void end(entry& taken) noexcept {
    taken.drop();
    // edge timer_queue.ended: acq_rel  acquire for the deletion only
    const std::uint32_t before = taken.progress.fetch_or(ended, std::memory_order_acq_rel);
    if ((before & released) != 0)
      delete &taken;
    else if ((before & has_waiters) != 0)
      unpark_all(taken.progress);  // by its address: it may be deleted by now
  }

  time_source& time_;
  mutable std::mutex mutex_;
  timer_wheel wheel_;                                      // mutex_
  steady_deadline sleeps_until_ = steady_deadline::min();  // mutex_; min while the thread is awake or to be woken
  bool stopping_ = false;                                  // mutex_
  park_word changed_{0};                                   // counts what the thread has to be woken for
  std::thread thread_;                                     // mutex_; joined when nobody else is left
};

timer_queue::timer_queue(time_source& time) : state_(std::make_unique<state>(time)) {}
timer_queue::~timer_queue() { state_->stop(); }

timer timer_queue::arm_entry(std::unique_ptr<entry> armed) {
  state_->arm(*armed);
  return timer(armed.release());
}

steady_deadline timer_queue::deadline_in(std::chrono::steady_clock::duration delay) const noexcept {
  const steady_deadline start = now();
  if (delay <= delay.zero()) return start;
  return steady_deadline::max() - delay < start ? steady_deadline::max() : start + delay;
}

steady_deadline timer_queue::now() const noexcept { return state_->now(); }
std::size_t timer_queue::armed() const noexcept { return state_->armed(); }

timer::~timer() {
  if (entry_ == nullptr) return;
  cancel_and_wait();
  detach();
}

timer_cancel timer::cancel() noexcept { return cancel(false); }
timer_cancel timer::cancel_and_wait() noexcept { return cancel(true); }

timer_cancel timer::cancel(bool and_wait) noexcept {
  // Without its queue, which may be gone too.
  if (has_ended()) return timer_cancel::gone;
  return entry_->home->cancel(*entry_, and_wait, *this);
}

bool timer::has_ended() const noexcept {
  // edge timer_queue.ended: acquire
  return entry_ == nullptr || (entry_->progress.load(std::memory_order_acquire) & ended) != 0;
}

bool timer::await(const patience& patience) const noexcept {
  return entry_ == nullptr || patience.await(entry_->progress, has_waiters, [this] { return has_ended(); });
}

void timer::detach() noexcept {
  timer_queue::entry* const left = std::exchange(entry_, nullptr);
  if (left == nullptr) return;
  // edge timer_queue.ended: acq_rel  release so that the queue may delete it
  if ((left->progress.fetch_or(released, std::memory_order_acq_rel) & ended) != 0) delete left;
}

}  // namespace acqrel
