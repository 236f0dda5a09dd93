// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/debouncer.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace acqrel {
namespace {

constexpr std::uint32_t has_waiters = 1;  // in changes_

steady_deadline later(steady_deadline from, debouncer_core::duration by) noexcept {
  return steady_deadline::max() - by < from ? steady_deadline::max() : from + by;
}

}  // namespace

debouncer_core::debouncer_core(timer_queue& timers, duration delay, duration longest)
    : timers_(timers), delay_(delay), longest_(longest) {
  if (delay < delay.zero()) throw std::invalid_argument("acqrel: debouncer: the delay is negative; give 0 or more");
  if (longest < delay)
    throw std::invalid_argument(
        "acqrel: debouncer: the longest delay is below the delay; give at least that, or none for no limit");
}

void debouncer_core::end() noexcept {
  {
    const fair_lock lock(mutex_);
    if (runner_ == std::this_thread::get_id()) {
      std::fputs("acqrel: debouncer: destroyed by its own function, which still runs; let another thread do it\n",
                 stderr);
      std::abort();
    }
  }
  cancel_and_wait();
  timer_.cancel_and_wait();
}

void debouncer_core::trigger(std::unique_ptr<call> next) {
  const steady_deadline now = timers_.now();
  const fair_lock lock(mutex_);
  const steady_deadline before = due_;
  const bool first = pending_ == nullptr;
  if (first) first_ = now;
  due_ = std::min(later(now, delay_), later(first_, longest_));
  if (first && !armed_ && runner_ == std::thread::id()) {
    arm();
  } else if (!first) {
    due_ = std::max(due_, before);  // a thread may have read the clock before another, and come here after it
  }
  pending_.swap(next);
  // What was pending before is destroyed with the parameter: when the lock has gone.
}

bool debouncer_core::cancel() noexcept { return cancel(false); }
bool debouncer_core::cancel_and_wait() noexcept { return cancel(true); }

// A call that is waited for may trigger another: that is dropped as well.
bool debouncer_core::cancel(bool and_wait) noexcept {
  for (bool any = false;;) {
    std::unique_ptr<call> dropped;
    bool wake = false, over = false;
    std::uint64_t run = 0;
    {
      const fair_lock lock(mutex_);
      dropped.swap(pending_);
      wake = dropped != nullptr && change();
      over = !and_wait || runner_ == std::thread::id() || runner_ == std::this_thread::get_id();
      run = runs_;
    }
    if (wake) unpark_all(changes_);
    any = any || dropped != nullptr;
    if (over) return any;
    await_end_of(run);
  }
}

// Ends the run however the function ends, after its arguments.
struct debouncer_core::run_here {
  run_here(debouncer_core& of, std::unique_ptr<call> begun) noexcept : core(of), one(std::move(begun)) {}
  ~run_here() {
    one.reset();
    core.end_run();
  }
  run_here(const run_here&) = delete;
  run_here& operator=(const run_here&) = delete;
  debouncer_core& core;
  std::unique_ptr<call> one;
};

bool debouncer_core::flush() {
  for (;;) {
    std::unique_ptr<call> mine;
    std::uint64_t other = 0;
    {
      const fair_lock lock(mutex_);
      if (runner_ == std::this_thread::get_id()) {
        due_ = steady_deadline::min();
        if (armed_ && timer_.cancel() == timer_cancel::cancelled) armed_ = false;  // end_run() arms it for now
        return false;
      }
      if (runner_ == std::thread::id()) {
        if (pending_ == nullptr) return false;
        mine = begin();
      } else {
        other = runs_;
      }
    }
    if (mine != nullptr) {
      const run_here run(*this, std::move(mine));
      run.one->run();
      return true;
    }
    await_end_of(other);
  }
}

void debouncer_core::fire() noexcept {
  std::unique_ptr<call> mine;
  {
    const fair_lock lock(mutex_);
    armed_ = false;
    if (pending_ == nullptr || runner_ != std::thread::id()) return;  // who runs arms when it ends
    if (timers_.now() < due_) return arm();
    mine = begin();
  }
  const run_here run(*this, std::move(mine));
  try {
    run.one->run();
  } catch (...) {
    const fair_lock lock(mutex_);
    ++exceptions_;
  }
}

// The timer before has fired, and takes the mutex no more: so destroying it may wait for it.
void debouncer_core::arm() {
  timer_ = timers_.arm(due_, [this] { fire(); });
  armed_ = true;
}

std::unique_ptr<debouncer_core::call> debouncer_core::begin() noexcept {
  runner_ = std::this_thread::get_id();
  ++runs_;
  return std::move(pending_);
}

void debouncer_core::end_run() noexcept {
  bool wake = false;
  {
    const fair_lock lock(mutex_);
    runner_ = {};
    if (pending_ != nullptr && !armed_) arm();
    wake = change();
  }
  if (wake) unpark_all(changes_);  // by its address: who waited may have destroyed this
}

bool debouncer_core::change() noexcept {
  // plain: the mutex orders; the number only has to differ
  std::uint32_t before = changes_.load(std::memory_order_relaxed);
  // plain: as above
  while (!changes_.compare_exchange_weak(before, (before + 2) & ~has_waiters, std::memory_order_relaxed,
                                         std::memory_order_relaxed)) {
  }
  return (before & has_waiters) != 0;
}

bool debouncer_core::await(const patience& patience) const noexcept {
  return patience.await(changes_, has_waiters, [this] {
    const fair_lock lock(mutex_);
    return pending_ == nullptr && runner_ == std::thread::id();
  });
}

void debouncer_core::await_end_of(std::uint64_t run) const noexcept {
  static_cast<void>(patience().await(changes_, has_waiters, [this, run] {
    const fair_lock lock(mutex_);
    return runner_ == std::thread::id() || runs_ != run;
  }));
}

bool debouncer_core::pending() const noexcept {
  const fair_lock lock(mutex_);
  return pending_ != nullptr;
}

std::uint64_t debouncer_core::exceptions() const noexcept {
  const fair_lock lock(mutex_);
  return exceptions_;
}

}  // namespace acqrel
