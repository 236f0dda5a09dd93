// acqrel/publish/one_shot.hpp - a value set once and read many times.
//
//   acqrel::one_shot<config> current;
//   current.publish(load_config());                  // any thread; the first wins
//   if (const config* c = current.get()) serve(*c);  // any thread, any time
//   const config& c = current.wait();                // any thread, until there is one
//
// Publishes  the T built by publish() or emplace(), and everything its caller did before.
// Edges      one_shot.ready   publish() -> get()               the finished T
//            one_shot.retry   T's constructor throws -> the next publish()   the empty place
// Progress   get() wait-free. publish() waits only for another one's constructor of T, whose end
//            decides which of them lost. Waiting blocks.
// Memory     sizeof(T) plus four bytes, inline; nothing is allocated or retired.
// Threads    everything from any thread but destruction, which no call may overlap; but whose wait or get
//            gave the T may destroy the cell at once. Not publish() within T's own constructor.
// Errors     a publish() that came second returns false, leaves its arguments as they were, and get() is not
//            null. If T's constructor throws, the cell is empty again, who waits goes on waiting, the throw passes.
// Cost       get() one acquire load. Bench one_shot/get.
// Model      tests/publish/one_shot_model.cpp, every edge also weakened.
// Not for    values that change (snapshot_source), or that are made when first asked for (lazy).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace acqrel {

/// Has wait, wait_for and wait_until, each also with a stop token: wait() gives const T&, the others const T*, null
/// if patience ran out first.
template <class T>
class one_shot : public waitable<one_shot<T>> {
  static_assert(std::is_object_v<T> && !std::is_array_v<T>,
                "one_shot<T>: T is an object type; use std::array, a pointer");
  static_assert(!std::is_const_v<T>, "one_shot<const T>: write one_shot<T>; it gives out const T only");

 public:
  /// Empty. Constant-initialised.
  constexpr one_shot() noexcept : none_() {}
  one_shot(const one_shot&) = delete;
  one_shot& operator=(const one_shot&) = delete;
  ~one_shot() {
    if (get() != nullptr) std::destroy_at(std::addressof(value_));
  }

  /// The value, or null while there is none.
  [[nodiscard]] const T* get() const& noexcept {
    // edge one_shot.ready: acquire
    return (state_.load(std::memory_order_acquire) & ready) != 0 ? std::addressof(value_) : nullptr;
  }
  const T* get() const&& = delete;  // would dangle: name the cell first

  /// Makes `value` the cell's, if it is the first. False: another was, get() is not null, and `value` is untouched.
  bool publish(T&& value) { return emplace(std::move(value)); }
  bool publish(const T&) = delete;  // publish(std::move(value)), or emplace(value) to copy it

  /// The same, and builds the T in place.
  template <class... Arguments>
  requires std::is_constructible_v<T, Arguments...>
  bool emplace(Arguments&&... arguments) {
    if (!claim()) return false;
    if constexpr (std::is_nothrow_constructible_v<T, Arguments...>) {
      std::construct_at(std::addressof(value_), std::forward<Arguments>(arguments)...);
    } else {
      try {
        std::construct_at(std::addressof(value_), std::forward<Arguments>(arguments)...);
      } catch (...) {
        // edge one_shot.retry: release
        if ((state_.exchange(empty, std::memory_order_release) & has_waiters) != 0) unpark_all(state_);
        throw;
      }
    }
    // The last touch: whoever sees it may destroy the cell. unpark_all takes the address only.
    // edge one_shot.ready: release
    if ((state_.exchange(ready, std::memory_order_release) & has_waiters) != 0) unpark_all(state_);
    return true;
  }

 private:
  friend class waitable<one_shot<T>>;
  static constexpr std::uint32_t empty = 0;
  static constexpr std::uint32_t claimed = 1;  // its claimer builds the T
  static constexpr std::uint32_t ready = 2;    // for ever
  static constexpr std::uint32_t has_waiters = 4;

  const T* await(const patience& how_long) const {
    return how_long.await(state_, has_waiters, [this] { return get() != nullptr; }) ? get() : nullptr;
  }

  // True: this thread builds the T. Waits while another does, since that one may throw and leave the place to this one.
  bool claim() {
    // plain: a look; the exchange below acquires, and who loses reads through get()
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    for (;;) {
      if ((seen & ready) != 0) return false;
      if ((seen & claimed) != 0) {
        seen = claim_decided();
        continue;
      }
      // edge one_shot.retry: acquire / plain: tried again
      if (state_.compare_exchange_weak(seen, seen | claimed, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
  }
  [[gnu::cold, gnu::noinline]] std::uint32_t claim_decided() {
    std::uint32_t seen;
    (void)patience().await(state_, has_waiters, [&] {
      // plain: a look, as in claim()
      seen = state_.load(std::memory_order_relaxed);
      return (seen & claimed) == 0;
    });
    return seen;
  }

  union {
    char none_;
    T value_;  // written by the claimer; alive when ready
  };
  mutable park_word state_{empty};
};

static_assert(sizeof(one_shot<std::uint32_t>) == 8);

}  // namespace acqrel
