// acqrel/publish/snapshot_source.hpp - a value that many threads read while some replace it.
//
//   acqrel::snapshot_source<config> current{std::make_unique<config>(load())};
//   auto now = current.read();                           // any thread: a consistent, live version
//   connect(now->host, now->port);
//   current.publish(std::make_unique<config>(load()));   // any thread: later reads see it
//
// Publishes  the T given to publish(), and everything its caller did before. Readers get const T.
// Edges      publish() -> read() is hazard.publish, and all else of a read see reclaim/hazard.hpp
//            turn.held        an update ends -> the next begins   nothing but the turn itself
// Progress   read(), get_snapshot() and the end of a guard wait-free (hazard.hpp says how many
//            steps); publish, exchange, compare_exchange lock-free; update queues with other updates.
//            Of a named source these, and the end of a version, take a mutex, under which nobody's code runs.
// Memory     64 bytes; a version adds 32 to its T. A version dies promptly, when the last who
//            holds it lets go; a reader stalled for ever keeps one version, not all. In a storm
//            of publishes at most 1,024 a thread wait for the next one, or for drain(). Named: a version adds 88.
// Threads    everything from any thread but destruction, which no call may overlap; guards and
//            snapshots may outlive the source. Guards stay on their thread. Signal handlers may
//            read on a thread that has read before (hazard_signal_scope; named, only within it). Nothing is locked.
// Errors     read is noexcept. std::bad_alloc from publish and its kin leaves the value unpublished
//            and the caller's pointer intact; an exception from update's function likewise.
// Cost       read and release: 6 plain memory operations. Bench snapshot_source/read.
// Model      tests/publish/snapshot_source_model.cpp, tests/twins.
// Not for    values larger than you can afford twice, or written more often than read.
//
// The interface follows WG21 P0561. A null value is a source that nothing was published to yet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/probe.hpp>
#include <acqrel/reclaim/hazard.hpp>

#include <memory>
#include <utility>

namespace acqrel {

template <class T>
class snapshot_source;
template <class T>
class cached_reader;

/// A version, held for the length of a scope by the thread that read it. Immovable and cheap.
template <class T>
class [[nodiscard]] snapshot_guard {
 public:
  ~snapshot_guard() { hazard_release(protection_); }
  snapshot_guard(const snapshot_guard&) = delete;
  snapshot_guard& operator=(const snapshot_guard&) = delete;
  static void* operator new(std::size_t) = delete;

  /// False: nothing had been published.
  explicit operator bool() const noexcept { return get() != nullptr; }
  const T* get() const& noexcept { return static_cast<const T*>(protection_.object->value()); }
  const T& operator*() const& noexcept { return *get(); }
  const T* operator->() const noexcept { return static_cast<const T*>(protection_.object->value()); }
  const T* get() const&& = delete;  // would dangle: name the guard first
  const T& operator*() const&& = delete;

 private:
  friend class snapshot_source<T>;
  template <class>
  friend class snapshot_ptr;
  explicit snapshot_guard(const hazard_cell& cell) noexcept : protection_(hazard_protect(cell)) {}

  hazard_protection protection_;
};

/// A version, held by a count: storable, copyable, for any thread and any duration.
template <class T>
class snapshot_ptr {
 public:
  constexpr snapshot_ptr() noexcept = default;
  constexpr snapshot_ptr(std::nullptr_t) noexcept {}
  /// Keeps what `guard` holds.
  explicit snapshot_ptr(const snapshot_guard<T>& guard) noexcept : object_(guard.protection_.object) {
    object_->add_reference();
  }
  snapshot_ptr(const snapshot_ptr& other) noexcept : object_(other.object_) { object_->add_reference(); }
  snapshot_ptr(snapshot_ptr&& other) noexcept : object_(std::exchange(other.object_, &hazard_nothing)) {}
  snapshot_ptr& operator=(snapshot_ptr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~snapshot_ptr() {
    if (object_ != &hazard_nothing) object_->drop_reference();
  }

  explicit operator bool() const noexcept { return get() != nullptr; }
  const T* get() const noexcept { return static_cast<const T*>(object_->value()); }
  const T& operator*() const noexcept { return *get(); }
  const T* operator->() const noexcept { return get(); }
  /// Equal: the same version, not merely equal values.
  friend bool operator==(const snapshot_ptr&, const snapshot_ptr&) noexcept = default;

 private:
  friend class snapshot_source<T>;
  friend class cached_reader<T>;
  explicit snapshot_ptr(hazard_object* counted) noexcept : object_(counted) {}

  hazard_object* object_ = &hazard_nothing;  // owns one reference, but of hazard_nothing
};

class time_source;

/// Given to a source, makes observe/publications report it by this name.
struct named {
  const char* name;             // is copied
  time_source* time = nullptr;  // of the ages in the report, and lives as long as the source; null: steady_clock
};

/// What a named source does instead: src/publish/publication.cpp.
struct published_type {
  std::size_t (*bytes)(const void* value, void (*given)());
  void (*destroy)(const void* value) noexcept;
};
[[nodiscard, gnu::cold]] publication* open_publication(const named& name, const published_type& type, void (*bytes)());
[[gnu::cold]] void close_publication(hazard_cell& cell) noexcept;
[[nodiscard, gnu::cold]] hazard_object* make_published(publication& books, const void* value);
[[gnu::cold]] void unmake_published(hazard_object* version) noexcept;
[[nodiscard, gnu::cold]] hazard_object* exchange_published(hazard_cell& cell, hazard_object* next) noexcept;
[[nodiscard, gnu::cold]] bool compare_exchange_published(hazard_cell& cell, hazard_object* expected,
                                                         hazard_object* next) noexcept;

template <class T>
class snapshot_source {
 public:
  /// Empty: read() gives a guard that is false. Constant-initialised.
  constexpr snapshot_source() noexcept = default;
  explicit snapshot_source(std::unique_ptr<T> first) : cell_(adopt(nullptr, first)) {}
  /// Known to observe/publications. `bytes` says how large a version is, with what it owns; null: sizeof(T).
  explicit snapshot_source(const named& name, std::unique_ptr<T> first = nullptr,
                           std::size_t (*bytes)(const T&) = nullptr);
  snapshot_source(const snapshot_source&) = delete;
  snapshot_source& operator=(const snapshot_source&) = delete;
  ~snapshot_source() {
    if (cell_.books == nullptr) [[likely]]
      hazard_replace(cell_, &hazard_nothing);
    else
      close_publication(cell_);
  }

  [[nodiscard]] snapshot_guard<T> read() const noexcept { return snapshot_guard<T>(cell_); }
  /// As read(), but counted: two locked operations on a line that such readers share.
  [[nodiscard]] snapshot_ptr<T> get_snapshot() const noexcept { return snapshot_ptr<T>(read()); }

  /// Makes `next` the current version. Null empties the source.
  void publish(std::unique_ptr<T>&& next) { replace(adopt(cell_.books, next)); }
  /// Makes the current version in place: header and value in one allocation, unless the source is named.
  template <class... Args>
  void emplace(Args&&... args) {
    if (cell_.books != nullptr) [[unlikely]]
      return publish(std::make_unique<T>(std::forward<Args>(args)...));
    hazard_replace(cell_, new inline_version(std::forward<Args>(args)...));
  }
  /// publish(), and returns the version replaced.
  [[nodiscard]] snapshot_ptr<T> exchange(std::unique_ptr<T>&& next) {
    hazard_object* const version = adopt(cell_.books, next);
    return snapshot_ptr<T>(cell_.books == nullptr ? hazard_exchange(cell_, version)
                                                  : exchange_published(cell_, version));
  }
  /// Publishes `next` if `expected` is still current. Otherwise `next` stays with the caller and
  /// `expected` becomes the version that is current instead. Versions are compared, so a value
  /// that came back at an old address is not mistaken for the old version.
  [[nodiscard]] bool compare_exchange(snapshot_ptr<T>& expected, std::unique_ptr<T>& next);

  /// Replaces the value by a function of it: `f` takes `const T&`, or `const T*` that is null for
  /// an empty source, and returns std::unique_ptr<T>; null changes nothing. True if it published.
  /// Updates of a source take turns, so `f` runs once unless publish, exchange or an update inside
  /// `f` came between; then it runs again on what they left, and nothing is lost. An update inside
  /// another's `f` does not queue. What dies meanwhile is destroyed after the turn. Throws what `f`
  /// throws, with the value unchanged; std::logic_error if `f` takes `const T&` and the source is empty.
  template <class F>
  bool update(F&& f);
  /// update() without the queue: under contention `f` runs more than once, but nobody waits for
  /// an `f` that is slow.
  template <class F>
  bool update_optimistic(F&& f);

 private:
  friend class cached_reader<T>;

  // A version adopted from a unique_ptr.
  struct adopted_version : hazard_object {
    explicit adopted_version(T* value) noexcept : hazard_object(destroy, value) {}
    static void* operator new(std::size_t) { return hazard_allocate_header(); }
    static void operator delete(void* header) noexcept { hazard_free_header(header); }
    static void destroy(hazard_object* object) noexcept {
      delete static_cast<const T*>(object->value());
      delete static_cast<adopted_version*>(object);
    }
  };
  struct inline_version : hazard_object {
    template <class... Args>
    explicit inline_version(Args&&... args) : hazard_object(destroy, &stored), stored(std::forward<Args>(args)...) {}
    static void destroy(hazard_object* object) noexcept { delete static_cast<inline_version*>(object); }
    T stored;
  };
  // Takes the value only once nothing can throw any more.
  static hazard_object* adopt(publication* books, std::unique_ptr<T>& value) {
    if (value == nullptr) return &hazard_nothing;
    hazard_object* const version =
        books == nullptr ? new adopted_version(value.get()) : make_published(*books, value.get());
    (void)value.release();
    return version;
  }
  void replace(hazard_object* version) noexcept {
    if (cell_.books == nullptr) [[likely]]
      hazard_replace(cell_, version);
    else
      exchange_published(cell_, version)->drop_reference();
  }

  hazard_cell cell_;
};

// ------------------------------------------------------------------------ Implementation

/// A turn at updating one source. A thread that has a turn anywhere does not queue for another, so
/// turns cannot deadlock; correctness never rests on them. What dies meanwhile by this thread is
/// destroyed when the turn has ended: a destructor may wait for somebody who waits for the turn.
class snapshot_update_turn {
 public:
  explicit snapshot_update_turn(std::atomic<std::uint32_t>& turn) noexcept;
  ~snapshot_update_turn();
  snapshot_update_turn(const snapshot_update_turn&) = delete;
  snapshot_update_turn& operator=(const snapshot_update_turn&) = delete;

 private:
  std::atomic<std::uint32_t>* turn_;  // null: nested, holds none
  hazard_record* deferred_;           // null: nested, or within a destructor
};

[[noreturn]] void throw_update_of_empty_snapshot_source();

template <class T>
snapshot_source<T>::snapshot_source(const named& name, std::unique_ptr<T> first, std::size_t (*bytes)(const T&))
    : snapshot_source() {
  using size_of_version = std::size_t (*)(const T&);
  static constexpr published_type type{
      [](const void* value, void (*given)()) {
        return given == nullptr ? sizeof(T) : reinterpret_cast<size_of_version>(given)(*static_cast<const T*>(value));
      },
      [](const void* value) noexcept { delete static_cast<const T*>(value); }};
  cell_.books = open_publication(name, type, reinterpret_cast<void (*)()>(bytes));
  if (first != nullptr) publish(std::move(first));
}

template <class T>
bool snapshot_source<T>::compare_exchange(snapshot_ptr<T>& expected, std::unique_ptr<T>& next) {
  T* const value = next.get();
  hazard_object* const version = adopt(cell_.books, next);
  if (cell_.books == nullptr ? hazard_compare_exchange(cell_, expected.object_, version)
                             : compare_exchange_published(cell_, expected.object_, version)) {
    return true;
  }
  if (version != &hazard_nothing) {
    if (cell_.books == nullptr)
      delete static_cast<adopted_version*>(version);
    else
      unmake_published(version);
    next.reset(value);
  }
  expected = get_snapshot();
  return false;
}

template <class T>
template <class F>
bool snapshot_source<T>::update(F&& f) {
  const snapshot_update_turn turn(cell_.turn);
  return update_optimistic(f);
}

template <class T>
template <class F>
bool snapshot_source<T>::update_optimistic(F&& f) {
  snapshot_ptr<T> seen = get_snapshot();
  for (;;) {
    std::unique_ptr<T> next;
    if constexpr (std::is_invocable_v<F&, const T&>) {
      if (!seen) throw_update_of_empty_snapshot_source();
      next = f(*seen);
    } else {
      next = f(seen.get());
    }
    if (next == nullptr) return false;
    if (compare_exchange(seen, next)) return true;
    probe_retry();
  }
}

}  // namespace acqrel
