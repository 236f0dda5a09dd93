// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/object_pool.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>

namespace acqrel {

namespace {

constexpr unsigned index_bits = 24;
constexpr std::uint64_t index_mask = (std::uint64_t{1} << index_bits) - 1;

// Of a thread that has none: no pool has its name.
constinit object_pool_cache no_cache;
constinit object_pool_cache* no_caches[1] = {&no_cache};

}  // namespace

constinit thread_local object_pool_thread object_pool_this_thread [[gnu::tls_model("initial-exec")]] = {no_caches, 0};

/// All pools, and the caches of each. Under the lock: which pools there are, whose caches are whose, and whether a pool has
/// ended. A lock of a pool may be taken under it, and nothing else is done there.
struct [[gnu::visibility("hidden")]] object_pools {
  static constinit std::mutex mutex;
  static constinit object_pool_core* first;  // by index
  static constinit std::uint64_t names;      // ever given

  static void name(object_pool_core & pool);
  static void leave(void*) noexcept;
  static void give_back(object_pool_cache & cache) noexcept;
  static pthread_key_t make_key() noexcept;
};
constinit std::mutex object_pools::mutex;
constinit object_pool_core* object_pools::first = nullptr;
constinit std::uint64_t object_pools::names = 0;

/// Objects to be destroyed when no lock is held.
struct object_pool_core::doomed {
  void add(std::uintptr_t object) noexcept { objects[count++] = object & ~object_pool_cache::noted; }
  bool is_full() const noexcept { return count == 2 * object_pool_cache::most; }
  std::uint32_t count = 0;
  std::uintptr_t objects[2 * object_pool_cache::most];
};

void object_pool_core::destroy(const doomed& all) noexcept {
  for (std::uint32_t i = 0; i != all.count; ++i) discard(reinterpret_cast<void*>(all.objects[i]));
}

void object_pool_core::discard(void* object) noexcept {
  destroy_(object);
  // plain: a statistic
  destroyed_.fetch_add(1, std::memory_order_relaxed);
}

void object_pool_core::count_made() noexcept {
  // plain: a statistic
  made_.fetch_add(1, std::memory_order_relaxed);
}

void object_pool_core::count_failed_reset() noexcept {
  // plain: a statistic
  failed_resets_.fetch_add(1, std::memory_order_relaxed);
}

// ---- time

steady_deadline::rep object_pool_core::now() const noexcept {
  if (idle_ == std::chrono::nanoseconds::max().count()) return 0;
  return (time_ != nullptr ? time_->now() : std::chrono::steady_clock::now()).time_since_epoch().count();
}

bool object_pool_core::is_old(steady_deadline::rep since, steady_deadline::rep now) const noexcept {
  if (idle_ == std::chrono::nanoseconds::max().count() || now < since) return false;
  return static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(since) >= static_cast<std::uint64_t>(idle_);
}

// What was noted and not taken since lies first.
void object_pool_core::look(object_pool_cache& mine, steady_deadline::rep now, doomed& old) noexcept {
  if (idle_ == std::chrono::nanoseconds::max().count()) return;
  // plain: this thread's
  const std::uint32_t count = mine.count.load(std::memory_order_relaxed);
  std::uint32_t noted = 0;
  while (noted != count && (mine.objects[noted] & object_pool_cache::noted) != 0) ++noted;
  if (noted != 0 && !is_old(mine.noted_at, now)) return;
  for (std::uint32_t i = 0; i != noted; ++i) old.add(mine.objects[i]);
  for (std::uint32_t i = noted; i != count; ++i) mine.objects[i - noted] = mine.objects[i] | object_pool_cache::noted;
  mine.noted_at = now;
  // plain: this thread's; others only count
  mine.count.store(count - noted, std::memory_order_relaxed);
}

// ---- what all share

std::uintptr_t object_pool_core::take_first() noexcept {
  const std::uintptr_t object = ring_[first_].object;
  if (++first_ == shared_) first_ = 0;
  --size_;
  return object;
}

void object_pool_core::take_old(steady_deadline::rep now, std::uint32_t most, doomed& old) noexcept {
  for (; most != 0 && size_ != 0 && is_old(ring_[first_].since, now); --most) old.add(take_first());
}

// Those for which there is no room are destroyed. `objects`: at most a cache's.
void object_pool_core::give(const std::uintptr_t* objects, std::uint32_t count) noexcept {
  doomed rest;
  const auto since = now();
  {
    const std::lock_guard lock(mutex_);
    take_old(since, 8, rest);
    for (std::uint32_t i = 0; i != count; ++i) {
      if (ring_ == nullptr || size_ == shared_) {
        rest.add(objects[i]);
        continue;
      }
      const std::size_t end = first_ + size_++;
      ring_[end < shared_ ? end : end - shared_] = {objects[i] & ~object_pool_cache::noted, since};
    }
  }
  destroy(rest);
}

void* object_pool_core::take() {
  object_pool_cache& mine = enter();
  std::uintptr_t found[object_pool_cache::most];
  std::uint32_t count = 0;
  doomed old;
  const auto at = now();
  {
    const std::lock_guard lock(mutex_);
    take_old(at, 8, old);
    for (; size_ != 0 && count != std::max(per_thread_ / 2, 1u); ++count) {
      const std::size_t last = first_ + --size_;
      found[count] = ring_[last < shared_ ? last : last - shared_].object;
    }
  }
  // This thread has none: it came here because of that. The newest are to be taken first.
  for (std::uint32_t i = 1; i < count; ++i) mine.objects[i - 1] = found[count - i];
  // plain: this thread's; others only count
  if (count > 1) mine.count.store(count - 1, std::memory_order_relaxed);
  destroy(old);
  return count != 0 ? reinterpret_cast<void*>(found[0]) : nullptr;
}

void object_pool_core::put(void* object) noexcept {
  const auto as_word = reinterpret_cast<std::uintptr_t>(object);
  object_pool_cache* mine = nullptr;
  try {
    mine = &enter();
  } catch (const std::exception&) {
    // No memory for what this thread would keep: it keeps nothing.
  }
  if (mine == nullptr || per_thread_ == 0) return give(&as_word, 1);
  doomed old;
  std::uintptr_t given[object_pool_cache::most];
  std::uint32_t giving = 0;
  // plain: this thread's
  std::uint32_t count = mine->count.load(std::memory_order_relaxed);
  // plain: as above; trim() asks for a look, which is taken below
  if (mine->limit.exchange(per_thread_, std::memory_order_relaxed) == 0 || count == per_thread_) {
    look(*mine, now(), old);
    // plain: this thread's
    count = mine->count.load(std::memory_order_relaxed);
  }
  if (count == per_thread_) {  // the older half
    giving = std::max(per_thread_ / 2, 1u);
    std::copy_n(mine->objects, giving, given);
    std::copy(mine->objects + giving, mine->objects + count, mine->objects);
    count -= giving;
  }
  mine->objects[count] = as_word;
  // plain: this thread's; others only count
  mine->count.store(count + 1, std::memory_order_relaxed);
  if (giving != 0) give(given, giving);
  destroy(old);
}

std::size_t object_pool_core::trim() noexcept {
  if (idle_ == std::chrono::nanoseconds::max().count() || name() == 0) return 0;
  object_pool_cache& mine = this_threads();
  const auto at = now();
  {
    const std::lock_guard lock(object_pools::mutex);
    for (object_pool_cache* each = caches_; each != nullptr; each = each->next) {
      // plain: a number; the thread does the rest itself
      if (each != &mine) each->limit.store(0, std::memory_order_relaxed);
    }
  }
  std::size_t total = 0;
  doomed old;
  if (mine.name == name()) look(mine, at, old);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      take_old(at, object_pool_cache::most, old);
    }
    if (old.count == 0) return total;
    destroy(old);
    total += std::exchange(old.count, 0);
  }
}

object_pool_counts object_pool_core::counts() const noexcept {
  std::uint64_t cached = 0;
  const std::lock_guard lock(object_pools::mutex);
  for (const object_pool_cache* each = caches_; each != nullptr; each = each->next) {
    // plain: a statistic
    cached += each->count.load(std::memory_order_relaxed);
  }
  const std::lock_guard shared(mutex_);
  // plain: statistics
  return {made_.load(std::memory_order_relaxed), destroyed_.load(std::memory_order_relaxed), cached + size_,
          failed_resets_.load(std::memory_order_relaxed)};
}

// ---- which threads, which pools

// The lowest index that is free, so that tables stay short; and a name that no pool had.
void object_pools::name(object_pool_core& pool) {
  const std::lock_guard lock(mutex);
  if (pool.name() != 0) return;
  std::uint64_t index = 0;
  object_pool_core** at = &first;
  for (; *at != nullptr && ((*at)->name() & index_mask) == index; at = &(*at)->next_) ++index;
  if (index > index_mask) throw std::length_error("acqrel: object_pool: there are 2^24 pools; end some");
  pool.next_ = *at;
  *at = &pool;
  // plain: who reads another thread's name finds no cache of its own, and comes here
  pool.name_.store(++names << index_bits | index, std::memory_order_relaxed);
}

// This thread's cache; makes what is not there.
object_pool_cache& object_pool_core::enter() {
  object_pool_thread& thread = object_pool_this_thread;
  if (this_threads().name == name()) return this_threads();
  static const pthread_key_t key = object_pools::make_key();
  if (name() == 0) {
    std::unique_ptr<entry[]> ring;
    if (shared_ != 0) ring.reset(new entry[shared_]);
    const std::lock_guard lock(mutex_);
    if (ring_ == nullptr) ring_ = std::move(ring);
  }
  object_pools::name(*this);
  const std::uint64_t index = name() & index_mask;
  if (index > thread.mask || thread.caches == no_caches) {
    const std::uint64_t size = std::bit_ceil(index + 1);
    object_pool_cache** const grown = new object_pool_cache*[size];
    std::fill_n(std::copy_n(thread.caches, thread.mask + 1, grown), size - thread.mask - 1, &no_cache);
    if (thread.caches != no_caches) delete[] thread.caches;
    thread = {grown, size - 1};
    pthread_setspecific(key, grown);
  }
  object_pool_cache*& mine = thread.caches[index];
  if (mine == &no_cache) mine = new object_pool_cache;
  // A pool of this index that ended has let go of it.
  mine->name = name();
  // plain: this thread's
  mine->count.store(0, std::memory_order_relaxed);
  // plain: nobody knows of it yet
  mine->limit.store(per_thread_, std::memory_order_relaxed);
  const std::lock_guard lock(object_pools::mutex);
  mine->core = this;
  mine->next = std::exchange(caches_, mine);
  return *mine;
}

pthread_key_t object_pools::make_key() noexcept {
  pthread_key_t key;
  if (pthread_key_create(&key, leave) != 0) {
    std::fputs("acqrel: object_pool: no thread-specific key left for this process\n", stderr);
    std::abort();
  }
  return key;
}

// The end of a thread, after the destructors of its thread_local objects. Who comes later still begins again, and so does this.
void object_pools::leave(void*) noexcept {
  const object_pool_thread left = std::exchange(object_pool_this_thread, {no_caches, 0});
  for (std::uint64_t i = 0; i <= left.mask; ++i) {
    if (left.caches[i] == &no_cache) continue;
    give_back(*left.caches[i]);
    delete left.caches[i];
  }
  delete[] left.caches;
}

// A pool that sees the thread leave waits for it: its functions are used and its objects destroyed.
void object_pools::give_back(object_pool_cache& cache) noexcept {
  std::uint32_t count;
  object_pool_core* pool;
  {
    const std::lock_guard lock(mutex);
    pool = cache.core;
    if (pool == nullptr) return;
    object_pool_cache** at = &pool->caches_;
    while (*at != &cache) at = &(*at)->next;
    *at = cache.next;
    // plain: this thread's, or taken by close() before the lock was
    count = cache.count.load(std::memory_order_relaxed);
    if (count == 0) return;
    pool->leaving_.change([](std::uint64_t threads) { return threads + 1; }, [](std::uint64_t) { return false; });
  }
  pool->give(cache.objects, count);
  pool->leaving_.change([](std::uint64_t threads) { return threads - 1; });
}

// What destructors of objects return meanwhile is destroyed as well.
void object_pool_core::close() noexcept {
  if (name() == 0) return;
  for (bool ended = false; !ended;) {
    doomed idle;
    {
      const std::lock_guard lock(object_pools::mutex);
      for (object_pool_cache* each = caches_; each != nullptr && idle.count == 0; each = each->next) {
        // plain: nobody uses the pool
        const auto count = each->count.exchange(0, std::memory_order_relaxed);
        for (std::uint32_t i = 0; i != count; ++i) idle.add(each->objects[i]);
      }
      const std::lock_guard shared(mutex_);
      while (size_ != 0 && !idle.is_full()) idle.add(take_first());
      if (idle.count == 0 && leaving_.value() == 0) {
        for (object_pool_cache* each = caches_; each != nullptr; each = each->next) each->core = nullptr;
        object_pool_core** at = &object_pools::first;
        while (*at != this) at = &(*at)->next_;
        *at = next_;
        ended = true;
      }
    }
    if (idle.count == 0 && !ended) (void)leaving_.await(patience(), [](std::uint64_t threads) { return threads == 0; });
    destroy(idle);
  }
  // plain: nobody uses the pool
  const auto out = made_.load(std::memory_order_relaxed) - destroyed_.load(std::memory_order_relaxed);
  if (out != 0) {
    std::fprintf(stderr,
                 "acqrel: object_pool: it ends while %llu of its objects are out; return every pooled<T> before\n",
                 static_cast<unsigned long long>(out));
    std::abort();
  }
}

}  // namespace acqrel
