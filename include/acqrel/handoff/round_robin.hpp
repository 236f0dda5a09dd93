// acqrel/handoff/round_robin.hpp - gives the items of a list one after the other, to whoever asks, while others replace the list.
//
//   acqrel::round_robin<server> servers({{"a", 80}, {"b", 80}, {"c", 80}});
//   const auto chosen = servers.next();                  // any thread: the next in turn
//   if (chosen) connect(chosen->host, chosen->port);     // alive until the brace, also if the list is replaced
//   servers.replace({{"b", 80}, {"d", 80}});             // any thread: the turns go on
//
// Publishes  the items given to the constructor or to replace(), and everything its caller did before. Readers get const T.
// Edges      none of its own: replace() -> next() is hazard.publish, see publish/snapshot_source.hpp
// Progress   next() and the end of what it returns wait-free; replace() lock-free, but for the allocator and T's own.
// Memory     256 bytes; a list adds 56 to its items, and dies when the last that was given from it has ended.
// Threads    all from any but destruction. What next() returned stays on its thread, and may outlive the round_robin.
// Errors     next() is noexcept: nothing, and false, for an empty list. std::bad_alloc from replace(): the list is as before.
// Cost       next() one read-modify-write on the line of the counter, a division, and a read of snapshot_source. Bench
//            round_robin/next.
// Model      tests/handoff/round_robin_model.cpp.
// Not for    weights, or the least loaded. To keep an item for longer than a scope, let T be a std::shared_ptr.
//
// Fair: turns are numbered without gaps, and turn i is for item i % size. So of n turns in a row on one list, whoever took
// them, each item has n / size, or one more. The number never wraps: whoever takes turn 2^63 sets it back by the greatest
// multiple of the size below that, so that the order goes on; if that thread never gets so far, there are 2^63 turns left.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/padded.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <memory>
#include <vector>

namespace acqrel {

template <class T>
class round_robin;

/// An item and its list, held for the length of a scope by the thread that took it. Immovable and cheap.
template <class T>
class [[nodiscard]] round_robin_item {
 public:
  round_robin_item(const round_robin_item&) = delete;
  round_robin_item& operator=(const round_robin_item&) = delete;
  static void* operator new(std::size_t) = delete;

  /// False: the list is empty.
  explicit operator bool() const noexcept { return item_ != nullptr; }
  const T* get() const& noexcept { return item_; }
  const T& operator*() const& noexcept { return *item_; }
  const T* operator->() const noexcept { return item_; }
  const T* get() const&& = delete;  // would dangle: name it first
  const T& operator*() const&& = delete;

 private:
  friend class round_robin<T>;
  explicit round_robin_item(round_robin<T>& from) noexcept
      : list_(from.lists_.read()), item_(list_ ? from.choose(*list_) : nullptr) {}

  const snapshot_guard<std::vector<T>> list_;
  const T* const item_;
};

template <class T>
class round_robin {
 public:
  /// Empty. Constant-initialised.
  constexpr round_robin() noexcept = default;
  /// The first turn is for item `first` % size: give each of many programs another, or all begin with the same.
  explicit round_robin(std::vector<T> items, std::uint64_t first = 0)
      : next_(std::in_place, first < high || items.empty() ? first % high : first % items.size()) {
    replace(std::move(items));
  }
  round_robin(const round_robin&) = delete;
  round_robin& operator=(const round_robin&) = delete;

  [[nodiscard]] round_robin_item<T> next() noexcept { return round_robin_item<T>(*this); }

  /// The turns go on with the same number: a list that is replaced all the time does not favour its first.
  void replace(std::vector<T> items) {
    // None, rather than an empty one: there is one way to have no items.
    lists_.publish(items.empty() ? nullptr : std::make_unique<std::vector<T>>(std::move(items)));
  }

 private:
  friend class round_robin_item<T>;
  static constexpr std::uint64_t high = std::uint64_t{1} << 63;

  const T* choose(const std::vector<T>& items) noexcept {
    // plain: only the number counts
    const std::uint64_t turn = next_->fetch_add(1, std::memory_order_relaxed);
    // plain: as above; one thread has this turn
    if (turn == high) [[unlikely]]
      next_->fetch_sub(high - high % items.size(), std::memory_order_relaxed);
    return &items[turn % items.size()];
  }

  snapshot_source<std::vector<T>> lists_;
  padded<std::atomic<std::uint64_t>> next_;
};

}  // namespace acqrel
