// acqrel/keyed/striped_map.hpp - a map in stripes, each under a lock of its own; what one call does to a key is one step.
//
//   acqrel::striped_map<std::string, account> accounts;
//   accounts.with(name, [&](std::optional<account>& mine) {   // reads, changes, adds or erases: nobody comes between
//     if (!mine) mine.emplace();
//     mine->balance += amount;
//     if (mine->balance == 0) mine.reset();
//   });
//   if (const auto now = accounts.get(name)) report(*now);    // a copy; a string_view will do
//
// Publishes  what a call did to a key, and everything its caller did before, to later calls of the same stripe.
// Edges      none of its own: fair_mutex.held.
// Progress   blocking: calls whose keys share a stripe take turns, after fair_mutex. size() waits for nobody.
// Memory     128 bytes a stripe (x86-64, aarch64). An entry is a block: K, V with a flag, 16 bytes; and 8 to 16 bytes of
//            buckets, which are given back by clear() and the destructor only.
// Threads    any, but for destruction. Under a stripe's lock run your function given to with() or for_each(), the equality
//            of keys, copies and moves of K and V, and == of compare_and_assign(); that is the contract: be short, wait for
//            nobody. What is erased, taken or replaced is destroyed after the lock was let go.
// Errors     std::logic_error from a call that such code makes to the same map, where a mutex would hang or two threads
//            lock each other out; another map may be called, if no thread does it the other way round. What your code
//            throws passes. with(): what it did to the value until then stays. Any other call: nothing has changed, unless
//            a move of V threw. A result that may refer into the map does not compile, see may_refer of synchronized.
// Cost       a hash, a lock, and two cache misses. Bench striped_map/mixed.
// Model      tests/keyed/striped_map_model.cpp; its one edge in tests/base/fair_mutex_model.cpp.
// Not for    values read far more often than written: a read locks and copies (concurrent_map, if fewer than one call in 30
//            writes, with two threads; cow_map, if fewer than one in 2,000 writes to 1,000 entries, or all must be seen at one
//            moment); two keys in one step (synchronized).
//
// A key's stripe comes of its hash and a random seed that each map has: nobody who chooses keys can aim at a stripe, short of
// keys whose whole hashes are equal. Those make the map slow, not wrong; if strangers choose strings, give it a keyed Hash.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/base/padded.hpp>
#include <acqrel/publish/flat_hash_map.hpp>
#include <acqrel/publish/synchronized.hpp>

#include <memory>

namespace acqrel {

/// A place where a thread runs code of its user under a lock of `map`; a list, innermost first.
struct striped_map_place {
  const void* map;
  const striped_map_place* outer;
};
extern constinit thread_local const striped_map_place* striped_map_inside [[gnu::tls_model("initial-exec")]];
[[noreturn]] void throw_striped_map_within_itself();
/// Another one each time, which nobody can foretell.
std::uint64_t striped_map_seed();
/// A power of two: `wanted`, rounded up; 0: 16 for each CPU, 64 at least.
std::size_t striped_map_stripes(std::size_t wanted);

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class striped_map {
  static_assert(std::is_object_v<V> && !std::is_const_v<V>, "striped_map: V is a plain object type that can change");
  template <class F>
  using result = decltype(std::declval<F&>()(std::declval<std::optional<V>&>()));
  // What a Q is looked up as: itself, or converted once.
  template <class Q>
  using lookup = std::conditional_t<flat_hash_transparent<Hash, Equal> || std::is_same_v<Q, K>, const Q&, const K>;

 public:
  striped_map() : striped_map(0) {}
  /// With this many stripes, rounded up to a power of two; 0: 16 for each CPU, 64 at least.
  explicit striped_map(std::size_t stripes) : striped_map(stripes, striped_map_seed()) {}
  /// The same keys in the same places each time: for tests.
  striped_map(std::size_t stripes, std::uint64_t seed)
      : bits_(static_cast<unsigned>(std::countr_zero(striped_map_stripes(stripes)))),
        secret_{seed, (seed * 0xD1342543DE82EF95) | 1},
        stripes_(std::make_unique<padded<stripe>[]>(std::size_t{1} << bits_)) {}
  striped_map(const striped_map&) = delete;
  striped_map& operator=(const striped_map&) = delete;
  ~striped_map() { clear(); }

  /// A copy of the value, made under the lock.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] std::optional<V> get(const Q& key) const {
    return at(key, [](const spot& here) { return here.found != nullptr ? (*here.found)->value : std::nullopt; });
  }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] bool contains(const Q& key) const {
    return at(key, [](const spot& here) { return here.found != nullptr; });
  }
  /// False, and no change, if the key is there; `key` is not moved from then.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool insert(Q&& key, V value) {
    return at(std::as_const(key), [&](const spot& here) {
      if (here.found == nullptr) add(here, std::forward<Q>(key), std::move(value)), count(here.in, 1);
      return here.found == nullptr;
    });
  }
  /// True if it added; else the key that is there has this value now, and `key` is not moved from.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool insert_or_assign(Q&& key, V value) {
    return at(std::as_const(key), [&](const spot& here) {
      if (here.found == nullptr) return add(here, std::forward<Q>(key), std::move(value)), count(here.in, 1), true;
      using std::swap;
      swap(*(*here.found)->value, value);  // the old one dies with the parameter
      return false;
    });
  }
  /// Gives the key the value `desired` if it has one that is == `expected`; true if so.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool compare_and_assign(const Q& key, const V& expected, V desired) {
    return at(key, [&](const spot& here) {
      if (here.found == nullptr || !(*(*here.found)->value == expected)) return false;
      using std::swap;
      swap(*(*here.found)->value, desired);
      return true;
    });
  }
  /// False if there is no such key.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool erase(const Q& key) {
    return remove(key) != nullptr;
  }
  /// Erases the key and returns its value, if it is there.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] std::optional<V> take(const Q& key) {
    const std::unique_ptr<node> gone = remove(key);
    return gone != nullptr ? std::move(gone->value) : std::nullopt;
  }

  /// Returns f(std::optional<V>&), run while nobody else is in the key's stripe. The optional is the key's value, in place, and
  /// empty if there is none: what f makes of it is what the map has afterwards.
  template <class Q = K, class F>
  requires flat_hash_key<std::remove_cvref_t<Q>, K, Hash, Equal> result<F> with(Q&& key, F&& f);

  /// Calls f(const K&, const V&) for each entry, stripe by stripe under its lock, each as it is at one moment. A key that is
  /// there throughout is met once, none twice, one that comes or goes meanwhile perhaps.
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i != stripes(); ++i) {
      stripe& in = *stripes_[i];
      const visit inside(*this, in);
      for (const node* each : in.buckets)
        for (; each != nullptr; each = each->next) f(each->key, *each->value);
    }
  }
  /// Of what each stripe has now, or had while others change it.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t all = 0;
    for (std::size_t i = 0; i != stripes(); ++i) {
      // plain: a number; of what happened before this call it knows
      all += stripes_[i]->size.load(std::memory_order_relaxed);
    }
    return all;
  }
  /// Stripe by stripe: a key added meanwhile may stay.
  void clear() {
    for (std::size_t i = 0; i != stripes(); ++i) {
      stripe& in = *stripes_[i];
      std::vector<node*> gone;
      {
        const visit inside(*this, in);
        gone.swap(in.buckets);
        // plain: as in count
        in.size.store(0, std::memory_order_relaxed);
      }
      for (node* first : gone)
        while (first != nullptr) delete std::exchange(first, first->next);
    }
  }
  [[nodiscard]] std::size_t stripes() const noexcept { return std::size_t{1} << bits_; }
  /// Below stripes(). Calls whose keys have the same one take turns.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] std::size_t stripe_of(const Q& key) const {
    const lookup<Q> wanted = key;
    return index(place(wanted));
  }

 private:
  struct node {
    node* next;
    const std::uint64_t placed;
    const K key;
    std::optional<V> value;
  };
  struct stripe {
    fair_mutex mutex;
    std::atomic<std::size_t> size{0};  // of the entries; changed under the mutex
    std::vector<node*> buckets{};      // guarded by it: none, or a power of two of them
  };
  // As long as it lives this thread is inside a stripe, and calls nothing of the same map.
  class visit {
   public:
    visit(const striped_map& map, stripe& which) : which_(which), place_{&map, striped_map_inside} {
      for (const striped_map_place* at = place_.outer; at != nullptr; at = at->outer)
        if (at->map == &map) throw_striped_map_within_itself();
      which_.mutex.lock();
      striped_map_inside = &place_;
    }
    ~visit() {
      striped_map_inside = place_.outer;
      which_.mutex.unlock();
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

   private:
    stripe& which_;
    const striped_map_place place_;
  };

  // The high bits say which stripe, those below which bucket. The key's hash and a secret number make a product, and nobody can
  // aim at its halves together; of bits that are the highest the upper half tells. The second product depends on all.
  template <class Q>
  [[nodiscard]] std::uint64_t place(const Q& key) const {
    __extension__ typedef unsigned __int128 wide;
    const wide both = wide{std::uint64_t{Hash{}(key)} ^ secret_[0]} * secret_[1];
    return (static_cast<std::uint64_t>(both) ^ static_cast<std::uint64_t>(both >> 64)) * 0x9E3779B97F4A7C15;
  }
  [[nodiscard]] std::size_t index(std::uint64_t placed) const noexcept { return placed >> 1 >> (63 - bits_); }
  [[nodiscard]] node*& bucket_of(stripe& in, std::uint64_t placed) const noexcept {
    return in.buckets[(placed << bits_) >> 1 >> (64 - std::bit_width(in.buckets.size()))];
  }
  // What points to the node of `key`, or null.
  template <class Q>
  [[nodiscard]] node** find(stripe& in, std::uint64_t placed, const Q& key) const {
    if (in.buckets.empty()) return nullptr;
    for (node** at = &bucket_of(in, placed); *at != nullptr; at = &(*at)->next)
      if ((*at)->placed == placed && Equal{}((*at)->key, key)) return at;
    return nullptr;
  }
  struct spot {
    stripe& in;
    const std::uint64_t placed;
    node** const found;  // what points to the key's node, or null
  };
  // What `f` makes of the spot of `key`, under its lock.
  template <class Q, class F>
  auto at(const Q& key, F f) const {
    const lookup<Q> wanted = key;
    const std::uint64_t placed = place(wanted);
    stripe& in = *stripes_[index(placed)];
    const visit inside(*this, in);
    return f(spot{in, placed, find(in, placed, wanted)});
  }
  template <class Key, class Value>
  node** add(const spot& here, Key&& key, Value&& value);
  static auto unlink(node** at) noexcept { return std::unique_ptr<node>(std::exchange(*at, (*at)->next)); }
  template <class Q>
  std::unique_ptr<node> remove(const Q& key) {
    return at(key, [](const spot& here) {
      if (here.found == nullptr) return std::unique_ptr<node>();
      count(here.in, -1);
      return unlink(here.found);
    });
  }
  static void count(stripe& in, std::ptrdiff_t more) noexcept {
    // plain: changed under the lock only, and a number  / plain: as the load
    in.size.store(in.size.load(std::memory_order_relaxed) + static_cast<std::size_t>(more), std::memory_order_relaxed);
  }

  const unsigned bits_;  // log2 of the number of stripes
  const std::uint64_t secret_[2];
  const std::unique_ptr<padded<stripe>[]> stripes_;
};

// ------------------------------------------------------------------------ Implementation

// Returns what points to the new node. Throws before anything has changed, if it throws.
template <class K, class V, class Hash, class Equal>
template <class Key, class Value>
auto striped_map<K, V, Hash, Equal>::add(const spot& here, Key&& key, Value&& value) -> node** {
  std::unique_ptr<node> made(new node{nullptr, here.placed, K(std::forward<Key>(key)), std::forward<Value>(value)});
  std::vector<node*>& buckets = here.in.buckets;
  // plain: changed under the lock only
  if (here.in.size.load(std::memory_order_relaxed) >= buckets.size()) {
    std::vector<node*> old(buckets.empty() ? 8 : 2 * buckets.size());
    old.swap(buckets);
    for (node* each : old)
      while (each != nullptr) {
        node* const next = each->next;
        each->next = std::exchange(bucket_of(here.in, each->placed), each);
        each = next;
      }
  }
  node** const where = &bucket_of(here.in, here.placed);
  made->next = *where;
  *where = made.release();
  return where;
}

template <class K, class V, class Hash, class Equal>
template <class Q, class F>
requires flat_hash_key<std::remove_cvref_t<Q>, K, Hash, Equal>
auto striped_map<K, V, Hash, Equal>::with(Q&& key, F&& f) -> result<F> {
  static_assert(!may_refer<result<F>>,
                "striped_map: this result may refer to a value in the map, and would outlive the lock; return a copy "
                "(-> auto instead of auto&, std::string instead of std::string_view), or do what needs the reference "
                "inside the function");
  // Also if f throws: an entry stays if it has a value, and counts if it stays.
  struct settle {
    ~settle() {
      if ((*where)->value) {
        if (!there) count(in, 1);
      } else {
        gone = unlink(where);
        if (there) count(in, -1);
      }
    }
    stripe& in;
    node** const where;
    const bool there;
    std::unique_ptr<node>& gone;
  };
  std::unique_ptr<node> gone;  // dies after the lock was let go
  return at(std::as_const(key), [&](const spot& here) -> result<F> {
    const bool there = here.found != nullptr;
    const settle after{here.in, there ? here.found : add(here, std::forward<Q>(key), std::nullopt), there, gone};
    return f((*after.where)->value);
  });
}

}  // namespace acqrel
