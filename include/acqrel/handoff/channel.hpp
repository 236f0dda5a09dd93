// acqrel/handoff/channel.hpp - items go from those who send to those who receive, each to one, in order.
//
//   acqrel::channel<job> jobs(acqrel::bounded(16));            // or rendezvous, or unbounded
//   if (!jobs.send(std::move(next))) refuse(std::move(next));  // any thread; waits for room. Closed: it is still ours
//   jobs.close();                                              // any thread, when no more will come
//   for (job& one : jobs) run(one);                            // any thread; ends when it is closed and empty
//
// Publishes  the item, and everything its sender did before; and to the sender what was done before its place was free.
// Edges      channel.held     one operation -> the next     the queues, and the items in them
//            channel.settled  who serves one that waits -> who waited   its item or its turn, and the item's owner again
// Progress   blocking: operations that wait spin a little, then park. The lock is held for a few instructions, never while
//            an item is moved, built or destroyed, memory allocated, or a thread woken.
// Memory     112 bytes; an item waits in a block of its own, of which up to 128 are kept for the next. A thread that waits
//            has its place on its own stack. rendezvous: nothing is allocated.
// Threads    all from any, close() too. It may be destroyed as soon as every operation has returned that was begun.
// Errors     send() of a closed channel is false and leaves the item with the caller. What moving an item throws, or
//            std::bad_alloc, passes; then the item is still the caller's of send(), or the next to be received.
// Cost       Bench channel/one_to_one, channel/rendezvous.
// Model      tests/handoff/channel_model.cpp, every edge also weakened.
// Not for    the latest value only (publish/watch); a value for everybody (handoff/bus).
//
// How: after Go's. A rendezvous is between who comes second and who waits: the second moves the item from stack to stack.
// With a buffer, used_ counts the items in it and those on their way in and out: send() takes such a place or waits to be
// granted one, fills it, and grants it to the first who waits to receive, or puts it in the queue. So who waits to receive
// waits while nothing is there, and who waits to send while no place is free. To grant is to claim the waiter's `choice`,
// which one only can, and it may be the waiter itself that gives up; so a select (handoff/select) waits at many places.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

#include <iterator>
#include <memory>
#include <optional>

namespace acqrel {

/// How many items a channel holds that were sent and not yet received.
struct channel_capacity {
  std::size_t items;
};
inline constexpr channel_capacity rendezvous{0};  // send() returns when the item has been received
inline constexpr channel_capacity unbounded{static_cast<std::size_t>(-1)};
constexpr channel_capacity bounded(std::size_t items) noexcept { return {items}; }

/// Of a channel, what knows no T. For channel and select.
class channel_core {
 public:
  /// One operation that waits, at one place or more. Whoever claims it serves it, then settles it.
  class choice {
   public:
    /// True for one caller of all.
    [[nodiscard]] bool claim() noexcept;
    /// By who claimed it, once: lets the waiter go, who may destroy the choice at once.
    void settle() noexcept;
    [[nodiscard]] bool is_settled() const noexcept;
    /// True: somebody settled it. False: patience ran out, and nobody can claim it any more.
    [[nodiscard]] bool await(const patience& how_long) noexcept;
    /// True: nobody can claim it any more. False: somebody had claimed it, and has settled it now.
    [[nodiscard]] bool give_up() noexcept;
    /// Asks to be woken, and says where to sleep while it is not settled.
    [[nodiscard]] park_case announce() noexcept;

   private:
    static constexpr std::uint32_t awaited = 1, claimed = 2, settled = 4;  // the last two stay
    park_word word_{0};
  };

  class place;
  struct block {  // T's own follows
    block* next = nullptr;
  };
  enum class what : std::uint8_t {
    nothing,  // gave up
    closed,
    again,  // the other's move threw: begin again
    other,  // `other` waits, and is ours to serve: move the item from there to here, or from here to there, and settle it
    moved,    // the other has moved the item
    granted,  // to receive: the item in `space`. To send: room, and perhaps an empty `space`
  };
  struct found {
    what is = what::nothing;
    place* other = nullptr;
    block* space = nullptr;
  };

  /// In the queue of those who wait, as long as the lock says so; on the stack of its waiter.
  class place {
   public:
    /// `item` is what T's part moves from (const: send) or to.
    place(choice& waiter, void* item) noexcept : waiter_(&waiter), item_(item) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    [[nodiscard]] void* item() const noexcept { return item_; }
    [[nodiscard]] const found& result() const noexcept { return result_; }
    void settle(const found& result) noexcept {
      result_ = result;
      waiter_->settle();
    }

   private:
    friend class channel_core;
    choice* waiter_;
    void* item_;
    found result_;  // by who claimed waiter_
    place* next_ = nullptr;
    place* previous_ = nullptr;
    bool queued_ = false;
  };

  explicit channel_core(std::size_t capacity) noexcept : capacity_(capacity) {}
  channel_core(const channel_core&) = delete;
  channel_core& operator=(const channel_core&) = delete;

  /// What can be done with `item`, T* to send and std::optional<T>* to receive, at once or after a wait; nothing: gave up.
  [[nodiscard]] found send(void* item, const patience& how_long, bool waits) noexcept;
  [[nodiscard]] found receive(void* item, const patience& how_long, bool waits) noexcept;

  /// Ends what `granted` began, with a full block. First: one that was received, but not moved from.
  void put(block& full, bool first = false) noexcept;
  /// Room is free again. Returns what of its block is not kept.
  [[nodiscard]] block* free(block* empty) noexcept;

  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;
  [[nodiscard]] bool drained() const noexcept;
  /// A block that nobody uses, full or empty: at the end.
  [[nodiscard]] block* take_full() noexcept { return items_.pop(); }
  [[nodiscard]] block* take_empty() noexcept;

 private:
  struct place_queue {
    place* first = nullptr;
    place* last = nullptr;
    void push(place& one) noexcept;
    void unlink(place& one) noexcept;
    place* claim() noexcept;
    place* claim_all() noexcept;
  };
  struct block_queue {
    block* first = nullptr;
    block* last = nullptr;
    void push(block& one, bool in_front) noexcept;
    block* pop() noexcept;
  };
  friend class select_case;
  // Held for a few instructions; who finds it held spins, then yields.
  class lock;
  void acquire() const noexcept;
  void release() const noexcept;
  [[nodiscard]] found try_send(place& mine, bool waits) noexcept;
  [[nodiscard]] found try_receive(place& mine, bool waits) noexcept;
  found do_or_wait(place_queue& queue, found (channel_core::*attempt)(place&, bool) noexcept, void* item,
                   const patience& how_long, bool waits) noexcept;
  [[nodiscard]] bool is_over() const noexcept { return closed_ && used_ == 0; }
  static void settle_closed(place* first) noexcept;

  const std::size_t capacity_;
  mutable std::atomic<bool> held_{false};
  bool closed_ = false;
  std::uint32_t spares_ = 0;  // blocks in empty_
  std::size_t used_ = 0;
  place_queue senders_, receivers_;
  block_queue items_;
  block* empty_ = nullptr;
};

template <class T>
class channel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && std::is_move_constructible_v<T>,
                "channel<T>: T is a plain object type that can be moved; std::unique_ptr<T> wraps one that can not");
  static_assert(std::is_nothrow_destructible_v<T>, "channel<T>: the destructor of T must not throw");

 public:
  explicit channel(channel_capacity capacity) noexcept : core_(capacity.items) {}
  channel(const channel&) = delete;  // threads wait at its address: share it by reference
  channel& operator=(const channel&) = delete;
  /// Destroys what was sent and not received.
  ~channel() {
    while (slot* const full = static_cast<slot*>(core_.take_full())) {
      std::destroy_at(&full->item);
      delete full;
    }
    while (slot* const empty = static_cast<slot*>(core_.take_empty())) delete empty;
  }

  /// Sends `item`, once there is room. False: closed, or gave up; then `item` was not moved from.
  [[nodiscard]] bool send(T&& item, const std::stop_token& stop = {}) { return send(item, patience(stop), true); }
  [[nodiscard]] bool try_send(T&& item) { return send(item, patience(), false); }
  template <class Rep, class Period>
  [[nodiscard]] bool send_for(T&& item, std::chrono::duration<Rep, Period> time, const std::stop_token& stop = {}) {
    return send(item, patience(deadline_after(time), stop), true);
  }
  template <class Duration>
  [[nodiscard]] bool send_until(T&& item, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                const std::stop_token& stop = {}) {
    return send(item, patience(to_deadline(deadline), stop), true);
  }
  template <class... Limits>
  bool send(T&,
            const Limits&...) = delete;  // send(std::move(item)): sent, it is not yours any more; refused, it still is

  /// Receives the next item, once there is one. None: drained, or gave up.
  [[nodiscard]] std::optional<T> receive(const std::stop_token& stop = {}) { return receive(patience(stop), true); }
  [[nodiscard]] std::optional<T> try_receive() { return receive(patience(), false); }
  template <class Rep, class Period>
  [[nodiscard]] std::optional<T> receive_for(std::chrono::duration<Rep, Period> time,
                                             const std::stop_token& stop = {}) {
    return receive(patience(deadline_after(time), stop), true);
  }
  template <class Duration>
  [[nodiscard]] std::optional<T> receive_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                               const std::stop_token& stop = {}) {
    return receive(patience(to_deadline(deadline), stop), true);
  }

  /// From now on nothing can be sent, and those who wait to send are refused; what was sent can still be received. Again:
  /// nothing.
  void close() noexcept { core_.close(); }
  [[nodiscard]] bool closed() const noexcept { return core_.closed(); }
  /// Closed, and nothing left: no receive will ever return an item again.
  [[nodiscard]] bool drained() const noexcept { return core_.drained(); }

  /// For range-for: receives until drained.
  class iterator {
   public:
    T& operator*() const noexcept { return *item_; }
    iterator& operator++() {
      item_.reset();
      from_->finish_receive(from_->core_.receive(&item_, patience(), true), item_);
      return *this;
    }
    bool operator==(std::default_sentinel_t) const noexcept { return !item_.has_value(); }

   private:
    friend class channel;
    explicit iterator(channel& from) : from_(&from) { ++*this; }
    channel* from_;
    mutable std::optional<T> item_;
  };
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() noexcept { return {}; }

 private:
  template <class, class>
  friend class receive_case;
  template <class, class>
  friend class send_case;
  using found = channel_core::found;
  using what = channel_core::what;
  struct slot : channel_core::block {
    slot() noexcept {}
    ~slot() {}
    union {
      T item;
    };
  };

  bool send(T& item, const patience& how_long, bool waits) {
    return finish_send(core_.send(std::addressof(item), how_long, waits), item);
  }
  std::optional<T> receive(const patience& how_long, bool waits) {
    std::optional<T> item;
    finish_receive(core_.receive(&item, how_long, waits), item);
    return item;
  }

  // True: sent.
  bool finish_send(const found& now, T& item) {
    if (now.is == what::other) {
      serve(*now.other, [&] { static_cast<std::optional<T>*>(now.other->item())->emplace(std::move(item)); });
    } else if (now.is == what::granted) {
      slot* into = static_cast<slot*>(now.space);
      try {
        if (into == nullptr) into = new slot;
        std::construct_at(&into->item, std::move(item));
      } catch (...) {
        delete static_cast<slot*>(core_.free(into));
        throw;
      }
      core_.put(*into);
    }
    return now.is >= what::other;
  }
  void finish_receive(const found& now, std::optional<T>& item) {
    if (now.is == what::other) {
      serve(*now.other, [&] { item.emplace(std::move(*static_cast<T*>(now.other->item()))); });
    } else if (now.is == what::granted) {
      slot* const from = static_cast<slot*>(now.space);
      try {
        item.emplace(std::move(from->item));
      } catch (...) {
        core_.put(*from, true);
        throw;
      }
      std::destroy_at(&from->item);
      delete static_cast<slot*>(core_.free(from));
    }
  }
  template <class Move>
  static void serve(channel_core::place& other, Move move) {
    try {
      move();
    } catch (...) {
      other.settle({what::again});
      throw;
    }
    other.settle({what::moved});
  }

  channel_core core_;
};

}  // namespace acqrel
