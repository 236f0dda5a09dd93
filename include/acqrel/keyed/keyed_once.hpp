// acqrel/keyed/keyed_once.hpp - a value for each key, made when it is first asked for, and kept.
//
//   acqrel::keyed_once<std::string, expression> patterns;
//   const auto words = patterns.get(text, compile);   // any thread: compile(text), or what it has made of it before
//   if (!words->matches(line)) reject(line);
//   keep(words.share());                              // beyond this scope
//   patterns.erase(text);                             // who has it keeps it; who asks now has it made anew
//
// Publishes  the value, and all that was done to make it, to who gets it, as const V.
// Edges      none of its own: a hit is one of concurrent_map::find(), and who waits for a value waits for
//            single_flight.landed.
// Progress   a hit is as concurrent_map::find(): no lock, nothing allocated, and no write to the value's lines once it was
//            hit three times. Making blocks who asks for the same key, and nobody else; it runs with nothing locked.
// Memory     some 250 bytes a value, with its key twice; no more values than `most`, but for what somebody holds, and what is
//            being made: that is never given up. Values taken out are destroyed as concurrent_map's entries are: later, by
//            any thread.
// Threads    all from any. What get() returns stays on its thread, and may outlive the keyed_once. Destruction: no call may
//            overlap it.
// Errors     what make throws, to all who wait for it; nothing is kept, and who comes next tries again. std::logic_error for
//            a make that waits for its own key, or for one whose make waits for it. Without memory to keep a value it is
//            returned all the same; to give one up, it stays. The destructors of K and V, hash and equality must not throw.
// Cost       a hit: a find and a look at whether the value is there. Bench keyed_once/hit.
// Model      tests/keyed/keyed_once_model.cpp, with twins that look once, and that keep what was erased.
// Not for    values that grow old, or have a weight, or are told of when they go (loading_cache); one value (publish/lazy).
//
// A make puts a ticket in the map and ends by replacing it. So what was erased meanwhile stays out, and the next begins anew.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/keyed/concurrent_map.hpp>
#include <acqrel/keyed/eviction_queue.hpp>
#include <acqrel/keyed/single_flight.hpp>

namespace acqrel {

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class keyed_once {
  struct entry;
  using entry_ptr = std::shared_ptr<entry>;
  using map = concurrent_map<K, entry_ptr, Hash, Equal>;

 public:
  class found;

  /// Keeps `most` values, and gives up those that are little used for others.
  explicit keyed_once(std::uint64_t most = UINT64_MAX) : queue_(most) {}

  /// The value of `key`: what is there, or what make(const K&) returns, of whoever comes first.
  template <flat_hash_key<K, Hash, Equal> Q = K, class Make>
  [[nodiscard]] found get(const Q& key, Make&& make) {
    return found(*this, key, patience(), make);
  }
  /// The same, but false if another makes it for longer than `how_long`, which goes on.
  template <flat_hash_key<K, Hash, Equal> Q = K, class Make>
  [[nodiscard]] found get(const Q& key, const patience& how_long, Make&& make) {
    return found(*this, key, how_long, make);
  }
  /// What is there; false if it is not, or is still being made.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] found find(const Q& key) const {
    return found(*this, key);
  }
  /// Who asks from now on gets what is made from now on. False: it was neither there nor being made.
  bool erase(const K& key) {
    // In this order: a make that found itself current before this has put its ticket where take() sees it.
    const bool was_made = flights_.forget(key);
    const std::optional<entry_ptr> taken = map_.take(key);
    if (!taken) return was_made;
    eviction_queue::left out;
    queue_.remove(**taken, out);
    return true;
  }
  /// How many values there are.
  [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }

 private:
  struct keyed;
  template <class Make>
  entry_ptr make_or_find(const K& key, Make& make);
  template <class Make>
  entry_ptr make_and_keep(const K& key, const entry_ptr& ticket, Make& make);
  bool place(const K& key, const entry_ptr& ticket, const entry_ptr& made) noexcept;
  void take_out(const K& key, const entry_ptr& one) noexcept;

  map map_;
  eviction_queue queue_;  // a value enters it before the map, and leaves it before or after
  single_flight<K, entry_ptr, Hash, Equal> flights_;
};

// ------------------------------------------------------------------------ Implementation

/// A ticket, until there is a value.
template <class K, class V, class Hash, class Equal>
struct keyed_once<K, V, Hash, Equal>::entry : eviction_queue::node {
  explicit entry(std::size_t hash) noexcept : node(hash, 1) {}
  const V* value = nullptr;
};

template <class K, class V, class Hash, class Equal>
struct keyed_once<K, V, Hash, Equal>::keyed : entry {
  template <class Make>
  keyed(const K& k, Make& make) : entry(Hash{}(k)), key(k), made(make(key)) {
    this->value = std::addressof(made);
  }
  const K key;
  const V made;
};

/// A value, held by the thread that asked for it for the length of a scope; false if there is none. Immovable and cheap.
template <class K, class V, class Hash, class Equal>
class [[nodiscard]] keyed_once<K, V, Hash, Equal>::found {
 public:
  found(const found&) = delete;
  found& operator=(const found&) = delete;
  static void* operator new(std::size_t) = delete;

  explicit operator bool() const noexcept { return value_ != nullptr; }
  const V* get() const& noexcept { return value_; }
  const V& operator*() const& noexcept { return *value_; }
  const V* operator->() const noexcept { return value_; }
  const V* get() const&& = delete;  // would dangle: name what get(key, make) returned first
  const V& operator*() const&& = delete;
  /// To keep, and for other threads.
  [[nodiscard]] std::shared_ptr<const V> share() const {
    return value_ == nullptr ? nullptr : std::shared_ptr<const V>(made_ != nullptr ? made_ : *there_, value_);
  }

 private:
  friend keyed_once;
  template <class Q>
  found(const keyed_once& where, const Q& key) : there_(where.map_.find(key)) {
    if (!there_ || (*there_)->value == nullptr) return;
    (*there_)->use();
    value_ = (*there_)->value;
  }
  template <class Q, class Make>
  found(keyed_once& where, const Q& key, const patience& how_long, Make& make) : found(where, key) {
    if (value_ != nullptr) [[likely]]
      return;
    const auto its = where.flights_.run(K(key), how_long, [&](const K& k) { return where.make_or_find(k, make); });
    if (!its) return;
    made_ = *its;
    value_ = made_->value;
  }

  typename map::guard there_;
  entry_ptr made_;  // what came slowly
  const V* value_ = nullptr;
};

// As the only one that does so for this key; but for makes that were forgotten, whose tickets may still be there.
template <class K, class V, class Hash, class Equal>
template <class Make>
auto keyed_once<K, V, Hash, Equal>::make_or_find(const K& key, Make& make) -> entry_ptr {
  static_assert(std::is_invocable_v<Make&, const K&>, "the value is made by make(key)");
  const entry_ptr ticket = std::make_shared<entry>(Hash{}(key));
  for (;;) {
    const entry_ptr there = map_.get(key).value_or(nullptr);
    if (there != nullptr && there->value != nullptr) return there;  // of who ended since this caller looked
    if (there == nullptr ? map_.insert(key, ticket) : map_.compare_and_assign(key, there, ticket)) break;
  }
  try {
    return make_and_keep(key, ticket, make);
  } catch (...) {
    take_out(key, ticket);
    throw;
  }
}

// Whatever can be found is in the queue, or was, and goes before what it went for can be found.
template <class K, class V, class Hash, class Equal>
template <class Make>
auto keyed_once<K, V, Hash, Equal>::make_and_keep(const K& key, const entry_ptr& ticket, Make& make) -> entry_ptr {
  const entry_ptr made = std::make_shared<keyed>(key, make);
  eviction_queue::left out;
  made->pin();  // until it can be found
  const bool enters = queue_.enter(made, nullptr, out);
  while (const auto gone = out.take())
    take_out(static_cast<const keyed&>(*gone).key, std::static_pointer_cast<entry>(gone));
  if (!enters || !flights_.is_current(key) || !place(key, ticket, made)) {
    queue_.remove(*made, out);
    take_out(key, ticket);
  }
  made->unpin();
  return made;
}

template <class K, class V, class Hash, class Equal>
bool keyed_once<K, V, Hash, Equal>::place(const K& key, const entry_ptr& ticket, const entry_ptr& made) noexcept {
  try {
    return map_.compare_and_assign(key, ticket, made);
  } catch (...) {  // there is no memory, or K does not let itself be copied
    return false;
  }
}

template <class K, class V, class Hash, class Equal>
void keyed_once<K, V, Hash, Equal>::take_out(const K& key, const entry_ptr& one) noexcept {
  try {
    (void)map_.compare_and_erase(key, one);
  } catch (const std::bad_alloc&) {
    // It stays: a value beyond the bound, or a ticket, which the next make replaces.
  }
}

}  // namespace acqrel
