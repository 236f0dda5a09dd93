// acqrel/handoff/bus.hpp - calls everybody who subscribed, on the thread that publishes, and holds no lock meanwhile.
//
//   acqrel::bus<std::string, int> changes;
//   acqrel::subscription mine = changes.subscribe([](const std::string& flag, int value) { apply(flag, value); });
//   changes.publish("colour", 3);   // any thread: calls everybody once
//   mine.reset();                   // from here on apply() runs on no other thread and will not be called again
//
// Publishes  what the caller of publish() did before, to every callback; what callbacks did, to the end of their subscription.
// Edges      the list of subscribers, subscribe() -> publish(), is hazard.publish, see reclaim/hazard.hpp
//            bus.ended   "I call it", then "has it ended?" | ended, then who calls it   (store buffering)
//            bus.left    a call has returned -> reset()   all it did, before what it captured is destroyed
//            bus.bell    "I call another", then the bell | the bell, then who calls it   (store buffering)
//            bus.place   a thread's first publish, or its end -> reset(), the next thread to publish
// Progress   publish() wait-free but for its callbacks and a thread's first; the others block: subscriptions take turns,
//            and reset() waits for calls of its own callback on other threads, not for those of its neighbours.
// Memory     a list of 16 bytes a subscriber, copied by each change, and 128 bytes for each thread that publishes, never
//            freed. What a callback captured is destroyed by reset(), before it returns.
// Threads    publish and subscribe from any, callbacks included; callbacks run on several threads at once if those
//            publish. A subscription belongs to one thread at a time, and may outlive the bus: then it does nothing. ~bus
//            needs exclusive access. Two callbacks must not reset the subscriptions of each other: they would wait for ever.
// Errors     what a callback throws is counted, callback_exceptions(), and the next is called. subscribe() throws
//            std::bad_alloc, and what moving the function throws, with nobody subscribed. reset() is noexcept. A callback
//            must not end its thread by pthread_exit: the C library ends the program.
// Cost       publish() plain operations only, four for each call. Bench bus/publish.
// Model      tests/handoff/bus_model.cpp, every edge also weakened.
// Not for    one value of which only the newest counts (watch), or work for another thread (channel).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/asymmetric_fence.hpp>
#include <acqrel/base/park.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace acqrel {

/// One who subscribed: owned by its subscription, and by the lists that it is in.
class bus_subscriber {
 public:
  bus_subscriber(const bus_subscriber&) = delete;
  bus_subscriber& operator=(const bus_subscriber&) = delete;

 protected:
  using discarder = void (*)(bus_subscriber&) noexcept;
  explicit bus_subscriber(discarder discard) noexcept : discard_(discard) {}
  ~bus_subscriber() = default;

 private:
  friend class subscription;
  friend class bus_core;
  friend class bus_calls;
  std::atomic<bool> ended_{false};
  discarder discard_;  // destroys the function
};

/// Of a bus, what knows no types. It lives as long as the bus and each of its subscriptions.
class bus_core {
 public:
  using list = std::vector<std::shared_ptr<bus_subscriber>>;

  /// Takes out all that have ended, and puts in who is joining, if any.
  void change(const std::shared_ptr<bus_subscriber>* joining);
  [[nodiscard]] snapshot_guard<list> read() const noexcept { return subscribers_.read(); }

  /// For a catch clause.
  void count_exception() noexcept;
  [[nodiscard]] std::uint64_t exceptions() const noexcept;

 private:
  snapshot_source<list> subscribers_;
  std::atomic<std::uint64_t> exceptions_{0};
};

/// What a subscriber holds: it is called while this lives.
class [[nodiscard("the callback ends with its subscription: give it a name")]] subscription {
 public:
  /// Of nothing.
  subscription() noexcept = default;
  subscription(subscription &&) noexcept = default;
  subscription& operator=(subscription&& other) noexcept {
    subscription next(std::move(other));
    std::swap(core_, next.core_);
    std::swap(subscriber_, next.subscriber_);
    return *this;
  }
  ~subscription() { reset(); }

  /// Ends it. When this has returned, the callback runs on no other thread, is never called again, and what it captured is
  /// destroyed. Within the callback itself: it is not called again, but calls on other threads may be under way; what it
  /// captured dies when they have returned.
  void reset() noexcept;
  explicit operator bool() const noexcept { return subscriber_ != nullptr; }

 private:
  template <class...>
  friend class bus;
  subscription(std::shared_ptr<bus_core> core, std::shared_ptr<bus_subscriber> one) noexcept
      : core_(std::move(core)), subscriber_(std::move(one)) {}

  std::shared_ptr<bus_core> core_;
  std::shared_ptr<bus_subscriber> subscriber_;
};

/// Where a thread says whom it calls. A publish within a callback has one of its own.
struct alignas(128) bus_place {
  std::atomic<const bus_subscriber*> called{nullptr};  // written by the owning thread
  mutable park_word bell{0};                           // bit 0: somebody waits for `called` to change
  bool leaves_something = false;                       // a callback ended its own subscription; the owner's
  std::atomic<bool> in_use{true};
  std::atomic<const void*> owner{nullptr};  // of the thread that uses it
  bus_place* next = nullptr;                // of all; immutable once it is in the list
  bus_place* inner = nullptr;               // for the next publish within; the owner's
};
static_assert(sizeof(bus_place) == 128);

/// This thread's place for its next publish; null: it needs one.
extern constinit thread_local bus_place* bus_free_place [[gnu::tls_model("initial-exec")]];

/// A publish under way: says before each call whom it calls, so that the end of a subscription can wait for it.
class bus_calls {
 public:
  bus_calls() noexcept
      : place_(bus_free_place != nullptr ? *bus_free_place : enter()),
        // plain: written before this thread had a place
        full_(fence_state::mode.load(std::memory_order_relaxed) != fence_state::asymmetric) {
    bus_free_place = place_.inner;
  }
  ~bus_calls() {
    place_.inner = bus_free_place;
    bus_free_place = &place_;
    if (place_.leaves_something) [[unlikely]]
      tidy(place_);
  }
  bus_calls(const bus_calls&) = delete;
  bus_calls& operator=(const bus_calls&) = delete;

  /// No membarrier: begin and end are those for `true`. Asked once a publish, since a branch in each call would show.
  [[nodiscard]] bool in_full_mode() const noexcept { return full_; }

  /// Whether to call it now: until the next call of this, or of end(), whoever ends it waits.
  template <bool Full>
  [[nodiscard]] bool begin(const bus_subscriber& one) noexcept {
    say<Full>(&one);
    // edge bus.ended: seq_cst  shape SB; the other end is the heavy fence of await_calls
    return !one.ended_.load(std::memory_order_seq_cst);
  }
  template <bool Full>
  void end() noexcept {
    say<Full>(nullptr);
  }

  /// Waits until no other thread calls `one`, which ended before, and nobody will. False, at once: this thread calls it.
  [[nodiscard]] static bool await_calls(const bus_subscriber& one) noexcept;

 private:
  template <bool Full>
  void say(const bus_subscriber* one) noexcept {
    if constexpr (Full) {
      // edge bus.ended: seq_cst  shape SB
      // edge bus.bell: seq_cst  shape SB
      // edge bus.left: seq_cst  shape SB, for the two above
      place_.called.store(one, std::memory_order_seq_cst);
    } else {
      // edge bus.left: release
      place_.called.store(one, std::memory_order_release);
      compiler_fence();
    }
    // edge bus.bell: seq_cst  shape SB; the other end is the heavy fence of await_calls
    if ((place_.bell.load(std::memory_order_seq_cst) & 1) != 0) [[unlikely]]
      ring(place_);
  }
  [[gnu::cold, gnu::noinline]] static bus_place& enter() noexcept;
  // Static, so that nothing but the loop knows of this object and its members can stay in registers.
  [[gnu::cold, gnu::noinline]] static void ring(bus_place& place) noexcept;
  [[gnu::cold, gnu::noinline]] static void tidy(bus_place& place) noexcept;

  bus_place& place_;
  const bool full_;  // no membarrier: see base/asymmetric_fence.hpp
};

template <class... Args>
class bus {
  static_assert((std::is_object_v<Args> && ...) && !(std::is_const_v<Args> || ...),
                "bus<Args...>: plain object types, bus<std::string> for one; callbacks take them as const&");

 public:
  bus() : core_(std::make_shared<bus_core>()) {}
  bus(const bus&) = delete;
  bus& operator=(const bus&) = delete;

  /// Calls `f(const Args&...)` in every publish that begins after this has returned; in those under way, it does not.
  template <class F>
  [[nodiscard("the callback ends with its subscription: give it a name")]] subscription subscribe(F&& f) {
    static_assert(std::is_invocable_v<std::decay_t<F>&, const Args&...>,
                  "bus::subscribe: the function takes const Args&..., as all subscribers get the same");
    std::shared_ptr<bus_subscriber> made = std::make_shared<callback<std::decay_t<F>>>(std::forward<F>(f));
    core_->change(&made);
    return subscription(core_, std::move(made));
  }

  /// Calls everybody who subscribed before, in the order in which they did, once; then it returns. Of two publishes at once
  /// on different threads, one subscriber may see the first first, another the second.
  void publish(const Args&... args) {
    bus_calls calls;
    const auto subscribers = core_->read();
    if (!subscribers) return;
    if (calls.in_full_mode()) [[unlikely]] {
      call_all<true>(calls, *subscribers, args...);
    } else {
      call_all<false>(calls, *subscribers, args...);
    }
  }

  /// How often a callback has thrown. It goes on to be called.
  [[nodiscard]] std::uint64_t callback_exceptions() const noexcept { return core_->exceptions(); }

 private:
  struct receiver : bus_subscriber {
    using caller = void (*)(receiver&, const Args&...);
    receiver(discarder discard, caller how) noexcept : bus_subscriber(discard), call(how) {}
    const caller call;
  };
  template <class F>
  struct callback final : receiver {
    template <class G>
    explicit callback(G&& g) : receiver(discard, run), f(std::in_place, std::forward<G>(g)) {}
    static void run(receiver& self, const Args&... args) {
      static_cast<void>((*static_cast<callback&>(self).f)(args...));
    }
    static void discard(bus_subscriber& self) noexcept { static_cast<callback&>(self).f.reset(); }
    std::optional<F> f;
  };

  template <bool Full>
  void call_all(bus_calls& calls, const bus_core::list& subscribers, const Args&... args) {
    for (const auto& each : subscribers) {
      receiver& one = static_cast<receiver&>(*each);
      if (!calls.begin<Full>(one)) continue;
      try {
        one.call(one, args...);
      } catch (...) {
        core_->count_exception();
      }
    }
    calls.end<Full>();
  }

  const std::shared_ptr<bus_core> core_;
};

}  // namespace acqrel
