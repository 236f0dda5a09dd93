// acqrel/publish/cow_map.hpp - a map that many threads read while some change it, a batch at a time.
//
//   acqrel::cow_map<std::string, int> limits{{"alice", 10}, {"bob", 20}};
//   if (const auto limit = limits.get(name)) serve(*limit);       // any thread; a string_view will do
//   limits.update([&](auto& edit) {                               // any thread; all of it or nothing
//     edit.upsert("carol", 30);
//     edit.erase("bob");
//   });
//   const auto now = limits.read();                               // one version, for several questions
//   report(now.size(), now.contains("bob"));
//
// Publishes  a copy of the map with a whole batch done, and everything the batch's caller did before.
//            Readers get const keys and values.
// Edges      none of its own: update() -> get(), read() is hazard.publish, see reclaim/hazard.hpp
// Progress   get(), read() and the end of what they return wait-free, but for the hash and the
//            equality; updates queue. Neither waits for the other.
// Memory     64 bytes; a version is a flat_hash_map. It dies when the last who holds it lets go; of
//            less than 64 entries as one of a snapshot_source, so in a storm of updates some wait.
// Threads    everything from any thread but destruction, which no call may overlap. What get() and
//            read() return stays on its thread; get_snapshot() may go anywhere. Both may outlive the map.
// Errors     what the batch, a copy of K or V, the hash or the equality throws passes, and std::bad_alloc;
//            nothing has changed then.
// Cost       get() reads a snapshot_source and finds in a flat_hash_map; update() copies the whole map,
//            once a batch. Bench cow_map/get, cow_map/update.
// Model      tests/publish/cow_map_model.cpp.
// Not for    maps both large and often changed: a batch costs as much as the map has entries.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/publish/flat_hash_map.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <type_traits>

namespace acqrel {

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class cow_map {
  static_assert(std::copyable<K> && std::copyable<V>,
                "each update copies the map: give cow_map a std::shared_ptr<const V> for a V that cannot be copied");

 public:
  using table = flat_hash_map<K, V, Hash, Equal>;
  using value_type = typename table::value_type;
  using const_iterator = typename table::const_iterator;
  class found;
  class edit;
  template <class Holder>
  class version;
  using view = version<snapshot_guard<table>>;
  using snapshot = version<snapshot_ptr<table>>;

  /// Empty, and constant-initialised.
  constexpr cow_map() noexcept = default;
  /// Of equal keys the last wins.
  cow_map(std::initializer_list<value_type> entries) : cow_map(table(entries)) {}
  explicit cow_map(table entries) : source_(std::make_unique<table>(std::move(entries))) {}
  /// Empty, and known to observe/publications; there a version is as large as a table without its entries.
  explicit cow_map(const named& name) : source_(name) {}

  /// The value of `key` and its protection: false if there is none.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] found get(const Q& key) const {
    return found(source_, key);
  }
  /// One version, for the length of a scope: what it says of several keys belongs together.
  [[nodiscard]] view read() const noexcept { return view(source_); }
  /// One version, counted: to keep, copy and hand to other threads.
  [[nodiscard]] snapshot get_snapshot() const noexcept { return snapshot(source_); }

  /// Does a batch: `f` takes `edit&`, and returns nothing, or false to give the batch up. The whole
  /// batch is published at once, if it changed anything; an upsert counts as a change even if the
  /// value is equal. True if it published. Updates take turns, so `f` runs once unless it itself, or
  /// what it calls, updates this map; then it runs again on what that left. Throws what `f` throws.
  template <class F>
  bool update(F&& f);

 private:
  snapshot_source<table> source_;
};

/// What get() found, held for the length of a scope by the thread that asked. Immovable and cheap.
template <class K, class V, class Hash, class Equal>
class [[nodiscard]] cow_map<K, V, Hash, Equal>::found {
 public:
  found(const found&) = delete;
  found& operator=(const found&) = delete;
  static void* operator new(std::size_t) = delete;

  explicit operator bool() const noexcept { return value_ != nullptr; }
  const V* get() const& noexcept { return value_; }
  const V& operator*() const& noexcept { return *value_; }
  const V* operator->() const noexcept { return value_; }
  const V* get() const&& = delete;  // would dangle: name what get(key) returned first
  const V& operator*() const&& = delete;
  /// A copy, or `otherwise`.
  [[nodiscard]] V value_or(V otherwise) const { return value_ != nullptr ? *value_ : std::move(otherwise); }

 private:
  friend cow_map;
  template <class Q>
  found(const snapshot_source<table>& source, const Q& key)
      : version_(source.read()), value_(version_ ? version_.get()->find(key) : nullptr) {}

  snapshot_guard<table> version_;
  const V* value_;
};

/// A version, held by a guard (read()) or a count (get_snapshot()). What it points to lives as long.
template <class K, class V, class Hash, class Equal>
template <class Holder>
class [[nodiscard]] cow_map<K, V, Hash, Equal>::version {
 public:
  /// Null if there is no such key.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] const V* find(const Q& key) const& {
    return held_ ? held_.get()->find(key) : nullptr;
  }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  const V* find(const Q& key) const&& = delete;  // would dangle: name the version first, or use get()
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] bool contains(const Q& key) const {
    return held_ && held_.get()->contains(key);
  }
  [[nodiscard]] std::size_t size() const noexcept { return held_ ? held_.get()->size() : 0; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// In no order that means anything. `for (const auto& [key, value] : map.read())` keeps its version.
  [[nodiscard]] const_iterator begin() const& noexcept { return held_ ? held_.get()->begin() : const_iterator(); }
  [[nodiscard]] const_iterator end() const& noexcept { return held_ ? held_.get()->end() : const_iterator(); }
  const_iterator begin() const&& = delete;  // would dangle: name the version first
  const_iterator end() const&& = delete;

 private:
  friend cow_map;
  explicit version(const snapshot_source<table>& source) noexcept : held_(hold(source)) {}
  static Holder hold(const snapshot_source<table>& source) noexcept {
    if constexpr (std::is_same_v<Holder, snapshot_guard<table>>)
      return source.read();
    else
      return source.get_snapshot();
  }

  Holder held_;
};

/// The map as a batch has made it so far. The first change copies the map. Pointers and iterators
/// are valid until the next change; nothing of an edit is after its batch.
template <class K, class V, class Hash, class Equal>
class cow_map<K, V, Hash, Equal>::edit {
 public:
  edit(const edit&) = delete;
  edit& operator=(const edit&) = delete;

  /// Adds the entry, or gives the key that is there this value. True if it added. The last wins.
  bool upsert(K key, V value) { return changed().upsert(std::move(key), std::move(value)); }
  /// False, and no change, if there is no such key.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool erase(const Q& key) {
    return contains(key) && changed().erase(key);
  }
  /// False, and no change, if the map is empty.
  bool clear() {
    if (empty()) return false;
    after_ = std::make_unique<table>();
    return true;
  }

  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] const V* find(const Q& key) const {
    return now() ? now()->find(key) : nullptr;
  }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] bool contains(const Q& key) const {
    return find(key) != nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return now() ? now()->size() : 0; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] const_iterator begin() const noexcept { return now() ? now()->begin() : const_iterator(); }
  [[nodiscard]] const_iterator end() const noexcept { return now() ? now()->end() : const_iterator(); }

 private:
  friend cow_map;
  edit(const table* before, std::unique_ptr<table>& after) noexcept : before_(before), after_(after) {}
  const table* now() const noexcept { return after_ != nullptr ? after_.get() : before_; }
  table& changed() {
    if (after_ == nullptr)
      after_ = before_ != nullptr ? std::make_unique<table>(*before_, 1) : std::make_unique<table>();
    return *after_;
  }

  const table* before_;
  std::unique_ptr<table>& after_;
};

// ------------------------------------------------------------------------ Implementation

template <class K, class V, class Hash, class Equal>
template <class F>
bool cow_map<K, V, Hash, Equal>::update(F&& f) {
  using result = std::invoke_result_t<F&, edit&>;
  static_assert(std::is_void_v<result> || std::is_same_v<result, bool>,
                "the function given to update() returns nothing, or a bool that is false to give the batch up");
  std::unique_ptr<table> after;  // lives longer than the turn: a batch given up dies outside of it
  bool large = false;
  const bool published = source_.update([&](const table* before) {
    after.reset();
    edit batch(before, after);
    if constexpr (std::is_void_v<result>) {
      f(batch);
    } else {
      if (!f(batch)) return std::unique_ptr<table>();
    }
    large = before != nullptr && before->size() >= 64;
    return std::move(after);
  });
  // To look for readers costs about as much as to copy 64 entries, and leaves no large version waiting to die.
  if (published && large) drain();
  return published;
}

}  // namespace acqrel
