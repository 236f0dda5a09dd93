// acqrel/keyed/single_flight.hpp - many callers want the same at one time: it is done once, and all get the result.
//
//   acqrel::single_flight<std::string, page> fetches;
//   auto got = fetches.run(url, fetch);                            // any thread: fetch(url), or the one under way
//   show(*got.value, got.shared);                                  // or it threw what fetch threw, in every caller
//   got = fetches.run_for(url, 50ms, [](const std::string& from, std::stop_token stop) { return fetch_until(from, stop); });
//   if (!got) return show_old();                                   // not within 50 ms; others wait on
//
// Publishes  the value or the exception, and all that the work wrote, to everyone who waited for it.
// Edges      single_flight.landed   the work's end -> run()   its value, its exception
// Progress   blocking. The first caller runs the work, with nothing locked, or hands it to the executor; the others wait for
//            its end. Keys wait for each other no longer than a lock is held to find one.
// Memory     one allocation a flight: key, value and some 120 bytes, for as long as somebody has the value. 16 to 32 bytes
//            for each key that was ever under way at one time.
// Threads    all from any. With an executor ~single_flight waits for the jobs that it still has; no call may overlap it.
// Errors     the work's exception, the same object, reaches all who waited: do not write to it. Nothing is kept: the next
//            caller runs work anew. Who waits for itself throws std::logic_error: the work for its own key, or threads
//            that in turn wait for each other's. Unseen are waits of other kinds, and jobs that wait for one still queued. A
//            job that the executor destroys unrun throws flight_dropped in all who wait; what the executor throws, in the
//            first caller. bad_alloc, and what K, the hash or the equality throws: nothing has begun.
// Cost       a fresh key: one allocation, two locks, and the work. Bench single_flight/fresh_key.
// Model      tests/keyed/single_flight_model.cpp, the edge also weakened.
// Not for    results to be kept (keyed_once, loading_cache), or one thing without a key (publish/retry_once).
//
// Who leaves: a caller whose patience runs out returns nothing, and the work goes on for the others. When the last has left,
// work that takes a stop_token is asked to stop, and who comes later starts afresh; work that takes none goes on, and who
// comes later joins it. The caller on whose thread the work runs cannot return, but has left likewise.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable_word.hpp>
#include <acqrel/publish/flat_hash_map.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <type_traits>

namespace acqrel {

/// What waiters get in place of a result when the work was destroyed without an end.
struct flight_dropped : std::runtime_error {
  flight_dropped();
};

/// What is the same for all single_flights.
class flights {
 protected:
  /// One execution.
  class flight {
   public:
    [[nodiscard]] bool has_landed() const noexcept {
      // edge single_flight.landed: acquire
      return (state_.load(std::memory_order_acquire) & landed) != 0;
    }

    const std::size_t hash;
    std::exception_ptr error;  // before it lands; null beside no value: dropped
    bool shared = false;       // the flights' mutex; not changed once unlisted

   protected:
    explicit flight(std::size_t key_hash) noexcept : hash(key_hash) {}
    ~flight() = default;

   private:
    friend class flights;
    static constexpr std::uint32_t landed = 1, has_waiters = 2;
    bool await(const patience& how_long) {
      return how_long.await(state_, has_waiters, [this] { return has_landed(); });
    }

    park_word state_{0};
    bool listed_ = false;                      // the mutex, and so for the next two
    std::uint32_t callers_ = 1;                // who have not left; of no interest once it has landed
    std::shared_ptr<flight> next_;             // in its list
    std::stop_source stop_{std::nostopstate};  // by the first caller, before it can leave; read by the last who leaves
    std::atomic<const void*> runs_on_{nullptr};  // the thread that runs it
  };

  /// The duty to end the flight, whatever happens.
  struct lander {
    flights* home;
    void operator()(flight* it) const noexcept { home->land(*it); }
  };
  using landing = std::unique_ptr<flight, lander>;

  /// Work on its way to an executor; counted as long as it lives.
  struct job {
    explicit job(flights& where) noexcept;
    job(const job&) = delete;
    virtual ~job();
    virtual void fly() = 0;
    flights& home;
  };

  constexpr flights() noexcept = default;
  ~flights() = default;

  /// Of the key for which `same` holds; null if there is none. Under the mutex.
  template <class Same>
  const std::shared_ptr<flight>* find(std::size_t hash, Same same) const {
    if (lists_.empty()) return nullptr;
    for (const auto* at = &lists_[list_of(hash)]; *at != nullptr; at = &(*at)->next_) {
      if ((*at)->hash == hash && same(**at)) return at;
    }
    return nullptr;
  }
  void list(const std::shared_ptr<flight>& it);
  [[nodiscard]] std::shared_ptr<flight> unlist(flight& it) noexcept;
  static void join(flight& it) noexcept;
  static void make_stoppable(flight& it) { it.stop_ = std::stop_source(); }
  static std::stop_token stop_of(const flight& it) noexcept { return it.stop_.get_token(); }
  static bool runs_here(const flight& it) noexcept;
  /// body(of), as what this thread runs; its exception is kept.
  static void fly(flight& it, const void* of, void (*body)(const void* of));
  void wait_for_jobs() const noexcept;
  /// Leaves the flight in place of a caller whose thread is busy with it, for as long as the result lives.
  [[nodiscard]] std::shared_ptr<void> watch(const std::shared_ptr<flight>& it, const patience& how_long);
  /// False: patience ran out, and the caller has left.
  [[nodiscard]] bool wait(flight& it, const patience& how_long);
  void land(flight& it) noexcept;

  mutable std::mutex mutex_;  // held for a few steps; of the user's code only the equality of keys runs under it

 private:
  friend class flight_job;
  [[nodiscard]] bool wait_nested(flight& it, const patience& how_long);
  void leave(flight& it) noexcept;
  [[nodiscard]] std::size_t list_of(std::size_t hash) const noexcept {
    return static_cast<std::size_t>((std::uint64_t{hash} * 0x9E3779B97F4A7C15) >> 32) & (lists_.size() - 1);
  }

  std::vector<std::shared_ptr<flight>> lists_;  // none, or a power of two
  std::size_t listed_ = 0;
  waitable_word jobs_;  // that the executor has
};

/// What an executor is given: to be called once, on any thread. Destroyed without, it ends the wait for it with flight_dropped.
class flight_job {
 public:
  void operator()() {
    if (const auto job = std::move(job_)) job->fly();
  }

 private:
  template <class K, class V, class Hash, class Equal>
  friend class single_flight;
  explicit flight_job(std::unique_ptr<flights::job> job) noexcept : job_(std::move(job)) {}
  std::unique_ptr<flights::job> job_;
};

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class single_flight : private flights {
  static_assert(std::is_object_v<V>, "the work makes a value: std::monostate if there is none to make");

 public:
  /// What a call comes to.
  struct outcome {
    std::shared_ptr<const V> value;  // null: patience ran out first
    bool shared = false;             // others get, or got, the same
    explicit operator bool() const noexcept { return value != nullptr; }
    const V& operator*() const noexcept { return *value; }
    const V* operator->() const noexcept { return value.get(); }
  };

  /// Work runs on the thread of the first caller.
  constexpr single_flight() noexcept = default;
  /// Work runs where `executor` has it run: it is called with each flight_job, by any threads, at the same time too.
  template <std::invocable<flight_job> Executor>
  explicit single_flight(Executor executor)
      : executor_(std::make_shared<Executor>(std::move(executor))),
        launch_([](void* to, flight_job what) { (*static_cast<Executor*>(to))(std::move(what)); }) {}
  ~single_flight() { wait_for_jobs(); }

  /// work(key), or work(key, stop_token): of who comes first for this key, shared by all who come until it has ended. With an
  /// executor the work is moved or copied there, and dies before anybody has the result.
  template <class Work>
  outcome run(K key, Work&& work) {
    return run(std::move(key), patience(), std::forward<Work>(work));
  }
  /// The same, but an outcome without value if there is none when stop is requested.
  template <class Work>
  [[nodiscard]] outcome run(K key, const std::stop_token& stop, Work&& work) {
    return run(std::move(key), patience(stop), std::forward<Work>(work));
  }
  template <class Rep, class Period, class Work>
  [[nodiscard]] outcome run_for(K key, std::chrono::duration<Rep, Period> time, Work&& work) {
    return run(std::move(key), patience(deadline_after(time)), std::forward<Work>(work));
  }
  template <class Rep, class Period, class Work>
  [[nodiscard]] outcome run_for(K key, std::chrono::duration<Rep, Period> time, const std::stop_token& stop,
                                Work&& work) {
    return run(std::move(key), patience(deadline_after(time), stop), std::forward<Work>(work));
  }
  template <class Duration, class Work>
  [[nodiscard]] outcome run_until(K key, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                  Work&& work) {
    return run(std::move(key), patience(to_deadline(deadline)), std::forward<Work>(work));
  }
  template <class Duration, class Work>
  [[nodiscard]] outcome run_until(K key, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                  const std::stop_token& stop, Work&& work) {
    return run(std::move(key), patience(to_deadline(deadline), stop), std::forward<Work>(work));
  }
  /// What the forms above come down to.
  template <class Work>
  [[nodiscard]] outcome run(K key, const patience& how_long, Work&& work);

  /// The next caller starts afresh; who waits already waits on. False: nothing was under way.
  bool forget(const K& key) {
    const std::size_t hash = Hash{}(key);
    const std::lock_guard lock(mutex_);
    const auto* const found = find(hash, is(key));
    return found != nullptr && unlist(**found) != nullptr;  // somebody flies it, so it does not end here
  }
  /// For the work of `key`, before it stores what it made: false once its key was forgotten, or all callers have left.
  [[nodiscard]] bool is_current(const K& key) const {
    const std::size_t hash = Hash{}(key);
    const std::lock_guard lock(mutex_);
    const auto* const found = find(hash, is(key));
    return found != nullptr && runs_here(**found);
  }

 private:
  struct typed final : flight {
    explicit typed(K&& name) : flight(Hash{}(name)), key(std::move(name)) {}
    ~typed() {
      if (has_value) std::destroy_at(std::addressof(value));
    }
    const K key;
    union {
      V value;
    };
    bool has_value = false;  // before it lands
  };

  template <class Work>
  static constexpr bool takes_stop = std::is_invocable_v<Work&, const K&, std::stop_token>;

  template <class Work>
  struct work_job final : job {
    work_job(const std::shared_ptr<typed>& what, landing&& lands, Work&& from)
        : job(*lands.get_deleter().home), it(what), end(std::move(lands)), work(std::forward<Work>(from)) {}
    void fly() override { call(*it, work); }
    const std::shared_ptr<typed> it;
    const landing end;
    std::decay_t<Work> work;  // the first to die
  };

  static auto is(const K& key) {
    return [&key](const flight& it) { return Equal{}(static_cast<const typed&>(it).key, key); };
  }
  bool find_or_list(std::shared_ptr<typed>& it);
  template <class Work>
  static void call(typed& it, Work& work);

  std::shared_ptr<void> executor_;  // none: the first caller's thread
  void (*launch_)(void*, flight_job) = nullptr;
};

// ------------------------------------------------------------------------ Implementation

// True: `it` is the flight of its key now. False: there is one, which `it` becomes.
template <class K, class V, class Hash, class Equal>
bool single_flight<K, V, Hash, Equal>::find_or_list(std::shared_ptr<typed>& it) {
  std::shared_ptr<typed> found;  // carries what is not needed out of the lock
  const std::lock_guard lock(mutex_);
  if (const auto* const link = find(it->hash, is(it->key))) {
    join(**link);
    found = std::static_pointer_cast<typed>(*link);
    found.swap(it);
    return false;
  }
  list(it);
  return true;
}

template <class K, class V, class Hash, class Equal>
template <class Work>
void single_flight<K, V, Hash, Equal>::call(typed& it, Work& work) {
  const auto body = [&] {
    if constexpr (takes_stop<Work>)
      ::new (static_cast<void*>(std::addressof(it.value))) V(work(it.key, stop_of(it)));
    else
      ::new (static_cast<void*>(std::addressof(it.value))) V(work(it.key));
    it.has_value = true;
  };
  fly(it, &body, [](const void* what) { (*static_cast<decltype(&body)>(what))(); });
}

template <class K, class V, class Hash, class Equal>
template <class Work>
auto single_flight<K, V, Hash, Equal>::run(K key, const patience& how_long, Work&& work) -> outcome {
  using called = std::remove_reference_t<Work>;
  static_assert(takes_stop<called> || std::is_invocable_v<called&, const K&>,
                "the work is called as work(key), or as work(key, stop_token)");
  auto it = std::make_shared<typed>(std::move(key));
  if (find_or_list(it)) {
    landing end(it.get(), {this});
    if constexpr (takes_stop<called>) make_stoppable(*it);
    if (launch_ == nullptr) {
      const auto leaves = takes_stop<called> ? watch(it, how_long) : nullptr;
      call(*it, work);
    } else {
      auto mine = std::make_unique<work_job<Work>>(it, std::move(end), std::forward<Work>(work));
      launch_(executor_.get(), flight_job(std::move(mine)));
    }
  }
  if (!it->has_landed() && !wait(*it, how_long)) return {};
  if (it->has_value) {
    const bool shared = it->shared;
    const V* const value = std::addressof(it->value);
    return {std::shared_ptr<const V>(std::move(it), value), shared};
  }
  if (it->error != nullptr) std::rethrow_exception(it->error);
  throw flight_dropped();
}

}  // namespace acqrel
