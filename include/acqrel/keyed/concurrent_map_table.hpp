// acqrel/keyed/concurrent_map_table.hpp - entries, chains of them in buckets, and how buckets grow.
//
//   const std::uint32_t bucket = table.home(tag);                        // any thread
//   const hazard_protection held = hazard_protect(table.cell(bucket));   // the chain in it
//   if (table.exchange(tag, bucket, held.object, nullptr, fresh)) table.grow(tag);
//   hazard_release(held);
//
// Publishes  chains of nodes that do not change, each in a bucket's cell; and new buckets.
// Edges      a chain goes to its readers by hazard.publish. And
//            concurrent_map.grown   add_segment() -> mask()           the new buckets
//            concurrent_map.users   a node's end -> the last one's    every use of an entry, before its destructor
// Progress   cell() and home() wait-free: 28 steps at most. exchange() and split() hold one lock of 16 for the time that
//            a chain takes to be split, or less.
// Memory     1.6 kB, and 16 bytes for each bucket after the 16th, given back with the table.
// Threads    everything from any but destruction, which no call may overlap; chains may outlive the table.
// Errors     std::bad_alloc from exchange() and split(): nothing has changed. grow() and add_segment() do without.
// Cost       cell(): two loads. Bench concurrent_map/mixed.
// Model      tests/keyed/concurrent_map_model.cpp, every edge also weakened.
// Not for    application code: use concurrent_map.
//
// Buckets double: of buckets b and b + 2^k the second is split off from the first, at some time after there are 2^(k+1).
// Until then its entries are in the first. Split off, it is filled first and then the other cleared: who misses a key in
// one, and then finds the other split off, looks there. A bucket that is split off stays so. What is split off, or changed,
// has the lock of the tags' last four bits, so the two are never halfway. Iteration holds what is in a root, then what has
// been split off from it since; of a key that was in both, that in the later counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/reclaim/hazard.hpp>

#include <bit>
#include <memory>
#include <utility>
#include <vector>

namespace acqrel {

/// A link of a chain: an entry's own, or a copy of it. It has one reference while it is in a bucket, which who takes it out
/// retires; and one from each node whose `next` it is. value() is the entry's own node.
struct concurrent_map_node : hazard_object {
  constexpr concurrent_map_node(destroyer destroy, const void* entry, std::uint32_t spread_hash) noexcept
      : hazard_object(destroy, entry), tag(spread_hash) {}
  const std::uint32_t tag;              // the highest bit is set, but where there is no entry
  std::atomic<std::uint32_t> users{1};  // of an entry's own: itself, and its copies
  concurrent_map_node* next = nullptr;  // constant once published
};
static_assert(sizeof(concurrent_map_node) == 48);

/// An entry, with its own node. It lives as long as it has a node.
template <class K, class V>
struct concurrent_map_entry : concurrent_map_node {
  using node = concurrent_map_node;
  struct let_go {
    void operator()(concurrent_map_entry* e) const noexcept { e->drop_reference(); }
  };
  using made = std::unique_ptr<concurrent_map_entry, let_go>;  // in no bucket

  template <class Key>
  static made make(std::uint32_t tag, Key&& key, V&& value) {
    void* const memory = allocate();
    try {
      return made(::new (memory) concurrent_map_entry(tag, std::forward<Key>(key), std::move(value)));
    } catch (...) {
      free(memory);
      throw;
    }
  }
  static concurrent_map_entry* of(const node& link) noexcept {
    return static_cast<concurrent_map_entry*>(static_cast<node*>(const_cast<void*>(link.value())));
  }
  static void end_of_copy(hazard_object* object) noexcept {
    node* const self = static_cast<node*>(object);
    if (self->next != nullptr) self->next->drop_reference();
    of(*self)->leave();
    self->~node();
    hazard_free_node(self);
  }

  K key;
  V value;

 private:
  template <class Key>
  concurrent_map_entry(std::uint32_t spread_hash, Key&& k, V&& v)
      : node(&end, static_cast<node*>(this), spread_hash), key(std::forward<Key>(k)), value(std::move(v)) {}
  static void end(hazard_object* object) noexcept {
    concurrent_map_entry* const self = static_cast<concurrent_map_entry*>(object);
    if (self->next != nullptr) self->next->drop_reference();
    self->leave();
  }
  void leave() noexcept {
    // edge concurrent_map.users: acquire
    if (this->users.load(std::memory_order_acquire) != 1 &&
        // edge concurrent_map.users: acq_rel
        this->users.fetch_sub(1, std::memory_order_acq_rel) != 1) {
      return;
    }
    this->~concurrent_map_entry();
    free(this);
  }
  static void* allocate() {
    if constexpr (alignof(concurrent_map_entry) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
      return ::operator new (sizeof(concurrent_map_entry), std::align_val_t{alignof(concurrent_map_entry)});
    else if constexpr (sizeof(concurrent_map_entry) > hazard_node_size)
      return ::operator new(sizeof(concurrent_map_entry));
    else
      return hazard_allocate_node();
  }
  static void free(void* memory) noexcept {
    if constexpr (alignof(concurrent_map_entry) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
      ::operator delete (memory, std::align_val_t{alignof(concurrent_map_entry)});
    else if constexpr (sizeof(concurrent_map_entry) > hazard_node_size)
      ::operator delete(memory);
    else
      hazard_free_node(memory);
  }
};

/// What there is of a concurrent_map without keys and values: buckets, and how they grow.
class concurrent_map_table {
 public:
  using node = concurrent_map_node;
  static constexpr std::uint32_t first_buckets = 16;
  static node empty, unsplit;  // a bucket without entries; one whose entries still are where it comes from

  constexpr explicit concurrent_map_table(hazard_object::destroyer end_of_copy) noexcept : end_of_copy_(end_of_copy) {}
  concurrent_map_table(const concurrent_map_table&) = delete;
  concurrent_map_table& operator=(const concurrent_map_table&) = delete;
  ~concurrent_map_table();

  std::size_t size() const noexcept;
  std::uint32_t mask() const noexcept {
    // edge concurrent_map.grown: acquire
    return mask_.load(std::memory_order_acquire);
  }
  /// `bucket` is one that mask() has shown.
  hazard_packed_cell& cell(std::uint32_t bucket) const noexcept {
    const auto high = std::bit_width(bucket | (first_buckets - 1)) - 1;
    // plain: who has seen the mask sees the segment
    return segments_[high - 3].load(std::memory_order_relaxed)[bucket - ((1U << high) & ~(first_buckets - 1))];
  }
  /// The bucket that a tag's entry is in, if there is one. Whoever has seen it leave a bucket is told a later one.
  std::uint32_t home(std::uint32_t tag) const noexcept;
  /// Takes `taken` out of `bucket`, or null: nothing, and puts `fresh` in, or nothing. False, and nothing has changed: the
  /// bucket no longer holds `head`, or is no longer the tag's home. The caller protects `head`.
  [[nodiscard]] bool exchange(std::uint32_t tag, std::uint32_t bucket, hazard_object* head, node* taken, node* fresh);
  /// After an entry was added: more buckets if they are too few, and the next ones are split off.
  void grow(std::uint32_t tag) const noexcept;
  void add_segment() const noexcept;
  void split(std::uint32_t bucket) const;

 private:
  struct bucket_cell : hazard_packed_cell {
    constexpr explicit bucket_cell(node* held = &empty) noexcept : hazard_packed_cell(held) {}
  };
  struct alignas(64) stripe {
    fair_mutex mutex{};
    std::atomic<std::ptrdiff_t> entries{0};  // written under the mutex
  };
  class turn;
  node* copy(node* of, node* next) const;
  bool put_in_place(std::uint32_t tag, std::uint32_t bucket, const hazard_object* head, node* next,
                    std::ptrdiff_t more) noexcept;
  void split_off(std::uint32_t bucket) const;

  // Bucket b is in segment bit_width(b) - 4, the first 16 in segment 0. A segment stays where it is.
  mutable std::atomic<bucket_cell*> segments_[28] = {first_};
  mutable std::atomic<std::uint32_t> mask_{first_buckets - 1};
  const hazard_object::destroyer end_of_copy_;
  bucket_cell first_[first_buckets];
  // By the tag's last bits: its homes have one stripe, whatever grows, and under that mutex its home stays what it is.
  mutable stripe stripes_[first_buckets];
  mutable fair_mutex growing_{};
  mutable std::atomic<std::uint32_t> next_to_split_{first_buckets};
};

/// The buckets split off from a root, protected. Of all nodes in them those that count have each key once.
class concurrent_map_family {
 public:
  concurrent_map_family(const concurrent_map_table& table, std::uint32_t roots) noexcept
      : table_(table), roots_(roots) {}
  concurrent_map_family(const concurrent_map_family&) = delete;
  concurrent_map_family& operator=(const concurrent_map_family&) = delete;
  ~concurrent_map_family() { let_go(); }
  void hold(std::uint32_t root);
  template <class F>
  void for_each(F f) const {
    for (const member& one : members_) {
      for (const auto* n = static_cast<const concurrent_map_node*>(one.held.object); n != nullptr; n = n->next) {
        if (n->value() != nullptr && last_of(n->tag) == &one) f(*n);
      }
    }
  }

 private:
  struct member {
    std::uint32_t bucket, mask;
    hazard_protection held;
  };
  void add(std::uint32_t bucket, std::uint32_t mask);
  const member* last_of(std::uint32_t tag) const noexcept;
  void let_go() noexcept;

  const concurrent_map_table& table_;
  const std::uint32_t roots_;
  std::vector<member> members_{};  // each after the one it was split off from
};

}  // namespace acqrel
