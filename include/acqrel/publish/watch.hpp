// acqrel/publish/watch.hpp - the latest value, for those who want to know when it changes.
//
//   acqrel::watch<config> current;
//   auto on_change = current.on_change([](const config& c) { connect(c.host); });  // called with what is newest
//   auto changes = current.subscribe();                                            // or one for each that waits
//   current.publish(load_config());                                                // any thread
//   for (changes.wait(); auto now = changes.receive(); changes.wait()) serve(*now);  // until closed
//
// Publishes  the T given to publish(), and everything its caller did before.
// Edges      publish() -> receive() and the callbacks is hazard.publish, see reclaim/hazard.hpp
//            watch.news   publish(), close() -> wait(), on_change()   that there is a version to look for
//            watch.left   publish() done with the watch -> ~watch     the whole watch
//            watch.ended  a callback returned -> its subscription ends   all it did with what it captured
// Progress   read(), receive(), unseen() wait-free and never in a writer's way. publish, close lock-free but for a
//            short lock if there are callbacks, and then they run the callbacks; waiting blocks.
// Memory     192 bytes; a version adds 64 to its T. A receiver is 2 words and a callback 72 bytes and its function,
//            inline; no number of them allocates.
// Threads    everything from any thread; a receiver and a subscription belong to one at a time, and end before the watch.
//            Whoever wait() or receive() told that nothing more comes may destroy it: ~watch waits for calls of
//            publish and close that are not yet done. A callback runs on a thread that publishes or subscribes, one
//            run at a time, under no lock; it may do anything but destroy the watch.
// Errors     publish() after close() returns false and leaves its value. std::bad_alloc, and what moving a T throws,
//            pass with nothing published. What a callback throws is counted, callback_exceptions().
// Cost       Bench watch/poll, watch/publish.
// Model      tests/publish/watch_model.cpp, every edge also weakened.
// Not for    events that must all arrive (a channel): versions between two looks are skipped, never the newest.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>
#include <acqrel/publish/versioned.hpp>

#include <mutex>
#include <type_traits>
#include <utility>

namespace acqrel {

template <class T>
class watch_receiver;
template <class T, class F>
class watch_callback;

/// One callback in the list of its watch. All but `busy_` is under the list's mutex.
class watch_callback_base {
 protected:
  /// Calls the function with the newest value, having said which version that is.
  using caller = void (*)(watch_callback_base&, std::uint64_t& version);
  explicit watch_callback_base(caller call) noexcept : call_(call) {}
  ~watch_callback_base() = default;

 private:
  friend class watch_core;
  caller call_;
  watch_callback_base* next_ = nullptr;
  watch_callback_base* previous_ = nullptr;
  std::uint64_t delivered_ = 0;   // the version it was last called with
  const void* thread_ = nullptr;  // on which it runs now
  bool* ended_within_ = nullptr;  // on that thread's stack: the subscription ended within its own callback
  mutable park_word busy_{0};     // 1: it runs, 2: its end is waited for
};

/// Of a watch, what knows no T: the word that its waiters sleep on, and the list of its callbacks.
class watch_core {
 public:
  constexpr watch_core() noexcept = default;

  /// Version `version` is in its place: wakes who waits and runs the callbacks that have not had it.
  void announce(std::uint64_t version) noexcept;
  /// Runs the callbacks that have not had `version`.
  void deliver(std::uint64_t version) noexcept;
  void add(watch_callback_base& one) noexcept;
  /// Waits while `one` runs on another thread.
  void remove(watch_callback_base& one) noexcept;
  /// Waits until all of `announcements` are done with the watch.
  void wait_until_left(std::uint64_t announcements) noexcept;
  [[nodiscard]] std::uint64_t exceptions() const noexcept;

  /// Waits for news that `done` approves of. `done` must look at the source: what was announced is there.
  template <class Done>
  [[nodiscard]] bool await(const patience& how_long, Done done) const {
    return how_long.await(word_, waiting, [&] {
      // edge watch.news: acquire  the value counts for nothing: it is the source that tells what there is
      (void)word_.load(std::memory_order_acquire);
      return done();
    });
  }

  /// Asks to be woken by news, and says where to sleep.
  [[nodiscard]] park_case announce() const noexcept {
    // edge watch.news: acquire  whoever finds a change counted finds it in the source
    return {&word_, word_.fetch_or(waiting, std::memory_order_acquire) | waiting};
  }

 private:
  static constexpr std::uint32_t waiting = 1;
  static constexpr std::uint32_t has_callbacks = 2;
  static constexpr std::uint32_t half = 4;  // above: two halves for each announcement, its news and its end

  std::uint32_t count(bool end) noexcept;
  watch_callback_base* next_behind() noexcept;
  void append(watch_callback_base& one) noexcept;
  void unlink(watch_callback_base& one) noexcept;

  mutable park_word word_{0};
  mutable std::mutex mutex_;  // for what is below, never held while a callback runs
  watch_callback_base* first_ = nullptr;
  watch_callback_base* last_ = nullptr;
  std::uint64_t newest_ = 0;
  std::uint64_t exceptions_ = 0;
};

template <class T>
class watch {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "watch<T>: T is a plain object type; readers get const T");

 public:
  /// Nothing published. Constant-initialised.
  constexpr watch() noexcept = default;
  explicit watch(T first) { publish(std::move(first)); }
  /// As watch(), and known to observe/publications.
  explicit watch(const named& name) : source_(name, nullptr, [](const entry&) { return sizeof(versioned_value<T>); }) {}
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch();

  /// Makes `value` the newest, wakes who waits, then runs the callbacks, or leaves them to another thread that is running
  /// them. False: closed; `value` is the caller's as it was.
  bool publish(T&& value);
  bool publish(const T&) = delete;  // publish(std::move(value)), or publish(T(value)) to copy it

  /// Nothing more is published; wakes all. What was newest stays, and is delivered to who has not had it. Idempotent.
  void close();
  [[nodiscard]] bool closed() const noexcept;

  /// The newest value and its version, whether seen or not.
  [[nodiscard]] versioned_guard<T> read() const noexcept { return versioned_guard<T>(source_); }
  /// As read(), but counted.
  [[nodiscard]] versioned_ptr<T> get_snapshot() const noexcept { return versioned_ptr<T>(source_.get_snapshot()); }

  /// A receiver that has seen nothing yet: a value that is there already is news to it.
  [[nodiscard]] watch_receiver<T> subscribe() const noexcept { return watch_receiver<T>(*this); }

  /// Calls `f(const T&)` with the newest value: now, on this thread, if there is one, and whenever there is a newer one.
  /// Of versions published while `f` runs, it is called with the newest only. Ends with the subscription returned: then
  /// `f` runs on no other thread and never will again. A subscription may be destroyed within its own `f`; two functions
  /// must not wait for the end of each other.
  template <class F>
  [[nodiscard("the callback ends with its subscription: give it a name")]] watch_callback<T, std::decay_t<F>> on_change(
      F&& f) {
    return watch_callback<T, std::decay_t<F>>(*this, std::forward<F>(f));
  }
  /// How often a callback has thrown. It goes on to be called.
  [[nodiscard]] std::uint64_t callback_exceptions() const noexcept { return core_.exceptions(); }

 private:
  friend class watch_receiver<T>;
  template <class, class>
  friend class watch_callback;
  using entry = versioned_entry<T>;
  // Closes with the value that was newest, which it keeps alive.
  struct closing final : entry {
    explicit closing(snapshot_ptr<entry> before) noexcept : kept(std::move(before)) {
      this->last = true;
      if (kept) this->version = kept->version, this->value = kept->value;
    }
    snapshot_ptr<entry> kept;
  };
  static bool is_last(const snapshot_ptr<entry>& seen) noexcept { return seen && seen->last; }

  snapshot_source<entry> source_;
  watch_core core_;
};

/// One who follows a watch: has wait, wait_for and wait_until, each also with a stop token, which return once there is
/// something unseen, or the watch is closed. A copy has seen what the original had.
template <class T>
class watch_receiver : public waitable<watch_receiver<T>> {
 public:
  /// Whether the newest value was not received yet.
  [[nodiscard]] bool unseen() const noexcept { return watch_->read().version() > seen_; }

  /// Whether a wait would return at once: the newest was not received yet, or the watch is closed.
  [[nodiscard]] bool news() const noexcept {
    const auto now = watch_->source_.read();
    return now && (now->version > seen_ || now->last);
  }
  /// For who waits for more than this (handoff/select): asks to be woken, and says where to sleep while news() is false.
  [[nodiscard]] park_case announce() const noexcept { return watch_->core_.announce(); }

  /// The newest value, which then counts as seen. None: it was seen already. After a wait, none says that the watch is
  /// closed, and all of it seen.
  [[nodiscard]] versioned_ptr<T> receive() noexcept {
    if (!unseen()) return {};
    versioned_ptr<T> newest = watch_->get_snapshot();
    seen_ = newest.version();
    return newest;
  }

  /// Waits until `holds(const T&)` for the newest value, seen or not, and receives it. None: closed or out of patience
  /// without. `holds` is asked once of each version that it meets; one that is replaced quickly may be missed.
  template <class Predicate>
  [[nodiscard]] versioned_ptr<T> receive_when(Predicate holds, const patience& how_long = patience());

 private:
  friend class watch<T>;
  friend class waitable<watch_receiver<T>>;
  explicit watch_receiver(const watch<T>& followed) noexcept : watch_(&followed) {}

  bool await(const patience& how_long) const {
    return watch_->core_.await(how_long, [this] { return news(); });
  }

  const watch<T>* watch_;
  std::uint64_t seen_ = 0;
};

/// A subscription of on_change(): lives where it was returned to, immovable, and holds the function.
template <class T, class F>
class [[nodiscard]] watch_callback : watch_callback_base {
  static_assert(std::is_invocable_v<F&, const T&>,
                "watch::on_change: the function takes const T&; what is published is const");

 public:
  watch_callback(const watch_callback&) = delete;
  watch_callback& operator=(const watch_callback&) = delete;
  ~watch_callback() { watch_->core_.remove(*this); }

 private:
  friend class watch<T>;
  template <class G>
  watch_callback(watch<T>& watched, G&& f) : watch_callback_base(call), watch_(&watched), f_(std::forward<G>(f)) {
    watch_->core_.add(*this);
    if (const std::uint64_t there = watch_->read().version()) watch_->core_.deliver(there);
  }
  static void call(watch_callback_base& self, std::uint64_t& version) {
    watch_callback& me = static_cast<watch_callback&>(self);
    const versioned_guard<T> newest = me.watch_->read();
    version = newest.version();
    me.f_(*newest);
  }

  watch<T>* watch_;
  F f_;
};

// ------------------------------------------------------------------------ Implementation

template <class T>
bool watch<T>::publish(T&& value) {
  static_assert(std::is_move_assignable_v<T>, "watch::publish gives the value back by moving it: T is assignable");
  snapshot_ptr<entry> seen = source_.get_snapshot();
  if (is_last(seen)) return false;
  auto made = std::make_unique<versioned_value<T>>(std::move(value));
  versioned_value<T>& mine = *made;
  std::unique_ptr<entry> next = std::move(made);
  std::uint64_t version;
  do {
    if (is_last(seen)) {
      value = std::move(mine.stored);
      return false;
    }
    mine.version = version = (seen ? seen->version : 0) + 1;
  } while (!source_.compare_exchange(seen, next));
  core_.announce(version);
  return true;
}

template <class T>
void watch<T>::close() {
  snapshot_ptr<entry> seen = source_.get_snapshot();
  std::unique_ptr<entry> next;
  do {
    if (is_last(seen)) return;
    next = std::make_unique<closing>(seen);
  } while (!source_.compare_exchange(seen, next));
  core_.announce(seen ? seen->version : 0);
}

template <class T>
bool watch<T>::closed() const noexcept {
  const auto now = source_.read();
  return now && now->last;
}

template <class T>
watch<T>::~watch() {
  std::uint64_t announcements = 0;
  if (const auto now = source_.read()) announcements = now->version + (now->last ? 1 : 0);
  core_.wait_until_left(announcements);
}

template <class T>
template <class Predicate>
versioned_ptr<T> watch_receiver<T>::receive_when(Predicate holds, const patience& how_long) {
  versioned_ptr<T> found;
  std::uint64_t asked = 0;
  const auto look = [&] {
    const bool closed = watch_->closed();  // before the value: of a closed watch the next line sees the last
    if (watch_->read().version() == asked) return closed;
    versioned_ptr<T> newest = watch_->get_snapshot();
    asked = newest.version();
    if (!holds(*newest)) return closed;
    seen_ = asked;
    found = std::move(newest);
    return true;
  };
  (void)watch_->core_.await(how_long, look);
  return found;
}

}  // namespace acqrel
