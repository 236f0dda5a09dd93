// acqrel/keyed/resource_pool.hpp - connections and their like, made when wanted, lent to one at a time, kept for the next.
//
//   acqrel::resource_pool<std::string, connection> pool(dial, {.most_per_key = 4, .idle_for = 30s, .healthy = still_open});
//   auto link = pool.acquire_for(host, 100ms);                   // an idle one; else dials; else waits for its turn
//   if (!link) return busy();                                    // the time was up, or the pool is closed
//   if (!link->ask(question)) return link.mark_broken(), lost(); // nobody gets this one again
//   return done();                                               // the brace gives it back
//
// Publishes  what the holder of a resource wrote, to its next holder.
// Edges      none of its own: a mutex, and channel.settled for who waited.
// Progress   blocking. One mutex is held for a few instructions, also the hash and the equality of K, which must not throw;
//            never while a resource is dialled, checked or destroyed, or a thread woken. So no key waits for another's.
// Memory     of a key: a node while it has a resource, a waiter, or a failure to remember. A resource: an allocation.
// Threads    all from any; a lease is its holder's. close() fails who waits or dials, and all who come later. So does the
//            destructor, which others must not call into any more; leases may outlive the pool, and then destroy what
//            they have. What is idle is looked at when its key is asked for, or by drop_expired(): call it from a timer.
// Errors     What dial() throws reaches the caller for whom it ran, unless he had given up, and nobody else: the next
//            dials anew, but not before `backoff` has passed; until then it is thrown again. What healthy() throws
//            passes, and the resource is gone. std::bad_alloc. std::invalid_argument for a maximum of 0 or a negative time.
// Cost       a lock and a look in a hash map to acquire, a lock to give back. Bench resource_pool/lease.
// Model      tests/keyed/resource_pool_model.cpp.
// Not for    what several may use at once (snapshot_source, or a cache), or objects that are alike (object_pool).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>
#include <acqrel/handoff/channel.hpp>
#include <acqrel/publish/flat_hash_map.hpp>
#include <acqrel/signal/cancel.hpp>

#include <functional>
#include <mutex>
#include <unordered_map>

namespace acqrel {

/// Of a resource_pool, what knows neither K nor R. For resource_pool.
class resource_pool_core {
 public:
  using backoff = std::chrono::nanoseconds (*)(std::uint32_t failures) noexcept;
  struct counts {
    std::size_t open = 0;  ///< all there are, those that are being dialled or destroyed among them
    std::size_t idle = 0;
    std::size_t waiting = 0;  ///< callers
  };
  struct home;
  struct slot {
    explicit slot(home& of) noexcept : key(of) {}
    home& key;
    slot* below = nullptr;         // the next that is idle, or is to be destroyed
    steady_deadline idle_since{};  // if idle ones expire
    bool broken = false;
  };
  struct waiter;
  // What is known of a key. Whoever has one of its resources, or a place for one, is counted in `open`. Who is not, nor in
  // `waiting`, may refer to it under the mutex only.
  struct home {
    explicit home(resource_pool_core& of) noexcept : pool(of) {}
    resource_pool_core& pool;
    std::size_t open = 0, idle = 0, waiting = 0;
    slot* top = nullptr;                       // of the idle ones, the last that was given back
    waiter *first = nullptr, *last = nullptr;  // only while the maximum is open and none is idle
    std::uint32_t failures = 0;                // in a row, counted for the back-off
    steady_deadline dials_from{};              // if there were some
    std::exception_ptr error;                  // thrown until then
    home *next = nullptr, *previous = nullptr, *next_unused = nullptr;
  };

  resource_pool_core(const resource_pool_core&) = delete;
  resource_pool_core& operator=(const resource_pool_core&) = delete;
  static void give_back(slot& one) noexcept;
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;
  void drop_expired() noexcept;
  [[nodiscard]] counts count() const noexcept;

 protected:
  using held = std::unique_lock<std::mutex>;

  resource_pool_core(std::size_t most, std::chrono::nanoseconds idle_for, backoff wait, time_source& time);
  virtual ~resource_pool_core() = default;
  void adopt(home& added) noexcept;
  [[nodiscard]] slot* take(held lock, home& key, const patience& how_long, bool dials);
  void abandon() noexcept;  // closes; dies with the last lease

  // These are called without the mutex.
  virtual slot* dial(home& key, std::stop_token stop) = 0;
  virtual bool is_healthy(slot& one) = 0;
  virtual void destroy(slot& one) noexcept = 0;
  // Called with it: nothing refers to `key` any more.
  virtual void forget(held lock, home& key) noexcept = 0;

  mutable std::mutex mutex_;  // guards all homes, and closed_ and abandoned_

 private:
  class place;
  [[nodiscard]] bool expired(const slot& one, steady_deadline now) const noexcept;
  [[nodiscard]] bool is_fit(slot& one);
  [[nodiscard]] slot* fill(home& key, const patience& how_long);
  void note_failure(home& key) noexcept;
  void free_place(home& key) noexcept;
  void leave(held lock, home& key) noexcept;
  void end(slot* dead, home* unused) noexcept;

  home* homes_ = nullptr;
  bool closed_ = false, abandoned_ = false;
  const std::size_t most_;
  const std::chrono::nanoseconds idle_for_;  // max(): for ever
  const backoff backoff_;
  time_source& time_;
  const cancel_source closing_;
};

template <class K, class R, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class resource_pool {
  static_assert(std::is_nothrow_destructible_v<R>, "resource_pool<K, R>: the destructor of R must not throw");
  class state;
  struct entry;

 public:
  using counts = resource_pool_core::counts;
  struct options {
    /// How many of one key there may be at a time.
    std::size_t most_per_key = 8;
    /// How long one may be idle and still be lent again.
    std::chrono::nanoseconds idle_for = std::chrono::nanoseconds::max();
    /// Asked of a resource that was lent before, on the thread that is about to get it; false: it is destroyed.
    std::function<bool(R&)> healthy = {};
    /// How long after a failed dial the next of that key may begin, by how many have failed in a row. None: at once.
    resource_pool_core::backoff backoff = nullptr;
    /// Of idle_for and backoff; it must outlive the pool and all leases.
    time_source& time = time_source::steady();
  };

  /// A resource that is its holder's alone until the lease ends. Empty: nothing was to be had.
  class [[nodiscard("look whether it is empty; destroyed, it gives the resource back")]] lease {
   public:
    lease() noexcept = default;
    lease(lease && other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    lease& operator=(lease&& other) noexcept {
      lease(std::move(other)).swap(*this);
      return *this;
    }
    ~lease() { reset(); }
    explicit operator bool() const noexcept { return entry_ != nullptr; }
    R& operator*() const noexcept { return entry_->resource; }
    R* operator->() const noexcept { return std::addressof(entry_->resource); }
    /// It will be destroyed, not lent again.
    void mark_broken() noexcept { entry_->broken = true; }
    /// Gives it back now.
    void reset() noexcept {
      if (entry* const mine = std::exchange(entry_, nullptr)) resource_pool_core::give_back(*mine);
    }
    void swap(lease & other) noexcept { std::swap(entry_, other.entry_); }

   private:
    friend class state;
    explicit lease(entry * one) noexcept : entry_(one) {}
    entry* entry_ = nullptr;
  };

  /// `dial(const K&, std::stop_token)` returns an R. It runs on the thread of who needs one; the token is requested when
  /// that caller's patience runs out, or the pool is closed.
  template <class Dial>
  explicit resource_pool(Dial dial) : resource_pool(std::move(dial), options()) {}
  template <class Dial>
  resource_pool(Dial dial, options how)
      : state_(new state([dial = std::make_shared<Dial>(std::move(dial))](
                             const K& key, std::stop_token stop) -> R { return (*dial)(key, std::move(stop)); },
                         std::move(how))) {}
  resource_pool(const resource_pool&) = delete;  // leases know where they come from
  resource_pool& operator=(const resource_pool&) = delete;
  ~resource_pool() { state_->abandon(); }

  /// One that is idle; if there is none, and fewer than the maximum, dials; else waits, served in the order of the calls.
  /// Empty: patience ran out, or the pool is closed.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  lease acquire(const Q& key, const patience& how_long) {
    return state_->take(key, how_long, true);
  }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  lease acquire(const Q& key, const std::stop_token& stop = {}) {
    return acquire(key, patience(stop));
  }
  template <flat_hash_key<K, Hash, Equal> Q = K, class Rep, class Period>
  lease acquire_for(const Q& key, std::chrono::duration<Rep, Period> time, const std::stop_token& stop = {}) {
    return acquire(key, patience(deadline_after(time), stop));
  }
  template <flat_hash_key<K, Hash, Equal> Q = K, class Duration>
  lease acquire_until(const Q& key, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                      const std::stop_token& stop = {}) {
    return acquire(key, patience(to_deadline(deadline), stop));
  }
  /// One that is idle, or none: neither dials nor waits.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  lease try_acquire(const Q& key) {
    return state_->take(key, patience(), false);
  }

  /// Destroys what is idle, and asks those who dial to stop; what is out is destroyed when its lease ends. Again: nothing.
  void close() noexcept { state_->close(); }
  [[nodiscard]] bool closed() const noexcept { return state_->closed(); }
  /// Destroys what has been idle too long, and forgets failures whose back-off has passed.
  void drop_expired() noexcept { state_->drop_expired(); }

  [[nodiscard]] counts count() const noexcept { return state_->count(); }
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] counts count(const Q& key) const noexcept {
    return state_->count(key);
  }

 private:
  state* const state_;  // it dies with the last lease
};

// ---- Implementation ------------------------------------------------------------------------------------------------

template <class K, class R, class Hash, class Equal>
struct resource_pool<K, R, Hash, Equal>::entry final : resource_pool_core::slot {
  template <class Dial>
  entry(resource_pool_core::home& of, Dial dial) : slot(of), resource(dial()) {}
  R resource;
};

template <class K, class R, class Hash, class Equal>
class resource_pool<K, R, Hash, Equal>::state final : public resource_pool_core {
 public:
  using dial_function = std::function<R(const K&, std::stop_token)>;
  state(dial_function dial, options how)
      : resource_pool_core(how.most_per_key, how.idle_for, how.backoff, how.time),
        dial_(std::move(dial)),
        healthy_(std::move(how.healthy)) {}
  using resource_pool_core::abandon, resource_pool_core::count;

  template <class Q>
  lease take(const Q& asked, const patience& how_long, bool dials) {
    map made;
    held lock(mutex_);
    auto at = find(asked);
    if (at == keys_.end()) {
      if (!dials) return lease();
      lock.unlock();
      made.try_emplace(K(asked), *this);
      auto node = made.extract(made.begin());
      lock.lock();
      auto added = keys_.insert(std::move(node));
      at = added.position;
      if (added.inserted) {
        at->second.name = &at->first;
        adopt(at->second);
      }
      made.insert(std::move(added.node));  // who came second destroys it without the lock
    }
    return lease(static_cast<entry*>(resource_pool_core::take(std::move(lock), at->second, how_long, dials)));
  }
  template <class Q>
  counts count(const Q& asked) {
    const held lock(mutex_);
    const auto at = find(asked);
    return at == keys_.end() ? counts() : counts{at->second.open, at->second.idle, at->second.waiting};
  }

 private:
  struct named : home {
    using home::home;
    const K* name = nullptr;
  };
  using map = std::unordered_map<K, named, Hash, Equal>;

  template <class Q>
  auto find(const Q& asked) {
    if constexpr (flat_hash_transparent<Hash, Equal>)
      return keys_.find(asked);
    else
      return keys_.find(static_cast<const K&>(asked));
  }
  slot* dial(home& key, std::stop_token stop) override {
    return new entry(key, [&]() -> R { return dial_(*static_cast<named&>(key).name, std::move(stop)); });
  }
  bool is_healthy(slot& one) override { return !healthy_ || healthy_(static_cast<entry&>(one).resource); }
  void destroy(slot& one) noexcept override { delete static_cast<entry*>(&one); }
  void forget(held lock, home& key) noexcept override {
    const auto node = keys_.extract(*static_cast<named&>(key).name);
    lock.unlock();  // then it is destroyed
  }

  map keys_;
  const dial_function dial_;
  const std::function<bool(R&)> healthy_;
};

}  // namespace acqrel
