// acqrel/publish/versioned.hpp - a value and the number of its version, published as one.
//
//   acqrel::versioned<limits> current;
//   current.set({.rate = 100});                                       // any thread: version 1, then 2, 3 ...
//   auto now = current.read();                                        // any thread: a value with its own version
//   const bool alone = current.set_if(now.version(), raised(*now));   // only if nothing came between
//
// Publishes  the T given to set() with its version, and everything the caller did before.
// Edges      none of its own: set() -> read() is hazard.publish, see reclaim/hazard.hpp
// Progress   read(), get_snapshot(), version() wait-free; set, set_if, erase lock-free.
// Memory     64 bytes; a version adds 64 to its T, and dies when the last who holds it lets go.
// Threads    everything from any thread but destruction, which no call may overlap; what was read may
//            outlive the cell. A guard stays on its thread.
// Errors     set_if() returns false and leaves the value with its caller when another version is current. What
//            allocating or moving the T throws passes, with nothing published.
// Cost       read(): snapshot_source's, and one load. Bench versioned/read.
// Model      tests/publish/versioned_model.cpp.
// Not for    waiting for a change (watch), or values that only ever have one version (one_shot).
//
// Versions are 64 bits, dense, and never come again: erase() takes one too. 0 is "never set".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/publish/snapshot_source.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace acqrel {

template <class T>
class versioned;
template <class T>
class watch;

/// What stands behind the pointer: one publication. Immutable once published.
template <class T>
struct versioned_entry {
  versioned_entry() noexcept = default;
  versioned_entry(const versioned_entry&) = delete;
  versioned_entry& operator=(const versioned_entry&) = delete;
  virtual ~versioned_entry() = default;

  std::uint64_t version = 0;
  const T* value = nullptr;  // null: erased
  bool last = false;         // of a watch: nothing follows
};

/// An entry with its own T.
template <class T>
struct versioned_value final : versioned_entry<T> {
  explicit versioned_value(T&& given) noexcept(std::is_nothrow_move_constructible_v<T>) : stored(std::move(given)) {
    this->value = std::addressof(stored);
  }
  T stored;
};
static_assert(sizeof(versioned_value<std::uint64_t>) == 40);

/// A value with its version, held for the length of a scope by the thread that read it. Immovable and cheap.
template <class T>
class [[nodiscard]] versioned_guard {
 public:
  /// False: there is no value; never set, or erased.
  explicit operator bool() const noexcept { return get() != nullptr; }
  const T* get() const& noexcept {
    const versioned_entry<T>* const entry = guard_.get();
    return entry == nullptr ? nullptr : entry->value;
  }
  const T& operator*() const& noexcept { return *guard_->value; }
  const T* operator->() const noexcept { return guard_->value; }
  const T* get() const&& = delete;  // would dangle: name the guard first
  const T& operator*() const&& = delete;
  std::uint64_t version() const noexcept { return guard_ ? guard_->version : 0; }

 private:
  friend class versioned<T>;
  friend class watch<T>;
  explicit versioned_guard(const snapshot_source<versioned_entry<T>>& source) noexcept : guard_(source.read()) {}

  snapshot_guard<versioned_entry<T>> guard_;
};

/// A value with its version, held by a count: storable, copyable, for any thread and any duration.
template <class T>
class versioned_ptr {
 public:
  /// None, version 0.
  constexpr versioned_ptr() noexcept = default;

  /// False: there is no value; never set, or erased.
  explicit operator bool() const noexcept { return get() != nullptr; }
  const T* get() const noexcept { return entry_ ? entry_->value : nullptr; }
  const T& operator*() const noexcept { return *entry_->value; }
  const T* operator->() const noexcept { return entry_->value; }
  std::uint64_t version() const noexcept { return entry_ ? entry_->version : 0; }

 private:
  friend class versioned<T>;
  friend class watch<T>;
  explicit versioned_ptr(snapshot_ptr<versioned_entry<T>> entry) noexcept : entry_(std::move(entry)) {}

  snapshot_ptr<versioned_entry<T>> entry_;
};

template <class T>
class versioned {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "versioned<T>: T is a plain object type; readers get const T");

 public:
  /// Without a value, version 0. Constant-initialised.
  constexpr versioned() noexcept = default;
  /// With version 1.
  explicit versioned(T first) { set(std::move(first)); }
  /// As versioned(), and known to observe/publications.
  explicit versioned(const named& name)
      : source_(name, nullptr, [](const entry&) { return sizeof(versioned_value<T>); }) {}

  /// The value with its version; both of the same set().
  [[nodiscard]] versioned_guard<T> read() const noexcept { return versioned_guard<T>(source_); }
  /// As read(), but counted.
  [[nodiscard]] versioned_ptr<T> get_snapshot() const noexcept { return versioned_ptr<T>(source_.get_snapshot()); }
  /// The current version. By the time it is looked at there may be another: read() gives one with its value.
  [[nodiscard]] std::uint64_t version() const noexcept { return read().version(); }

  /// Makes `value` current and returns the version it got: one more than that it replaced.
  std::uint64_t set(T&& value) { return replace(std::make_unique<versioned_value<T>>(std::move(value))); }
  std::uint64_t set(const T&) = delete;  // set(std::move(value)), or set(T(value)) to copy it

  /// The same if the current version is `expected`; it then is `expected` + 1. Of several who expect the same, one
  /// succeeds. Otherwise false, and `value` is the caller's as it was.
  [[nodiscard]] bool set_if(std::uint64_t expected, T&& value);
  bool set_if(std::uint64_t, const T&) = delete;  // set_if(version, std::move(value)), or T(value) to copy it

  /// Takes the value away. Returns the current version: a new one, unless there was no value.
  std::uint64_t erase();

 private:
  using entry = versioned_entry<T>;
  static std::uint64_t version_of(const snapshot_ptr<entry>& seen) noexcept { return seen ? seen->version : 0; }

  std::uint64_t replace(std::unique_ptr<entry> next) {
    snapshot_ptr<entry> seen = source_.get_snapshot();
    std::uint64_t version;
    do {
      next->version = version = version_of(seen) + 1;
    } while (!source_.compare_exchange(seen, next));
    return version;
  }

  snapshot_source<entry> source_;
};

// ------------------------------------------------------------------------ Implementation

template <class T>
bool versioned<T>::set_if(std::uint64_t expected, T&& value) {
  static_assert(std::is_move_assignable_v<T>, "versioned::set_if gives the value back by moving it: T is assignable");
  snapshot_ptr<entry> seen = source_.get_snapshot();
  if (version_of(seen) != expected) return false;
  auto made = std::make_unique<versioned_value<T>>(std::move(value));
  made->version = expected + 1;
  versioned_value<T>& mine = *made;
  std::unique_ptr<entry> next = std::move(made);
  if (source_.compare_exchange(seen, next)) return true;
  value = std::move(mine.stored);
  return false;
}

template <class T>
std::uint64_t versioned<T>::erase() {
  snapshot_ptr<entry> seen = source_.get_snapshot();
  std::unique_ptr<entry> next;
  do {
    if (!seen || seen->value == nullptr) return version_of(seen);
    if (next == nullptr) next = std::make_unique<entry>();
    next->version = seen->version + 1;
  } while (!source_.compare_exchange(seen, next));
  return seen->version + 1;
}

}  // namespace acqrel
