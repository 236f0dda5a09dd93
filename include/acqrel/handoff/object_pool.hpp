// acqrel/handoff/object_pool.hpp - keeps objects that are dear to make, and hands them out again.
//
//   acqrel::object_pool<std::string> lines([] { return make_line(); }, [](std::string& line) { line.clear(); });
//   {
//     const acqrel::pooled<std::string> line = lines.get();   // any thread: one that was returned, or a new one
//     line->append("GET /").append(path);
//   }                                                         // emptied, and returned: by whichever thread it is on
//
// Publishes  to who gets an object, what was done to it before it was returned.
// Edges      none of its own: what a thread returned and takes again is its own; from thread to thread objects go by a list
//            under a mutex; and ~object_pool awaits threads that are ending, waitable_word.value.
// Progress   wait-free while the thread has an object, or room for one; every 16th time or so a short lock.
// Memory     idle: at most `per_thread` objects for each thread alive that used the pool, and `shared` for all; 640 bytes
//            for each such thread, 16 for each of `shared`. An object has no header. Indexes of ended pools are used again.
// Threads    get() and the end of a pooled from any, not the same for both. The maker and the reset run on those threads,
//            several at once. Threads may end before, after or while the pool does; no pooled may outlive it: the process
//            ends, saying so. Not for signal handlers, nor for the child of a fork that other threads' calls were under way in.
// Errors     get() throws what the maker throws, or std::bad_alloc, and nothing has changed. An object whose reset throws is
//            destroyed and counted. std::invalid_argument for options out of range; constinit, it does not compile.
// Cost       get and put: plain operations on lines of the thread. Bench object_pool/get_put.
// Model      tests/handoff/object_pool_model.cpp.
// Not for    state that must be kept; connections by host (keyed/resource_pool); objects that malloc makes as quickly.
//
// Age: the clock is read where a lock is taken anyway, or by trim(). What lies among the shared is as old as it lies there.
// A thread's own are noted by a look, at most once in `idle`; those noted that still lie there at a look `idle` later go.
// So nothing goes before it was idle that long. Looks are trim(), for its caller, and for others a return after it; and
// a return that finds no room. A thread that does neither keeps its few until it ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/padded.hpp>
#include <acqrel/base/time_source.hpp>
#include <acqrel/base/waitable_word.hpp>

#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace acqrel {

struct object_pool_options {
  std::size_t per_thread = 32;  // at most 64
  std::size_t shared = 256;
  std::chrono::nanoseconds idle = std::chrono::nanoseconds::max();  // for ever
  time_source* time = nullptr;                                      // null: steady_clock
};

struct object_pool_counts {
  std::uint64_t made, destroyed;  // ever
  std::uint64_t cached;           // idle now. While nobody is in a call: made - destroyed - cached are out
  std::uint64_t failed_resets;
};

class object_pool_core;

/// What one thread keeps of one pool. Written by that thread; by ~object_pool when no thread uses the pool.
struct alignas(false_sharing_range) object_pool_cache {
  static constexpr std::uint32_t most = 64;
  static constexpr std::uintptr_t noted = 1;  // was there at the last look

  std::uint64_t name = ~std::uint64_t{0};  // of the pool; it may have ended. The thread's
  std::atomic<std::uint32_t> count{0};
  std::atomic<std::uint32_t> limit{0};  // of count; 0: trim() asks for a look
  steady_deadline::rep noted_at = 0;    // the thread's
  object_pool_core* core = nullptr;     // null: it has ended. Under the lock of all pools
  object_pool_cache* next = nullptr;    // of the pool's. Under the lock of all pools
  std::uintptr_t objects[most] = {};    // the newest last; those noted come first
};

/// This thread's caches, by the low bits of their pools' names.
struct object_pool_thread {
  object_pool_cache** caches;
  std::uint64_t mask;
};
extern constinit thread_local object_pool_thread object_pool_this_thread [[gnu::tls_model("initial-exec")]];

/// Of a pool, what knows no T.
class object_pool_core {
 public:
  using destroyer = void (*)(void*) noexcept;

  constexpr object_pool_core(destroyer destroys, const object_pool_options& options)
      : destroy_(destroys),
        idle_(options.idle.count()),
        shared_(options.shared),
        per_thread_(static_cast<std::uint32_t>(options.per_thread)),
        time_(options.time) {
    if (options.per_thread > object_pool_cache::most)
      throw std::invalid_argument("acqrel: object_pool: a thread keeps at most 64 objects; give the rest to `shared`");
    if (options.idle.count() < 0)
      throw std::invalid_argument("acqrel: object_pool: `idle` is negative; leave it out to keep objects for ever");
    if (options.shared > std::size_t{1} << 32)
      throw std::invalid_argument("acqrel: object_pool: `shared` is more than 2^32");
  }
  object_pool_core(const object_pool_core&) = delete;
  object_pool_core& operator=(const object_pool_core&) = delete;

  /// What this thread keeps; null: take() looks further.
  [[nodiscard]] void* take_own() noexcept {
    object_pool_cache& mine = this_threads();
    // plain: this thread's
    const std::uint32_t count = mine.count.load(std::memory_order_relaxed);
    if (mine.name != name() || count == 0) [[unlikely]]
      return nullptr;
    // plain: this thread's; others only count
    mine.count.store(count - 1, std::memory_order_relaxed);
    return reinterpret_cast<void*>(mine.objects[count - 1] & ~object_pool_cache::noted);
  }
  /// False: put() finds a place.
  [[nodiscard]] bool keep(void* object) noexcept {
    object_pool_cache& mine = this_threads();
    // plain: this thread's
    const std::uint32_t count = mine.count.load(std::memory_order_relaxed);
    // plain: a number, and what it may ask for is done by this thread
    if (mine.name != name() || count >= mine.limit.load(std::memory_order_relaxed)) [[unlikely]]
      return false;
    mine.objects[count] = reinterpret_cast<std::uintptr_t>(object);
    // plain: this thread's; others only count
    mine.count.store(count + 1, std::memory_order_relaxed);
    return true;
  }

  /// Null: there is none, make one. Throws std::bad_alloc, and nothing has changed.
  [[nodiscard, gnu::cold, gnu::noinline]] void* take();
  [[gnu::cold, gnu::noinline]] void put(void* object) noexcept;
  void count_made() noexcept;
  void count_failed_reset() noexcept;
  void discard(void* object) noexcept;
  std::size_t trim() noexcept;
  [[nodiscard]] object_pool_counts counts() const noexcept;
  /// Destroys what is idle, and waits for threads that are ending.
  void close() noexcept;

 private:
  struct doomed;
  friend struct object_pools;

  std::uint64_t name() const noexcept {
    // plain: a cache of this thread has the name, or it is not known yet
    return name_.load(std::memory_order_relaxed);
  }
  object_pool_cache& this_threads() const noexcept {
    const object_pool_thread& mine = object_pool_this_thread;
    return *mine.caches[name() & mine.mask];
  }
  object_pool_cache& enter();
  steady_deadline::rep now() const noexcept;
  bool is_old(steady_deadline::rep since, steady_deadline::rep now) const noexcept;
  void look(object_pool_cache& mine, steady_deadline::rep now, doomed& old) noexcept;
  void give(const std::uintptr_t* objects, std::uint32_t count) noexcept;
  void take_old(steady_deadline::rep now, std::uint32_t most, doomed& old) noexcept;
  std::uintptr_t take_first() noexcept;
  void destroy(const doomed& all) noexcept;

  struct entry {
    std::uintptr_t object;
    steady_deadline::rep since;
  };

  std::atomic<std::uint64_t> name_{0};  // 0: not used yet; then never changed. Its low bits are its index
  const destroyer destroy_;
  const std::chrono::nanoseconds::rep idle_;
  const std::size_t shared_;
  const std::uint32_t per_thread_;
  time_source* const time_;  // null: steady_clock

  alignas(false_sharing_range) mutable std::mutex mutex_;
  std::unique_ptr<entry[]> ring_;  // of `shared_`, oldest first
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::atomic<std::uint64_t> made_{0}, destroyed_{0}, failed_resets_{0};
  waitable_word leaving_;                // threads that are ending, and on their way to give back
  object_pool_cache* caches_ = nullptr;  // of all threads. Under the lock of all pools, as the next
  object_pool_core* next_ = nullptr;     // the pool of the next higher index
};

template <class T>
class object_pool;

/// An object of a pool, for as long as this lives.
template <class T>
class [[nodiscard]] pooled {
 public:
  /// Of nothing.
  constexpr pooled() noexcept = default;
  pooled(pooled&& other) noexcept : pool_(other.pool_), object_(std::exchange(other.object_, nullptr)) {}
  pooled& operator=(pooled&& other) noexcept {
    pooled next(std::move(other));
    std::swap(pool_, next.pool_);
    std::swap(object_, next.object_);
    return *this;
  }
  ~pooled() { reset(); }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  /// Returns it now.
  void reset() noexcept {
    if (object_ != nullptr) pool_->put(std::exchange(object_, nullptr));
  }

 private:
  friend class object_pool<T>;
  pooled(object_pool<T>* pool, T* object) noexcept : pool_(pool), object_(object) {}

  object_pool<T>* pool_ = nullptr;
  T* object_ = nullptr;
};

template <class T>
class object_pool {
  static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T>,
                "acqrel::object_pool: T is a type of objects that can be changed");
  static_assert(std::is_nothrow_destructible_v<T>, "acqrel::object_pool: T's destructor must not throw");

 public:
  /// Makes a T by T(). With nothing to reset, constant-initialised.
  constexpr explicit object_pool(const object_pool_options& options = {}) requires std::is_default_constructible_v<T>
      : core_(&destroy, options) {}
  /// make() returns a T, which need not be movable.
  template <class Make>
  requires std::is_invocable_r_v<T, const Make&>
  explicit object_pool(Make make, const object_pool_options& options = {})
      : core_(&destroy, options), functions_(new given<Make, no_reset>(std::move(make), {})) {}
  /// reset(T&) is called as an object is returned.
  template <class Make, class Reset>
  requires std::is_invocable_v<const Reset&, T&> object_pool(Make make, Reset reset,
                                                             const object_pool_options& options = {})
      : core_(&destroy, options),
        functions_(new given<Make, Reset>(std::move(make), std::move(reset))),
        resets_(true) {}
  object_pool(const object_pool&) = delete;
  object_pool& operator=(const object_pool&) = delete;
  /// Destroys what is idle. Every object has been returned.
  ~object_pool() { core_.close(); }

  /// One that was returned, the newest first, or a new one.
  [[nodiscard]] pooled<T> get() {
    if (void* const own = core_.take_own()) [[likely]]
      return pooled<T>(this, static_cast<T*>(own));
    return get_elsewhere();
  }

  /// Destroys what has been idle for `idle` as far as is known, see above. How many it destroyed.
  std::size_t trim() noexcept { return core_.trim(); }
  [[nodiscard]] object_pool_counts counts() const noexcept { return core_.counts(); }

 private:
  friend class pooled<T>;

  struct functions {
    virtual ~functions() = default;
    virtual T make() const = 0;
    virtual void reset(T&) const = 0;
  };
  struct no_reset {
    void operator()(T&) const noexcept {}
  };
  template <class Make, class Reset>
  struct given final : functions {
    static_assert(std::is_invocable_r_v<T, const Make&>, "acqrel::object_pool: make() returns a T");
    given(Make&& m, Reset&& r) : maker(std::move(m)), resetter(std::move(r)) {}
    T make() const override { return maker(); }
    void reset(T& object) const override { static_cast<void>(resetter(object)); }
    Make maker;
    [[no_unique_address]] Reset resetter;
  };

  void put(T* object) noexcept {
    if (resets_ && !reset(*object)) return core_.discard(object);
    if (!core_.keep(object)) [[unlikely]]
      core_.put(object);
  }
  bool reset(T& object) noexcept try {
    functions_->reset(object);
    return true;
  } catch (...) {
    core_.count_failed_reset();
    return false;
  }
  [[gnu::cold, gnu::noinline]] pooled<T> get_elsewhere();
  T make() const {
    if constexpr (std::is_default_constructible_v<T>) {
      if (functions_ == nullptr) return T();
    }
    return functions_->make();
  }
  static constexpr std::align_val_t alignment{alignof(T) > alignof(void*) ? alignof(T) : alignof(void*)};
  static void destroy(void* object) noexcept {
    std::destroy_at(static_cast<T*>(object));
    ::operator delete(object, alignment);
  }

  object_pool_core core_;
  const std::unique_ptr<const functions> functions_;  // null: T()
  const bool resets_ = false;
};

template <class T>
pooled<T> object_pool<T>::get_elsewhere() {
  if (void* const found = core_.take()) return pooled<T>(this, static_cast<T*>(found));
  struct memory {
    ~memory() {
      if (at != nullptr) ::operator delete(at, alignment);
    }
    void* at = ::operator new(sizeof(T), alignment);
  } room;
  T* const made = ::new (room.at) T(make());
  room.at = nullptr;
  core_.count_made();
  return pooled<T>(this, made);
}

}  // namespace acqrel
