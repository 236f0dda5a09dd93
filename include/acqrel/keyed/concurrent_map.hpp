// acqrel/keyed/concurrent_map.hpp - a map that many threads read while others change it, an entry at a time.
//
//   acqrel::concurrent_map<std::string, int> visits;
//   visits.insert("alice", 1);                                              // any thread
//   if (const auto found = visits.find(name)) greet(name, *found);          // any thread; a string_view will do
//   visits.update("alice", [](const int* old) { return std::optional(old != nullptr ? *old + 1 : 1); });
//   visits.for_each([&](const std::string& who, int) { visits.erase(who); });  // each key once, whatever others do
//
// Publishes  an entry, and everything done before by who put it there. Readers get const keys and values: a change
//            replaces the entry.
// Edges      an entry goes to its readers by hazard.publish (reclaim/hazard.hpp); those of the
//            buckets see concurrent_map_table.hpp.
// Progress   lookups and the end of a guard wait-free, but for the hash and the equality: 28 buckets at most, however the
//            map grows meanwhile. A change is prepared under no lock, and put in place under one of 16, held for a few
//            instructions; it is prepared again if its bucket has changed. Splitting a bucket holds that lock too.
// Memory     1.7 kB; an entry adds 48 bytes to K and V, and 16 to 32 for its bucket. Buckets are given back with the map.
//            Of entries taken out up to 1,024 a thread wait for its next scan or for drain() there, and with each those
//            that were behind it in its bucket: one, mostly. A guard keeps its bucket as it was, no more.
// Threads    everything from any but destruction, which no call may overlap. What find() returns stays on its thread, and
//            may outlive the map.
// Errors     std::bad_alloc, and what K, V, the hash, the equality or a function given throws: nothing has changed then.
// Cost       find: a hash, a protection, one or two entries. No shared line is written. Bench concurrent_map/mixed.
// Model      tests/keyed/concurrent_map_model.cpp, every edge also weakened.
// Not for    what seldom changes and is small enough to copy (publish/cow_map); where more than one call in 30 is a
//            change, with two threads (in one: in 100), or values are changed in place (striped_map).
//
// A key is in the bucket of the last bits of its hash; if that is not split off yet, in that of one bit less, and so on. A
// bucket has a chain of nodes that never change: a change makes a new one that shares its end. With one hash it is a list.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/probe.hpp>
#include <acqrel/keyed/concurrent_map_table.hpp>
#include <acqrel/publish/flat_hash_map.hpp>

#include <memory>
#include <optional>

namespace acqrel {

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class concurrent_map : protected concurrent_map_table {
  using entry = concurrent_map_entry<K, V>;
  using made = typename entry::made;
  enum class step { keep, take, put };
  class place;

 public:
  class guard;

  /// Empty, and constant-initialised.
  constexpr concurrent_map() noexcept : concurrent_map_table(&entry::end_of_copy) {}

  /// The value of `key`, protected: false if there is none.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] guard find(const Q& key) const {
    return guard(*this, lookup(key));
  }
  /// A copy of it.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] std::optional<V> get(const Q& key) const {
    const guard found = find(key);
    return found ? std::optional<V>(*found) : std::nullopt;
  }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] bool contains(const Q& key) const {
    return static_cast<bool>(find(key));
  }
  /// Calls f(const V&) if there is such a key; true if it did.
  template <flat_hash_key<K, Hash, Equal> Q = K, class F>
  bool visit(const Q& key, F&& f) const {
    const guard found = find(key);
    if (found) std::forward<F>(f)(*found);
    return static_cast<bool>(found);
  }
  /// What was added less what was taken out: right when nobody changes the map.
  [[nodiscard]] std::size_t size() const noexcept { return concurrent_map_table::size(); }

  /// False: the key is there, and keeps its value.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool insert(Q&& key, V value) {
    return put_if(std::forward<Q>(key), [&](const V* old) { return old == nullptr ? &value : nullptr; });
  }
  /// True: the key was added; false: it was there, and has a new value.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool insert_or_assign(Q&& key, V value) {
    bool added = false;
    (void)put_if(std::forward<Q>(key), [&](const V* old) { return added = old == nullptr, &value; });
    return added;
  }
  /// The value of `key`; if there is none, `make()` is added. It is called once at most, and what it made is dropped if
  /// somebody else was first. The guard is never false.
  template <flat_hash_key<K, Hash, Equal> Q = K, class F>
  [[nodiscard]] guard get_or_insert(Q&& key, F&& make) {
    return guard(*this, std::forward<Q>(key), std::forward<F>(make));
  }
  /// False: there was no such key.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool erase(const Q& key) {
    return erase_if(key, [](const V&) { return true; });
  }
  /// The value that was taken out: a copy, as others may still read it.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  std::optional<V> take(const Q& key) {
    std::optional<V> taken;
    if (!erase_if(key, [&](const V& old) { return taken.emplace(old), true; })) taken.reset();
    return taken;
  }
  /// Takes the key out if predicate(const V&) says so, of the value that is then taken out. It may be asked again if another
  /// thread came between, as the functions below; under no lock, so that it may use the map.
  template <flat_hash_key<K, Hash, Equal> Q = K, class Predicate>
  bool erase_if(const Q& key, Predicate&& predicate);
  /// Replaces the value, or adds the key, by what f(const V*) returns, where null is no such key: std::optional<V>, and
  /// nothing changes if that is empty. True if it did.
  template <flat_hash_key<K, Hash, Equal> Q = K, class F>
  bool update(Q&& key, F&& f) {
    std::optional<V> next;
    return put_if(
        std::forward<Q>(key),
        [&](const V* old) {
          next.reset();
          if (std::optional<V> wanted = f(old)) next.emplace(*std::move(wanted));
          return next ? &*next : nullptr;
        },
        true);
  }
  /// Replaces a value that == expected.
  template <flat_hash_key<K, Hash, Equal> Q = K, class E>
  bool compare_and_assign(Q&& key, const E& expected, V desired) {
    return put_if(std::forward<Q>(key),
                  [&](const V* old) { return old != nullptr && *old == expected ? &desired : nullptr; });
  }
  /// Takes the key out if its value == expected.
  template <flat_hash_key<K, Hash, Equal> Q = K, class E>
  bool compare_and_erase(const Q& key, const E& expected) {
    return erase_if(key, [&](const V& old) { return old == expected; });
  }
  /// Calls f(const K&, const V&) for each key that is there all the time, and for none twice; others may be seen or not. A
  /// value is one that the key had meanwhile. f is called under no lock and may change the map. What it throws passes.
  template <class F>
  void for_each(F&& f) const;
  /// Takes out what for_each would call its function for.
  void clear() {
    for_each([this](const K& key, const V&) { (void)erase(key); });
  }

 private:
  static std::uint32_t tag_of(const auto& key) {
    std::uint64_t hash = Hash{}(key);
    hash ^= hash >> 32;
    return static_cast<std::uint32_t>((hash * 0x9E3779B97F4A7C15) >> 32) | 0x80000000;
  }
  // What the hash and the equality take: the key, or a K made of it.
  template <class Q>
  static decltype(auto) lookup(const Q& key) {
    if constexpr (flat_hash_transparent<Hash, Equal> || std::same_as<Q, K>)
      return (key);
    else
      return static_cast<K>(key);
  }
  // Puts in what choose(const V*) points to, if it does; `again`: that may be another value each time.
  template <class Q, class Choose>
  bool put_if(Q&& key, Choose choose, bool again = false);
  // Until it is done or decide(const V*) says keep. What it puts in is `fresh`.
  template <class Q, class Decide>
  bool change(place& at, const Q& key, made& fresh, Decide decide);
};

// ------------------------------------------------------------------------ Implementation

// A key's bucket, protected as it was when the key was looked for, and the key's node in it.
template <class K, class V, class Hash, class Equal>
class concurrent_map<K, V, Hash, Equal>::place {
 public:
  template <class Q>
  place(const concurrent_map_table& map, const Q& key)
      : tag(tag_of(key)), bucket(tag & map.mask()), held{hazard_protect(map.cell(bucket))} {
    seek(map, key);
  }
  template <class Q>
  void look_again(const concurrent_map_table& map, const Q& key) {
    hold(map, tag & map.mask());
    seek(map, key);
  }
  const V* value() const noexcept { return link != nullptr ? std::addressof(entry::of(*link)->value) : nullptr; }
  // Whether the reference of `own`, which is counted, takes the place of the protection.
  void hold(made own) noexcept {
    hazard_release(held.is);
    link = own.get();
    held.is = {own.release(), 1};
  }

  const std::uint32_t tag;
  std::uint32_t bucket;
  struct holder {
    ~holder() { hazard_release(is); }
    hazard_protection is;
  } held;
  node* link = nullptr;

 private:
  void hold(const concurrent_map_table& map, std::uint32_t which) noexcept {
    bucket = which;
    hazard_release(held.is);
    held.is = hazard_protect(map.cell(bucket));
  }
  template <class Q>
  void seek(const concurrent_map_table& map, const Q& key) {
    if (seek_here(key)) [[likely]]
      return;
    // It is not here. But perhaps this was no bucket when it was looked into, or by then the key was in another.
    for (std::uint32_t home; (home = map.home(tag)) != bucket || held.is.object == &unsplit;) {
      hold(map, home);
      if (seek_here(key)) return;
    }
  }
  template <class Q>
  bool seek_here(const Q& key) {
    for (link = static_cast<node*>(held.is.object); link != nullptr; link = link->next) {
      if (link->tag == tag && Equal{}(std::as_const(entry::of(*link)->key), key)) return true;
    }
    return false;
  }
};

/// What a map has of a key, held for the length of a scope by the thread that asked. Immovable and cheap.
template <class K, class V, class Hash, class Equal>
class [[nodiscard]] concurrent_map<K, V, Hash, Equal>::guard {
 public:
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;
  static void* operator new(std::size_t) = delete;

  explicit operator bool() const noexcept { return value_ != nullptr; }
  const V* get() const& noexcept { return value_; }
  const V& operator*() const& noexcept { return *value_; }
  const V* operator->() const noexcept { return value_; }
  const V* get() const&& = delete;  // would dangle: name what find(key) returned first
  const V& operator*() const&& = delete;

 private:
  friend concurrent_map;
  template <class Q>
  guard(const concurrent_map& map, const Q& key) : at_(map, key), value_(at_.value()) {}
  template <class Q, class F>
  guard(concurrent_map& map, Q&& key, F&& f) : at_(map, lookup(key)) {
    made fresh, mine;
    const bool added = map.change(at_, lookup(key), fresh, [&](const V* old) {
      if (old != nullptr) return step::keep;
      if (fresh == nullptr) {
        fresh = entry::make(at_.tag, std::forward<Q>(key), std::forward<F>(f)());
        fresh->add_reference();
        mine.reset(fresh.get());
      }
      return step::put;
    });
    if (added) at_.hold(std::move(mine));
    value_ = at_.value();
  }

  place at_;
  const V* value_;
};

template <class K, class V, class Hash, class Equal>
template <class Q, class Decide>
bool concurrent_map<K, V, Hash, Equal>::change(place& at, const Q& key, made& fresh, Decide decide) {
  for (;;) {
    const step what = decide(at.value());
    if (what == step::keep) return false;
    if (exchange(at.tag, at.bucket, at.held.is.object, at.link, what == step::put ? fresh.get() : nullptr)) break;
    probe_retry();
    fresh != nullptr ? at.look_again(*this, std::as_const(fresh->key)) : at.look_again(*this, key);
  }
  if (fresh.release() != nullptr && at.link == nullptr) grow(at.tag);
  return true;
}

template <class K, class V, class Hash, class Equal>
template <class Q, class Choose>
bool concurrent_map<K, V, Hash, Equal>::put_if(Q&& key, Choose choose, bool again) {
  const auto& wanted = lookup(key);
  place at(*this, wanted);
  made fresh;
  return change(at, wanted, fresh, [&](const V* old) {
    V* const next = choose(old);
    if (next == nullptr) return step::keep;
    if (fresh == nullptr)
      fresh = entry::make(at.tag, std::forward<Q>(key), std::move(*next));
    else if (again)
      fresh = entry::make(at.tag, std::move(fresh->key), std::move(*next));
    return step::put;
  });
}

template <class K, class V, class Hash, class Equal>
template <flat_hash_key<K, Hash, Equal> Q, class Predicate>
bool concurrent_map<K, V, Hash, Equal>::erase_if(const Q& key, Predicate&& predicate) {
  const auto& wanted = lookup(key);
  place at(*this, wanted);
  made none;
  return change(at, wanted, none,
                [&](const V* old) { return old != nullptr && predicate(*old) ? step::take : step::keep; });
}

template <class K, class V, class Hash, class Equal>
template <class F>
void concurrent_map<K, V, Hash, Equal>::for_each(F&& f) const {
  const std::uint32_t roots = mask();
  concurrent_map_family family(*this, roots);
  for (std::uint32_t root = 0; root <= roots; ++root) {
    family.hold(root);
    family.for_each([&](const node& link) {
      const entry& e = *entry::of(link);
      f(e.key, e.value);
    });
  }
}

}  // namespace acqrel
