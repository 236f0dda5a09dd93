// The queues of a channel.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/channel.hpp>

#include <thread>

namespace acqrel {
namespace {

constexpr std::uint32_t most_spares = 128;

}  // namespace

bool channel_core::choice::claim() noexcept {
  // plain: what a claimer reads of the places was ordered by the channel's lock, and what it writes is by .settled
  return (word_.fetch_or(claimed, std::memory_order_relaxed) & claimed) == 0;
}

void channel_core::choice::settle() noexcept {
  // edge channel.settled: release
  if ((word_.exchange(claimed | settled, std::memory_order_release) & awaited) != 0) unpark_one(word_);
}

bool channel_core::choice::is_settled() const noexcept {
  // edge channel.settled: acquire
  return (word_.load(std::memory_order_acquire) & settled) != 0;
}

bool channel_core::choice::await(const patience& how_long) noexcept {
  return how_long.await(word_, awaited, [this] { return is_settled(); }) || !give_up();
}

bool channel_core::choice::give_up() noexcept {
  return claim() || !patience().await(word_, awaited, [this] { return is_settled(); });
}

park_case channel_core::choice::announce() noexcept {
  // plain: asks to be woken and publishes nothing; is_settled() acquires
  return {&word_, word_.fetch_or(awaited, std::memory_order_relaxed) | awaited};
}

void channel_core::acquire() const noexcept {
  // edge channel.held: acquire
  while (held_.exchange(true, std::memory_order_acquire)) {
    spinner spin;
    // plain: a look; the exchange acquires
    while (held_.load(std::memory_order_relaxed)) {
      if (!spin.spin()) std::this_thread::yield();
    }
  }
}

// After it the channel may be gone: destroyed by who was served, or saw that there is nothing more to come.
void channel_core::release() const noexcept {
  // edge channel.held: release
  held_.store(false, std::memory_order_release);
}

class channel_core::lock {
 public:
  explicit lock(const channel_core& core) noexcept : core_(core) { core_.acquire(); }
  ~lock() { core_.release(); }
  lock(const lock&) = delete;
  lock& operator=(const lock&) = delete;

 private:
  const channel_core& core_;
};

void channel_core::place_queue::push(place& one) noexcept {
  one.previous_ = last;
  one.next_ = nullptr;
  one.queued_ = true;
  (last == nullptr ? first : last->next_) = &one;
  last = &one;
}

void channel_core::place_queue::unlink(place& one) noexcept {
  if (!one.queued_) return;  // who claimed another place of its choice has passed by
  one.queued_ = false;
  (one.previous_ == nullptr ? first : one.previous_->next_) = one.next_;
  (one.next_ == nullptr ? last : one.next_->previous_) = one.previous_;
}

// The first whose choice was open. Whoever else was met is about to leave.
channel_core::place* channel_core::place_queue::claim() noexcept {
  while (place* const one = first) {
    unlink(*one);
    if (one->waiter_->claim()) return one;
  }
  return nullptr;
}

// All of them, one behind the other: they stay until they are settled.
channel_core::place* channel_core::place_queue::claim_all() noexcept {
  place* all = nullptr;
  for (place** end = &all; place* const one = claim(); end = &one->next_) {
    one->next_ = nullptr;
    *end = one;
  }
  return all;
}

void channel_core::block_queue::push(block& one, bool in_front) noexcept {
  one.next = in_front ? first : nullptr;
  if (first == nullptr) {
    first = last = &one;
  } else if (in_front) {
    first = &one;
  } else {
    last->next = &one;
    last = &one;
  }
}

channel_core::block* channel_core::block_queue::pop() noexcept {
  block* const one = first;
  if (one != nullptr) first = one->next;
  return one;
}

channel_core::found channel_core::try_send(place& mine, bool waits) noexcept {
  if (closed_) return {what::closed};
  if (capacity_ == 0) {
    if (place* const receiver = receivers_.claim()) return {what::other, receiver};
  } else if (used_ < capacity_) {
    ++used_;
    return {what::granted, nullptr, take_empty()};
  }
  if (waits) senders_.push(mine);
  return {};
}

channel_core::found channel_core::try_receive(place& mine, bool waits) noexcept {
  if (place* const sender = capacity_ == 0 ? senders_.claim() : nullptr) return {what::other, sender};
  if (block* const full = items_.pop()) return {what::granted, nullptr, full};
  if (is_over()) return {what::closed};
  if (waits) receivers_.push(mine);
  return {};
}

channel_core::found channel_core::send(void* item, const patience& how_long, bool waits) noexcept {
  return do_or_wait(senders_, &channel_core::try_send, item, how_long, waits);
}

channel_core::found channel_core::receive(void* item, const patience& how_long, bool waits) noexcept {
  return do_or_wait(receivers_, &channel_core::try_receive, item, how_long, waits);
}

channel_core::found channel_core::do_or_wait(place_queue& queue, found (channel_core::*attempt)(place&, bool) noexcept,
                                             void* item, const patience& how_long, bool waits) noexcept {
  for (;;) {
    choice mine;
    place here(mine, item);
    found now;
    {
      const lock held(*this);
      now = (this->*attempt)(here, waits);
    }
    if (now.is != what::nothing || !waits) return now;
    if (!mine.await(how_long)) {
      const lock held(*this);
      queue.unlink(here);
      return now;
    }
    if (here.result().is != what::again) return here.result();
  }
}

void channel_core::put(block& full, bool first) noexcept {
  place* receiver;
  {
    const lock held(*this);
    receiver = receivers_.claim();
    if (receiver == nullptr) items_.push(full, first);
  }
  if (receiver != nullptr) receiver->settle({what::granted, nullptr, &full});
}

channel_core::block* channel_core::free(block* empty) noexcept {
  place* sender;
  place* told = nullptr;
  {
    const lock held(*this);
    sender = senders_.claim();
    if (sender == nullptr) {
      --used_;
      if (empty != nullptr && spares_ < most_spares && spares_ < capacity_) {
        empty->next = empty_;
        empty_ = empty;
        ++spares_;
        empty = nullptr;
      }
      if (is_over()) told = receivers_.claim_all();
    }
  }
  if (sender != nullptr) {
    sender->settle({what::granted, nullptr, empty});
    return nullptr;
  }
  settle_closed(told);
  return empty;
}

channel_core::block* channel_core::take_empty() noexcept {
  block* const one = empty_;
  if (one != nullptr) {
    empty_ = one->next;
    --spares_;
  }
  return one;
}

void channel_core::close() noexcept {
  place* refused;
  place* told = nullptr;
  {
    const lock held(*this);
    closed_ = true;
    refused = senders_.claim_all();
    if (is_over()) told = receivers_.claim_all();
  }
  settle_closed(refused);
  settle_closed(told);
}

void channel_core::settle_closed(place* first) noexcept {
  while (place* const one = first) {
    first = one->next_;  // before its waiter goes
    one->settle({what::closed});
  }
}

bool channel_core::closed() const noexcept {
  const lock held(*this);
  return closed_;
}

bool channel_core::drained() const noexcept {
  const lock held(*this);
  return is_over();
}

}  // namespace acqrel
