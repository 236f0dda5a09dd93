// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/watch.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace acqrel {
namespace {

constexpr std::uint32_t running = 1;
constexpr std::uint32_t end_is_awaited = 2;

// Tells threads apart that are alive at the same time.
const void* this_thread() noexcept {
  static constinit thread_local char mark = 0;
  return &mark;
}

}  // namespace

// One more half, or both: with no callbacks to run, this is the last touch of a publisher, and whoever sees it may destroy
// the watch. Returns the word as it was.
std::uint32_t watch_core::count(bool end) noexcept {
  // plain: a guess; the exchange decides
  std::uint32_t seen = word_.load(std::memory_order_relaxed);
  std::uint32_t next;
  do {
    const bool both = !end && (seen & has_callbacks) == 0;
    next = (seen & ~waiting) + (both ? 2 * half : half);
    // edge watch.news: release / plain: tried again
    // edge watch.left: release / plain
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_release, std::memory_order_relaxed));
  if ((seen & waiting) != 0) unpark_all(word_);
  return seen;
}

void watch_core::announce(std::uint64_t version) noexcept {
  if ((count(false) & has_callbacks) == 0) return;
  deliver(version);
  count(true);
}

// Whoever finds a callback running leaves it to that thread, which looks again when the callback has returned; the list's
// mutex puts that look after this one. So what is newest is never left undelivered.
void watch_core::deliver(std::uint64_t version) noexcept {
  std::unique_lock lock(mutex_);
  newest_ = std::max(newest_, version);
  while (watch_callback_base* const one = next_behind()) {
    unlink(*one);  // to the end: those that are behind stand in front
    append(*one);
    bool ended_within = false;
    one->thread_ = this_thread();
    one->ended_within_ = &ended_within;
    // plain: remove() looks at it under the mutex, or after it
    one->busy_.store(running, std::memory_order_relaxed);
    lock.unlock();
    std::uint64_t delivered = version;
    bool threw = false;
    try {
      one->call_(*one, delivered);
    } catch (...) {
      threw = true;
    }
    lock.lock();
    exceptions_ += threw ? 1 : 0;
    if (ended_within) continue;
    one->delivered_ = delivered;
    one->thread_ = nullptr;
    // Its last touch: remove() may have unlinked it meanwhile, and then its owner destroys it now.
    // edge watch.ended: release
    if ((one->busy_.exchange(0, std::memory_order_release) & end_is_awaited) != 0) unpark_all(one->busy_);
  }
}

watch_callback_base* watch_core::next_behind() noexcept {
  for (watch_callback_base* one = first_; one != nullptr; one = one->next_) {
    if (one->thread_ == nullptr && one->delivered_ < newest_) return one;
  }
  return nullptr;
}

void watch_core::add(watch_callback_base& one) noexcept {
  const std::lock_guard lock(mutex_);
  append(one);
  // A publisher that counted before this is seen here, and its value with it; one that counts later sees the bit.
  // edge watch.news: acquire
  word_.fetch_or(has_callbacks, std::memory_order_acquire);
}

void watch_core::remove(watch_callback_base& one) noexcept {
  {
    const std::lock_guard lock(mutex_);
    unlink(one);
    // plain: takes the bit away; a publisher that saw it still finds an empty list
    if (first_ == nullptr) word_.fetch_and(~has_callbacks, std::memory_order_relaxed);
    if (one.thread_ == nullptr) return;
    if (one.thread_ == this_thread()) {
      *one.ended_within_ = true;
      return;
    }
  }
  (void)patience().await(one.busy_, end_is_awaited, [&] {
    // edge watch.ended: acquire
    return (one.busy_.load(std::memory_order_acquire) & running) == 0;
  });
}

void watch_core::wait_until_left(std::uint64_t announcements) noexcept {
  const auto wanted = static_cast<std::uint32_t>(announcements) * 2 * half;
  const auto left = [&] {
    // edge watch.left: acquire
    return (word_.load(std::memory_order_acquire) & ~(waiting | has_callbacks)) == wanted;
  };
  if (!left()) (void)patience().await(word_, waiting, left);
  if (first_ == nullptr) return;
  std::fputs(
      "acqrel::watch: destroyed while a subscription of on_change() is alive, whose function would be called with a "
      "dead watch; let the subscription end first: declare it after the watch\n",
      stderr);
  std::terminate();
}

std::uint64_t watch_core::exceptions() const noexcept {
  const std::lock_guard lock(mutex_);
  return exceptions_;
}

void watch_core::append(watch_callback_base& one) noexcept {
  one.previous_ = last_;
  one.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &one;
  last_ = &one;
}

void watch_core::unlink(watch_callback_base& one) noexcept {
  (one.previous_ == nullptr ? first_ : one.previous_->next_) = one.next_;
  (one.next_ == nullptr ? last_ : one.next_->previous_) = one.previous_;
}

}  // namespace acqrel
