// What is armed in a timer_queue, by time. For one thread at a time: the queue holds its mutex.
//
// Times are unsigned 64-bit numbers, read as eleven digits of six bits, the top one of four. A timer stands in the slot of
// the highest digit in which its time differs from base_, a time that no timer in a slot is before: so on a lower level
// means earlier, and so does a lower slot of one level. When time reaches the first slot, base_ moves there and the slot's
// timers move to lower levels, at most ten times in all; on level 0 all digits agree, and they are due. Every operation
// but that move and rebuild() takes a bounded number of steps, and no deadline is rounded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/signal/timer_queue.hpp>

#include <algorithm>
#include <bit>

namespace acqrel {

class timer_wheel {
 public:
  using entry = timer_queue::entry;

  void insert(entry& armed) noexcept {
    ++size_;
    place(armed);
  }

  void remove(entry& armed) noexcept {
    --size_;
    unlink(armed);
  }

  static bool holds(const entry& armed) noexcept { return armed.next != nullptr; }
  std::size_t size() const noexcept { return size_; }

  /// The next that is due, removed; null if none is.
  entry* take_due(steady_deadline time) noexcept {
    const std::uint64_t now = key(time);
    if (now < base_) rebuild(now);
    while (due_.empty()) {
      const position first = find_first();
      if (first.level == levels || start_of(first) > now) {
        base_ = now;  // still before every slot with timers in it, and each of those where it was
        return nullptr;
      }
      base_ = start_of(first);
      list reached;
      reached.take(slots_[first.level][first.index].timers);
      if (first.level == 0) {
        due_.take(reached);
      } else {
        while (entry* const armed = reached.pop()) place(*armed);
      }
    }
    --size_;
    return due_.pop();
  }

  /// Any, removed, whether due or not.
  entry* take_any() noexcept {
    if (entry* const armed = take_due(steady_deadline::max())) return armed;
    entry* const armed = never_.pop();
    if (armed != nullptr) --size_;
    return armed;
  }

  /// When to look again: not after the first deadline. Before it, once, if that timer was cancelled.
  steady_deadline next() noexcept {
    if (!due_.empty()) return steady_deadline::min();
    const position first = find_first();
    if (first.level == levels) return steady_deadline::max();
    return time(slots_[first.level][first.index].earliest);
  }

 private:
  using links = timer_queue::links;
  static constexpr unsigned bits = 6;
  static constexpr unsigned levels = 11;
  static constexpr unsigned width = 1U << bits;

  // A ring around its head, which points to itself or, before the first use, nowhere.
  struct list {
    bool empty() const noexcept { return head.next == nullptr || head.next == &head; }
    void push(entry& armed) noexcept {
      if (head.next == nullptr) head.next = head.previous = &head;
      armed.next = &head;
      armed.previous = std::exchange(head.previous, &armed);
      armed.previous->next = &armed;
    }
    entry* pop() noexcept {
      if (empty()) return nullptr;
      auto* const first = static_cast<entry*>(head.next);
      unlink(*first);
      return first;
    }
    // This list is empty.
    void take(list& other) noexcept {
      if (other.empty()) return;
      head = other.head;
      head.next->previous = head.previous->next = &head;
      other.head.next = other.head.previous = &other.head;
    }
    links head;
  };
  struct slot {
    list timers;
    std::uint64_t earliest = 0;  // none is earlier
  };
  struct position {
    unsigned level, index;
  };

  static void unlink(entry& armed) noexcept {
    armed.previous->next = armed.next;
    armed.next->previous = armed.previous;
    armed.next = armed.previous = nullptr;
  }

  // Negative times come before positive ones.
  static std::uint64_t key(steady_deadline time) noexcept {
    return static_cast<std::uint64_t>(time.time_since_epoch().count()) ^ (std::uint64_t{1} << 63);
  }
  static steady_deadline time(std::uint64_t key) noexcept {
    using duration = steady_deadline::duration;
    return steady_deadline(duration(static_cast<duration::rep>(key ^ (std::uint64_t{1} << 63))));
  }

  void place(entry& armed) noexcept {
    if (armed.deadline == steady_deadline::max()) return never_.push(armed);
    const std::uint64_t when = std::max(key(armed.deadline), base_);
    const auto level = static_cast<unsigned>(std::bit_width(when ^ base_) + (when == base_) - 1) / bits;
    const auto index = static_cast<unsigned>(when >> (level * bits)) % width;
    slot& home = slots_[level][index];
    home.earliest = home.timers.empty() ? when : std::min(home.earliest, when);
    home.timers.push(armed);
    occupied_[level] |= std::uint64_t{1} << index;
  }

  // The first slot with timers; level `levels` if there is none. remove() leaves the bits of slots that it empties.
  position find_first() noexcept {
    for (unsigned level = 0; level != levels; ++level) {
      for (; occupied_[level] != 0; occupied_[level] &= occupied_[level] - 1) {
        const auto index = static_cast<unsigned>(std::countr_zero(occupied_[level]));
        if (!slots_[level][index].timers.empty()) return {level, index};
      }
    }
    return {levels, 0};
  }

  std::uint64_t start_of(position at) const noexcept {
    const unsigned shift = at.level * bits;
    const std::uint64_t above = at.level + 1 == levels ? 0 : base_ >> (shift + bits) << (shift + bits);
    return above | std::uint64_t{at.index} << shift;
  }

  // The clock was set back, as no steady clock is.
  [[gnu::cold]] void rebuild(std::uint64_t now) noexcept {
    list all;
    for (position first = find_first(); first.level != levels; first = find_first()) {
      while (entry* const armed = slots_[first.level][first.index].timers.pop()) all.push(*armed);
    }
    base_ = now;
    while (entry* const armed = all.pop()) place(*armed);
  }

  std::uint64_t base_ = 0;
  std::uint64_t occupied_[levels] = {};  // bit i: slot i may have timers
  slot slots_[levels][width];
  list due_;    // their time has come, in its order
  list never_;  // and theirs will not
  std::size_t size_ = 0;
};

}  // namespace acqrel
