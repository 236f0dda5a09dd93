// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/crew.hpp>

#include <cstdio>
#include <stdexcept>

namespace acqrel {
namespace {

constinit thread_local const crew* mine = nullptr;  // the crew that this thread belongs to

}  // namespace

crew::crew(std::size_t threads, std::size_t room, exception_handler on_exception)
    : most_(threads),
      most_taken_(any_number - threads < room ? any_number : threads + room),
      on_exception_(std::move(on_exception)) {
  if (threads == 0) {
    throw std::invalid_argument(
        "acqrel: a pool of 0 workers, or a group with a limit of 0, would run nothing and wait for ever; give it 1 or "
        "more "
        "(std::thread::hardware_concurrency() may be 0)");
  }
}

crew::~crew() {
  if (is_within()) {
    std::fputs(
        "acqrel: a worker_pool or task_group was destroyed by a job of its own, which it would wait for; let its owner "
        "destroy it, and a job only request its stop\n",
        stderr);
    std::terminate();
  }
  close(ending::discard);
  request_stop();
  take_left().clear();  // before the join: a job that runs may wait for what one of these would have said
  (void)join(patience());
}

bool crew::has_room() const noexcept { return running_ + queue_.size() < most_taken_; }

bool crew::add(std::unique_ptr<job>& added, const patience& how_long) {
  const bool within = is_within();
  std::unique_lock lock(mutex_);
  for (bool patient = true;; patient = sleep(room_, lock, how_long)) {
    if (how_ > (within ? ending::finish : ending::none)) return false;
    if (within || has_room()) break;
    if (!patient) return false;
  }
  queue_.push_back(std::move(added));
  sleeper* const called = idle_;
  if (called != nullptr) {
    idle_ = called->next;
  } else if (started_ < most_) {
    try {
      start_one();
    } catch (...) {
      if (alive_ == 0) {
        added = std::move(queue_.back());
        queue_.pop_back();
        throw;
      }
    }
  }
  lock.unlock();
  if (called != nullptr) called->called.notify();
  return true;
}

void crew::start_all() {
  const std::lock_guard lock(mutex_);
  while (how_ == ending::none && started_ < most_) start_one();
}

void crew::start_one() {
  threads_.emplace_back([this] { work(); });
  ++started_;
  ++alive_;
}

void crew::work() noexcept {
  mine = this;
  const std::stop_token stop = token();
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!queue_.empty() && how_ != ending::discard) {
      std::unique_ptr<job> next = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
      lock.unlock();
      run(*next, stop);
      next.reset();
      lock.lock();
      --running_;
      settle();
    } else if (how_ >= ending::drain) {
      break;
    } else {
      sleeper self{{}, idle_};
      idle_ = &self;
      lock.unlock();
      self.called.wait();  // whoever called has taken it out of the list
      lock.lock();
    }
  }
  if (--alive_ == 0) end_.ring();
}

void crew::run(job& what, const std::stop_token& stop) const noexcept {
  try {
    what.run(stop);
  } catch (...) {
    if (on_exception_) on_exception_(std::current_exception());
  }
}

// A job has ended, or the crew was closed.
void crew::settle() noexcept {
  if (how_ == ending::finish && running_ == 0 && queue_.empty()) how_ = ending::drain;
  if (how_ >= ending::drain) call_all();
  room_.ring();
}

void crew::close(ending how) noexcept {
  const std::lock_guard lock(mutex_);
  if (how_ >= how) return;
  how_ = how;
  settle();
  end_.ring();  // there may be no thread that would
}

void crew::call_all() noexcept {
  while (sleeper* const called = idle_) {
    idle_ = called->next;
    called->called.notify();
  }
}

bool crew::join(const patience& how_long) {
  if (is_within()) return false;
  std::unique_lock lock(mutex_);
  for (bool patient = true;; patient = sleep(end_, lock, how_long)) {
    if (joined_) return true;
    if (how_ != ending::none && alive_ == 0 && !joining_) break;
    if (!patient) return false;
  }
  joining_ = true;
  std::vector<std::thread> threads = std::move(threads_);
  lock.unlock();
  for (std::thread& each : threads) each.join();
  lock.lock();
  joined_ = true;
  end_.ring();
  return true;
}

crew::jobs crew::take_left() {
  jobs left;
  const std::lock_guard lock(mutex_);
  if (how_ != ending::discard) return left;
  left.reserve(queue_.size());
  for (auto& each : queue_) left.push_back(std::move(each));
  queue_.clear();
  return left;
}

bool crew::is_closed() const noexcept {
  const std::lock_guard lock(mutex_);
  return how_ != ending::none;
}

std::size_t crew::running() const noexcept {
  const std::lock_guard lock(mutex_);
  return running_;
}

bool crew::is_within() const noexcept { return mine == this; }

bool crew::sleep(bell& where, std::unique_lock<std::mutex>& lock, const patience& how_long) noexcept {
  ++where.sleepers;
  // plain: changed under the mutex only, which orders it
  const std::uint32_t seen = where.rung.load(std::memory_order_relaxed);
  lock.unlock();
  const bool patient = how_long.park(where.rung, seen) && !how_long.over();
  lock.lock();
  --where.sleepers;
  return patient;
}

// Under the mutex.
void crew::bell::ring() noexcept {
  if (sleepers == 0) return;
  // plain: as in sleep  / plain: as in sleep
  rung.store(rung.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  unpark_all(rung);
}

}  // namespace acqrel
