// acqrel/keyed/eviction_queue.hpp - what a full cache gives up next: S3-FIFO, where a hit takes no lock.
//
//   found->second->use();                                        // a hit: any thread, no lock
//   const auto read = std::make_shared<page>(number);            // a page is an eviction_queue::node
//   acqrel::eviction_queue::left out;
//   if (queue.enter(read, nullptr, out)) pages[number] = read;   // a miss
//   while (const auto gone = out.take()) pages.erase(static_cast<page&>(*gone).number);
//
// Publishes  nothing: whoever gets a node from take() does so by the mutex of the queue.
// Edges      eviction_queue.unpinned   unpin() -> enter() that evicts it   what was done while it was pinned
// Progress   use(), pin(), unpin() lock-free, and one load once a node has been used three times; the rest takes a mutex.
// Memory     64 bytes in a node, and 8 to 16 for each node in the main queue: what was evicted is remembered there.
// Threads    any. A node that is in the queue is kept by it.
// Errors     none; without memory less is remembered.
// Cost       bench eviction_queue/use and /hit_rate, against LRU.
// Model      tests/keyed/eviction_queue_model.cpp, the edge also weakened.
// Not for    caches by themselves (loading_cache), or an exact order of last use.
//
// After Yang, Zhang, Qiu, Yue, Vigfusson: FIFO queues are all you need for cache eviction, SOSP 2023. Who enters comes into
// a small queue, a tenth of the weight, and leaves it for the main queue if it was used twice there. Otherwise it is
// evicted, and its hash remembered: if it comes again soon, it enters the main queue. In that each use, of at most three,
// buys another round. One thing is not from there: as long as there is room, the small queue overflows into the main one.
// So a loop longer than the cache keeps what it found first, where the paper's queue loses all of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/park.hpp>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace acqrel {

class eviction_queue {
 public:
  class node;
  class left;

  /// The weight of all nodes in it never exceeds `bound`.
  explicit eviction_queue(std::uint64_t bound) noexcept : bound_(bound) {}
  eviction_queue(const eviction_queue&) = delete;
  eviction_queue& operator=(const eviction_queue&) = delete;
  ~eviction_queue();

  /// Takes `entering`; first out go `leaving`, which may be null or not be there, what is useless at `now`, and as much as
  /// there must be room for, but nothing that is pinned. False: there is no such room; then `entering` is not taken.
  [[nodiscard]] bool enter(const std::shared_ptr<node>& entering, node* leaving, left& out,
                           steady_deadline now = steady_deadline::min()) noexcept;
  /// Nothing happens to a node that is not in it. What it kept of it is in `out`.
  void remove(node& leaving, left& out) noexcept;
  /// Takes out what is useless at `now` and not pinned.
  void remove_useless(steady_deadline now, left& out) noexcept;

  [[nodiscard]] std::uint64_t bound() const noexcept { return bound_; }
  [[nodiscard]] std::uint64_t weight() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct fifo {
    node* oldest = nullptr;
    node* newest = nullptr;
    std::uint64_t weight = 0;
    std::size_t nodes = 0;
  };
  struct memory {
    std::uint32_t tag = 0;   // of the hash
    std::uint32_t time = 0;  // which eviction it was
  };

  static void append(fifo& queue, node& one) noexcept;
  static void unlink(node& one) noexcept;
  static void put_out(node& one, left& out) noexcept;
  bool evict_one(left& out) noexcept;
  void remember(std::uint32_t tag) noexcept;
  bool recall(std::uint32_t tag) noexcept;
  std::uint64_t small_share() const noexcept { return bound_ / 10 != 0 ? bound_ / 10 : 1; }
  std::uint64_t total() const noexcept { return small_.weight + main_.weight; }

  const std::uint64_t bound_;
  mutable std::mutex mutex_;  // guards what follows, and the links of the nodes
  fifo small_, main_;
  std::vector<memory> evicted_;                  // none, or a power of two: by tag, the last that fell there
  std::uint32_t evictions_ = UINT32_C(1) << 31;  // so that a place never used seems old
};

/// Base of what is kept. Uses, pins, and whether it was evicted are one word, so that each decision is one exchange.
class eviction_queue::node {
 public:
  /// `hash` is what it is remembered by. A weight of 0 counts as 1. Once its time has come it is out before all others.
  node(std::size_t hash, std::uint64_t weight, steady_deadline useless = steady_deadline::max()) noexcept
      : tag_(static_cast<std::uint32_t>((std::uint64_t{hash} * 0x9E3779B97F4A7C15) >> 32)),
        weight_(weight != 0 ? weight : 1),
        useless_(useless) {}
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  void use() noexcept {
    // plain: it is counted, nothing more; the map that holds the node publishes it
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & uses) == uses) [[likely]]
      return;
    // plain: as above. One that is lost beside another is no loss.
    (void)word_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed, std::memory_order_relaxed);
  }
  /// Until unpin() it is not evicted; unless it had been, which was_evicted() says from then on. Pins are counted. A node
  /// that enters with a pin may be put where it can be found until then: who evicts it finds it there.
  void pin() noexcept {
    // plain: one word, whose order of changes decides
    word_.fetch_add(one_pin, std::memory_order_relaxed);
  }
  void unpin() noexcept {
    // edge eviction_queue.unpinned: release
    word_.fetch_sub(one_pin, std::memory_order_release);
  }
  [[nodiscard]] bool was_evicted() const noexcept {
    // plain: as above
    return (word_.load(std::memory_order_relaxed) & evicted) != 0;
  }
  [[nodiscard]] std::uint64_t weight() const noexcept { return weight_; }
  [[nodiscard]] bool is_useless(steady_deadline now) const noexcept { return useless_ <= now; }

 protected:
  ~node() = default;

 private:
  friend eviction_queue;
  friend left;
  static constexpr std::uint32_t uses = 3;
  static constexpr std::uint32_t evicted = 4;
  static constexpr std::uint32_t one_pin = 8;

  bool give_up(std::uint32_t used_too_little) noexcept;

  std::atomic<std::uint32_t> word_{0};
  const std::uint32_t tag_;
  const std::uint64_t weight_;
  const steady_deadline useless_;
  fifo* queue_ = nullptr;  // null: not in it
  node *older_ = nullptr, *newer_ = nullptr;
  std::shared_ptr<node> kept_;  // itself while it is in the queue; then the next that left
};
static_assert(sizeof(eviction_queue::node) == 64);

/// What left the queue, to be let go of under no lock.
class eviction_queue::left {
 public:
  left() noexcept = default;
  left(const left&) = delete;
  left& operator=(const left&) = delete;
  ~left() {
    while (take() != nullptr) {
    }
  }
  /// One after the other; null: that was all.
  [[nodiscard]] std::shared_ptr<node> take() noexcept {
    std::shared_ptr<node> one = std::move(first_);
    if (one != nullptr) first_ = std::move(one->kept_);
    return one;
  }

 private:
  friend eviction_queue;
  std::shared_ptr<node> first_;
};

}  // namespace acqrel
