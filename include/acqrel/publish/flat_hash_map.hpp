// acqrel/publish/flat_hash_map.hpp - a hash map in two arrays: what cow_map publishes.
//
//   acqrel::flat_hash_map<std::string, int> ages{{"ada", 36}, {"alan", 41}};
//   ages.upsert("grace", 85);
//   if (const int* age = ages.find(name)) greet(name, *age);   // a string_view: nothing is allocated
//
// Publishes  nothing: an ordinary container, to be published whole.
// Edges      none
// Progress   no loop waits for anybody. find() compares one key on average, all of them at most.
// Memory     an array of entries without gaps, and 16 to 32 bytes of slots for each. A copy is as
//            small as its entries allow: what was erased leaves nothing behind.
// Threads    any number may read; a change needs exclusive access, and makes pointers and
//            iterators invalid.
// Errors     std::bad_alloc, std::length_error past 2^31 entries, and what K, V, the hash or the
//            equality throws: nothing has changed then, unless it was a move assignment that threw,
//            whose entry is lost.
// Cost       a hash, one slot and one entry: two cache misses at most, if the hash spreads. Bench
//            cow_map/get, as its floor.
// Model      none: what is published of it does not change. tests/publish/flat_hash_map_test.cpp
//            holds it to std::unordered_map.
// Not for    entries whose address must stay, or an order (std::map).
//
// A bad hash is mended as far as a multiplication can: std::hash<int>, which is the number itself, is
// spread. Keys that all have one hash make it slow, not wrong. A hash and an equality have no state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace acqrel {

/// std::hash; for a std::string one that takes string views and literals too.
template <class K>
struct flat_hash : std::hash<K> {};
template <class Char, class Traits, class Allocator>
struct flat_hash<std::basic_string<Char, Traits, Allocator>> {
  using is_transparent = void;
  std::size_t operator()(std::basic_string_view<Char, Traits> text) const noexcept {
    return std::hash<std::basic_string_view<Char, Traits>>{}(text);
  }
};

/// The hash and the equality both take other types than K, and say so.
template <class Hash, class Equal>
concept flat_hash_transparent = requires {
  typename Hash::is_transparent;
  typename Equal::is_transparent;
};
/// What may be looked up.
template <class Q, class K, class Hash, class Equal>
concept flat_hash_key = flat_hash_transparent<Hash, Equal> || std::convertible_to<const Q&, const K&>;

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class flat_hash_map {
 public:
  using value_type = std::pair<K, V>;
  using const_iterator = typename std::vector<value_type>::const_iterator;

  flat_hash_map() noexcept = default;
  /// Of equal keys the last wins.
  flat_hash_map(std::initializer_list<value_type> entries) {
    for (const auto& [key, value] : entries) upsert(key, value);
  }
  flat_hash_map(flat_hash_map&&) noexcept = default;
  flat_hash_map(const flat_hash_map& other) : flat_hash_map(other, 0) {}
  /// A copy with room for `more` entries.
  flat_hash_map(const flat_hash_map& other, std::size_t more);
  flat_hash_map& operator=(flat_hash_map other) noexcept {
    entries_.swap(other.entries_);
    slots_.swap(other.slots_);
    std::swap(shift_, other.shift_);
    return *this;
  }
  ~flat_hash_map() = default;

  /// The value of `key`, or null.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] const V* find(const Q& key) const {
    if constexpr (flat_hash_transparent<Hash, Equal>)
      return value_of(key);
    else
      return value_of(static_cast<const K&>(key));
  }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] bool contains(const Q& key) const {
    return find(key) != nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// In no order that means anything.
  [[nodiscard]] const_iterator begin() const noexcept { return entries_.begin(); }
  [[nodiscard]] const_iterator end() const noexcept { return entries_.end(); }

  /// Adds the entry, or gives the key that is there this value. True if it added.
  bool upsert(K key, V value);
  /// False if there is no such key.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool erase(const Q& key) {
    if constexpr (flat_hash_transparent<Hash, Equal>)
      return remove(slot_of(key, tag_of(key)));
    else
      return remove(slot_of(static_cast<const K&>(key), tag_of(static_cast<const K&>(key))));
  }

 private:
  static constexpr std::uint32_t nowhere = UINT32_MAX;

  struct slot {
    std::uint32_t tag = 0;          // of the key; its high bits say where the search for it begins
    std::uint32_t entry = nowhere;  // nowhere: free, and the search ends
  };

  // 2^64 divided by the golden ratio: each bit of the hash reaches the high bits of the tag.
  template <class Q>
  static std::uint32_t tag_of(const Q& key) {
    return static_cast<std::uint32_t>((std::uint64_t{Hash{}(key)} * 0x9E3779B97F4A7C15) >> 32);
  }
  [[nodiscard]] std::uint32_t home(std::uint32_t tag) const noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{tag} >> shift_);
  }
  [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
    return (to - from) & static_cast<std::uint32_t>(slots_.size() - 1);
  }
  [[nodiscard]] std::uint32_t after(std::uint32_t at) const noexcept { return distance(0, at + 1); }

  template <class Q>
  [[nodiscard]] std::uint32_t slot_of(const Q& key, std::uint32_t tag) const {
    if (slots_.empty()) return nowhere;
    for (std::uint32_t at = home(tag); slots_[at].entry != nowhere; at = after(at)) {
      if (slots_[at].tag == tag && Equal{}(entries_[slots_[at].entry].first, key)) return at;
    }
    return nowhere;
  }
  template <class Q>
  [[nodiscard]] const V* value_of(const Q& key) const {
    const std::uint32_t at = slot_of(key, tag_of(key));
    return at == nowhere ? nullptr : &entries_[slots_[at].entry].second;
  }
  // Enough that at most half are taken.
  static std::size_t slots_for(std::size_t entries) noexcept { return std::bit_ceil(2 * entries); }
  void put(slot what) noexcept;
  void spread_over(std::size_t slots);
  bool remove(std::uint32_t at);

  std::vector<value_type> entries_;
  std::vector<slot> slots_;   // none, or a power of two
  std::uint32_t shift_ = 32;  // 32 - log2(slots)
};

// ------------------------------------------------------------------------ Implementation

template <class K, class V, class Hash, class Equal>
flat_hash_map<K, V, Hash, Equal>::flat_hash_map(const flat_hash_map& other, std::size_t more)
    : slots_(other.slots_), shift_(other.shift_) {
  entries_.reserve(other.size() + more);
  entries_.insert(entries_.end(), other.begin(), other.end());
  if (slots_for(other.size() + more) < slots_.size()) spread_over(slots_for(other.size() + more));
}

template <class K, class V, class Hash, class Equal>
void flat_hash_map<K, V, Hash, Equal>::put(slot what) noexcept {
  std::uint32_t at = home(what.tag);
  while (slots_[at].entry != nowhere) at = after(at);
  slots_[at] = what;
}

// From the tags: no key is hashed again.
template <class K, class V, class Hash, class Equal>
void flat_hash_map<K, V, Hash, Equal>::spread_over(std::size_t slots) {
  std::vector<slot> old(slots);
  old.swap(slots_);
  shift_ = 32 - static_cast<std::uint32_t>(std::countr_zero(slots));
  for (const slot each : old) {
    if (each.entry != nowhere) put(each);
  }
}

template <class K, class V, class Hash, class Equal>
bool flat_hash_map<K, V, Hash, Equal>::upsert(K key, V value) {
  const std::uint32_t tag = tag_of(key), at = slot_of(key, tag);
  if (at != nowhere) {
    entries_[slots_[at].entry].second = std::move(value);
    return false;
  }
  if (size() == std::size_t{1} << 31) throw std::length_error("acqrel::flat_hash_map: more than 2^31 entries");
  if (slots_.size() < slots_for(size() + 1)) spread_over(slots_for(size() + 1));
  entries_.emplace_back(std::move(key), std::move(value));
  put({tag, static_cast<std::uint32_t>(size() - 1)});
  return true;
}

template <class K, class V, class Hash, class Equal>
bool flat_hash_map<K, V, Hash, Equal>::remove(std::uint32_t hole) {
  if (hole == nowhere) return false;
  const std::uint32_t gone = slots_[hole].entry, last = static_cast<std::uint32_t>(size() - 1);
  if (gone != last) {  // the last entry fills the gap
    std::uint32_t at = home(tag_of(entries_[last].first));
    while (slots_[at].entry != last) at = after(at);
    entries_[gone] = std::move(entries_[last]);
    slots_[at].entry = gone;
  }
  entries_.pop_back();
  // Back into the hole comes whatever would be searched for across it.
  for (std::uint32_t at = after(hole); slots_[at].entry != nowhere; at = after(at)) {
    if (distance(home(slots_[at].tag), at) < distance(hole, at)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = slot{};
  return true;
}

}  // namespace acqrel
