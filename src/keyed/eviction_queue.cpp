// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/eviction_queue.hpp>

#include <bit>
#include <new>

namespace acqrel {

eviction_queue::~eviction_queue() {
  left out;
  while (small_.oldest != nullptr) put_out(*small_.oldest, out);
  while (main_.oldest != nullptr) put_out(*main_.oldest, out);
}

void eviction_queue::append(fifo& queue, node& one) noexcept {
  one.queue_ = &queue;
  one.older_ = queue.newest;
  one.newer_ = nullptr;
  (queue.newest != nullptr ? queue.newest->newer_ : queue.oldest) = &one;
  queue.newest = &one;
  queue.weight += one.weight_;
  ++queue.nodes;
}

void eviction_queue::unlink(node& one) noexcept {
  fifo& queue = *std::exchange(one.queue_, nullptr);
  (one.older_ != nullptr ? one.older_->newer_ : queue.oldest) = one.newer_;
  (one.newer_ != nullptr ? one.newer_->older_ : queue.newest) = one.older_;
  queue.weight -= one.weight_;
  --queue.nodes;
}

void eviction_queue::put_out(node& one, left& out) noexcept {
  unlink(one);
  std::swap(one.kept_, out.first_);  // now `out` keeps it, and it what left before
}

// False: it stays, with one use less.
bool eviction_queue::node::give_up(std::uint32_t used_too_little) noexcept {
  // plain: one word, whose order of changes decides: it is given up, or was pinned before
  std::uint32_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const bool stays = seen >= one_pin || (seen & uses) > used_too_little;
    const std::uint32_t next = !stays ? seen | evicted : (seen & uses) != 0 ? seen - 1 : seen;
    // edge eviction_queue.unpinned: acquire / relaxed
    if (word_.compare_exchange_weak(seen, next, std::memory_order_acquire, std::memory_order_relaxed)) return !stays;
  }
}

// Each use buys a node one round, so after four rounds only what is pinned is left.
bool eviction_queue::evict_one(left& out) noexcept {
  for (std::size_t steps = 4 * (small_.nodes + main_.nodes) + 1; steps != 0; --steps) {
    const bool from_small = small_.oldest != nullptr && (small_.weight >= small_share() || main_.oldest == nullptr);
    node* const oldest = from_small ? small_.oldest : main_.oldest;
    if (oldest == nullptr) return false;
    if (oldest->give_up(from_small ? 1 : 0)) {
      if (from_small) remember(oldest->tag_);
      put_out(*oldest, out);
      return true;
    }
    unlink(*oldest);
    append(main_, *oldest);
  }
  return false;
}

bool eviction_queue::enter(const std::shared_ptr<node>& entering, node* leaving, left& out,
                           steady_deadline now) noexcept {
  node& one = *entering;
  const std::lock_guard lock(mutex_);
  if (leaving != nullptr && leaving->queue_ != nullptr) put_out(*leaving, out);
  for (const fifo* queue : {&small_, &main_}) {
    while (queue->oldest != nullptr && queue->oldest->is_useless(now) && queue->oldest->give_up(node::uses))
      put_out(*queue->oldest, out);
  }
  if (one.weight_ > bound_) return false;
  const bool had_room = total() <= bound_ - one.weight_;
  while (total() > bound_ - one.weight_) {
    if (!evict_one(out)) return false;
  }
  one.kept_ = entering;
  append(recall(one.tag_) ? main_ : small_, one);
  while (had_room && small_.weight > small_share() && small_.oldest != &one) {
    node& oldest = *small_.oldest;
    unlink(oldest);
    append(main_, oldest);
  }
  return true;
}

void eviction_queue::remove(node& leaving, left& out) noexcept {
  const std::lock_guard lock(mutex_);
  if (leaving.queue_ != nullptr) put_out(leaving, out);
}

void eviction_queue::remove_useless(steady_deadline now, left& out) noexcept {
  const std::lock_guard lock(mutex_);
  for (const fifo* queue : {&small_, &main_}) {
    for (node* one = queue->oldest; one != nullptr;) {
      node& seen = *std::exchange(one, one->newer_);
      if (seen.is_useless(now) && seen.give_up(node::uses)) put_out(seen, out);
    }
  }
}

// As many as the main queue holds are remembered, so there are places enough for that.
void eviction_queue::remember(std::uint32_t tag) noexcept {
  if (evicted_.size() <= main_.nodes) {
    try {
      std::vector<memory> more(std::bit_ceil(2 * main_.nodes + 64));
      for (const memory& each : evicted_) more[each.tag & (more.size() - 1)] = each;
      evicted_ = std::move(more);
    } catch (const std::bad_alloc&) {
      if (evicted_.empty()) return;
    }
  }
  evicted_[tag & (evicted_.size() - 1)] = {tag, ++evictions_};
}

bool eviction_queue::recall(std::uint32_t tag) noexcept {
  if (evicted_.empty()) return false;
  memory& place = evicted_[tag & (evicted_.size() - 1)];
  return place.tag == tag && evictions_ - std::exchange(place.time, 0) < main_.nodes;
}

std::uint64_t eviction_queue::weight() const noexcept {
  const std::lock_guard lock(mutex_);
  return total();
}

std::size_t eviction_queue::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return small_.nodes + main_.nodes;
}

}  // namespace acqrel
