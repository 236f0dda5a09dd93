// Chains, and how buckets are split.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/concurrent_map_table.hpp>

#include "../reclaim/hazard_domain.hpp"

#include <iterator>
#include <new>
#include <utility>

namespace acqrel {

using node = concurrent_map_node;

constinit node concurrent_map_table::empty(nullptr, nullptr, 0);
constinit node concurrent_map_table::unsplit(nullptr, nullptr, 0);

namespace {

constexpr std::uint32_t most_buckets = 1U << 31;
constexpr int split_each_time = 8;  // so that all are, long before there are twice as many entries

std::uint32_t parent_of(std::uint32_t bucket) noexcept { return bucket - std::bit_floor(bucket); }

node* chain_in(hazard_object* held) noexcept {
  node* const first = static_cast<node*>(held);
  return first == &concurrent_map_table::empty ? nullptr : first;
}

hazard_object* held_as(node* first) noexcept { return first != nullptr ? first : &concurrent_map_table::empty; }

node* linked(node* next) noexcept {
  if (next != nullptr) next->add_reference();
  return next;
}

// Takes back what was made to stand before `after`, and never published.
void drop_until(node* first, const node* after) noexcept {
  while (first != after) {
    node* const next = first->next;
    first->drop_reference();
    first = next;
  }
}

void retire_until(node* first, const node* after) noexcept {
  while (first != after) {
    node* const next = first->next;
    hazard_retire_lazily(first);
    first = next;
  }
}

}  // namespace

// A stripe's lock. What dies meanwhile by this thread is destroyed after it, as a destructor may use the map.
class concurrent_map_table::turn {
 public:
  explicit turn(stripe& which) noexcept : deferred_(hazard_domain::defer_destroying()), mutex_(which.mutex) {
    mutex_.lock();
  }
  ~turn() {
    mutex_.unlock();
    hazard_domain::resume_destroying(deferred_);
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  hazard_record* const deferred_;
  fair_mutex& mutex_;
};

concurrent_map_table::~concurrent_map_table() {
  const std::uint32_t last = mask();
  for (std::uint32_t b = 0; b <= last; ++b) {
    // plain: exclusive access
    hazard_object* const held = cell(b).current.load(std::memory_order_relaxed);
    if (held != &unsplit) retire_until(chain_in(held), nullptr);
  }
  if (size() != 0) drain();
  for (std::size_t s = 1; s != std::size(segments_); ++s) {
    // plain: exclusive access
    ::operator delete (segments_[s].load(std::memory_order_relaxed), std::align_val_t{64});
  }
}

std::size_t concurrent_map_table::size() const noexcept {
  std::ptrdiff_t all = 0;
  for (const stripe& each : stripes_) {
    // plain: a number only
    all += each.entries.load(std::memory_order_relaxed);
  }
  return all < 0 ? 0 : static_cast<std::size_t>(all);
}

std::uint32_t concurrent_map_table::home(std::uint32_t tag) const noexcept {
  std::uint32_t bucket = tag & mask();
  // plain: who has seen a chain without what was split off sees that it was; nothing is read through the pointer
  while (cell(bucket).current.load(std::memory_order_relaxed) == &unsplit) bucket = parent_of(bucket);
  return bucket;
}

node* concurrent_map_table::copy(node* of, node* next) const {
  node* const link = ::new (hazard_allocate_node()) node(end_of_copy_, of->value(), of->tag);
  node* const own = static_cast<node*>(const_cast<void*>(of->value()));
  // plain: the chain that `of` is in keeps the entry
  own->users.fetch_add(1, std::memory_order_relaxed);
  link->next = linked(next);
  return link;
}

bool concurrent_map_table::exchange(std::uint32_t tag, std::uint32_t bucket, hazard_object* head, node* taken,
                                    node* fresh) {
  node* const first = chain_in(head);
  node* const after = taken != nullptr ? taken->next : first;
  node* next = after;
  if (taken != nullptr) {
    try {
      for (node* n = first; n != taken; n = n->next) next = copy(n, next);
    } catch (...) {
      drop_until(next, after);
      throw;
    }
  }
  if (fresh != nullptr) {
    fresh->next = linked(next);
    next = fresh;
  }
  if (put_in_place(tag, bucket, head, next, (fresh != nullptr) - (taken != nullptr))) {
    if (taken != nullptr) retire_until(first, after);
    return true;
  }
  if (fresh != nullptr) {
    next = std::exchange(fresh->next, nullptr);
    if (next != nullptr) next->drop_reference();
  }
  drop_until(next, after);
  return false;
}

bool concurrent_map_table::put_in_place(std::uint32_t tag, std::uint32_t bucket, const hazard_object* head, node* next,
                                        std::ptrdiff_t more) noexcept {
  stripe& mine = stripes_[tag % first_buckets];
  const turn held(mine);
  // plain: cells are written under the lock
  if (home(tag) != bucket || cell(bucket).current.load(std::memory_order_relaxed) != head) return false;
  (void)hazard_take(cell(bucket), held_as(next));
  // plain: written under the lock
  mine.entries.store(mine.entries.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  return true;
}

void concurrent_map_table::grow(std::uint32_t tag) const noexcept {
  const std::uint32_t last = mask();
  // plain: a claim is one word; what it is a claim to has been there since the mask
  std::uint32_t next = next_to_split_.load(std::memory_order_relaxed);
  if (next > last) {
    // The tag's share first: it is this thread's already.
    // plain: a number only
    const std::ptrdiff_t share = stripes_[tag % first_buckets].entries.load(std::memory_order_relaxed);
    if (share <= static_cast<std::ptrdiff_t>(last / first_buckets) || size() <= last + 1) return;
    add_segment();
  }
  for (int i = 0; i != split_each_time && next <= mask(); ++i) {
    // plain: as above
    if (!next_to_split_.compare_exchange_strong(next, next + 1, std::memory_order_relaxed, std::memory_order_relaxed))
      continue;
    try {
      split(next++);
    } catch (const std::bad_alloc&) {
      // it stays as it is: slower
    }
  }
}

void concurrent_map_table::add_segment() const noexcept {
  const std::uint32_t last = mask(), added = last + 1;
  if (added == most_buckets || !growing_.try_lock()) return;
  // plain: written under the lock
  if (last == mask_.load(std::memory_order_relaxed)) {
    void* const memory = ::operator new (added * sizeof(bucket_cell), std::align_val_t{64}, std::nothrow);
    if (memory != nullptr) {
      bucket_cell* const segment = static_cast<bucket_cell*>(memory);
      for (std::uint32_t i = 0; i != added; ++i) ::new (segment + i) bucket_cell(&unsplit);
      // plain: the mask publishes it
      segments_[std::bit_width(added) - 4].store(segment, std::memory_order_relaxed);
      // edge concurrent_map.grown: release
      mask_.store(last + added, std::memory_order_release);
    }
  }
  growing_.unlock();
}

void concurrent_map_table::split(std::uint32_t bucket) const {
  const auto waits = [this](std::uint32_t b) {
    // plain: a look; split_off() asks again under the lock
    return cell(b).current.load(std::memory_order_relaxed) == &unsplit;
  };
  while (waits(bucket)) {
    std::uint32_t first = bucket;
    while (waits(parent_of(first))) first = parent_of(first);
    split_off(first);
  }
}

void concurrent_map_table::split_off(std::uint32_t bucket) const {
  const auto goes = [bucket, mask = 2 * std::bit_floor(bucket) - 1](const node* n) {
    return (n->tag & mask) == bucket;
  };
  hazard_packed_cell &from = cell(parent_of(bucket)), &to = cell(bucket);
  node *first, *end;  // the longest end of which all go or all stay is left as it is
  {
    const turn held(stripes_[bucket % first_buckets]);
    // plain: cells are written under the lock
    if (to.current.load(std::memory_order_relaxed) != &unsplit) return;
    // plain: as above
    first = end = chain_in(from.current.load(std::memory_order_relaxed));
    for (node* n = first; n != nullptr; n = n->next) {
      if (goes(n) != goes(end)) end = n;
    }
    const bool end_goes = end != nullptr && goes(end);
    node *there = end_goes ? end : nullptr, *here = end_goes ? nullptr : end;
    try {
      for (node* n = first; n != end; n = n->next) {
        node*& side = goes(n) ? there : here;
        side = copy(n, side);
      }
    } catch (...) {
      drop_until(there, end_goes ? end : nullptr);
      drop_until(here, end_goes ? nullptr : end);
      throw;
    }
    (void)hazard_take(to, held_as(there));
    if (there != nullptr) (void)hazard_take(from, held_as(here));
  }
  retire_until(first, end);
}

void concurrent_map_family::hold(std::uint32_t root) {
  let_go();
  table_.split(root);
  add(root, roots_);
}

// What is in the bucket first, then what was split off: it may have been both times, and counts the second time.
void concurrent_map_family::add(std::uint32_t bucket, std::uint32_t mask) {
  members_.push_back({bucket, mask, {}});
  members_.back().held = hazard_protect(table_.cell(bucket));
  const std::uint32_t last = table_.mask();
  for (std::uint32_t more = mask + 1; more != 0 && more <= last; more *= 2) {
    const std::uint32_t child = bucket | more;
    // plain: as in home()
    if (table_.cell(child).current.load(std::memory_order_relaxed) != &concurrent_map_table::unsplit)
      add(child, 2 * more - 1);
  }
}

const concurrent_map_family::member* concurrent_map_family::last_of(std::uint32_t tag) const noexcept {
  const member* last = nullptr;
  for (const member& one : members_) {
    if ((tag & one.mask) == one.bucket && (last == nullptr || last->mask < one.mask)) last = &one;
  }
  return last;
}

void concurrent_map_family::let_go() noexcept {
  for (const member& one : members_) hazard_release(one.held);
  members_.clear();
}

}  // namespace acqrel
