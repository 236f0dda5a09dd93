// acqrel/publish/synchronized.hpp - a value that can be reached only while its lock is held.
//
//   acqrel::synchronized<std::map<std::string, int>> stock;
//   stock.with_lock([](auto& map) { map["tea"] += 2; });
//   const int tea = stock.with_lock_when([](const auto& map) { return map.count("tea") != 0; },   // waits until it holds
//                                        [](auto& map) { return map["tea"]; });
//   if (!stock.try_with_lock_for(20ms, [](auto& map) { map.clear(); })) std::puts("busy");
//
// Publishes  what a function given to with_lock did, to the next one.
// Edges      none of its own: fair_mutex.held.
// Progress   blocking: functions take turns, after fair_mutex. with_lock_when waits until others made its condition hold.
// Memory     24 bytes beside the T.
// Threads    any. Your functions run under the lock, that is the contract; nothing else of yours does. Who waited may
//            destroy it as soon as its call has returned.
// Errors     What your function throws passes: the lock is let go, and whoever waits for a condition looks again.
//            std::logic_error from a call made inside a function of the same object, where a mutex would hang.
//            A result that may refer to the value does not compile, see may_refer.
// Cost       that of fair_mutex, two plain stores and a load. Bench synchronized/with_lock.
// Model      tests/publish/synchronized_model.cpp; its one edge in tests/base/fair_mutex_model.cpp.
// Not for    values read more often than written (snapshot_source); two of them at once (put both values in one). Each
//            change wakes all who wait for a condition, to look: where many do, signal/ is better.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/fair_mutex.hpp>

#include <concepts>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace acqrel {

/// Whether a result of this type may lead back to what it was made from: a reference, an object pointer, an iterator, a
/// view, a reference_wrapper, or a coroutine, which goes on later. A struct of your own is not looked into.
template <class R>
inline constexpr bool refers_itself =
    std::is_reference_v<R> ||
    (std::is_pointer_v<R> && !std::is_function_v<std::remove_pointer_t<R>>) || std::input_or_output_iterator<R> ||
    std::ranges::enable_view<R> || std::ranges::enable_borrowed_range<R> || requires {
  typename R::promise_type;
}
|| requires(std::remove_reference_t<R>* wrapper) {
  { wrapper->get() } -> std::same_as<typename R::type&>;
};
/// The same, also of what a pair, tuple, optional or container holds.
template <class R>
inline constexpr bool may_refer = refers_itself<R>;
template <template <class...> class Holder, class... Held>
inline constexpr bool may_refer<Holder<Held...>> = refers_itself<Holder<Held...>> || (may_refer<Held> || ...);

template <class T>
class synchronized {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "synchronized<T>: T is a plain object type that can change");

  template <class F, class Value>
  using result = decltype(std::declval<F>()(std::declval<Value&>()));
  // What comes of a function that may not have run: bool for void.
  template <class F>
  using outcome =
      std::conditional_t<std::is_void_v<result<F, T>>, bool,
                         std::optional<std::conditional_t<std::is_void_v<result<F, T>>, bool, result<F, T>>>>;
  static constexpr auto always = [](const T&) noexcept { return true; };

 public:
  constexpr synchronized() noexcept(std::is_nothrow_default_constructible_v<T>) = default;
  constexpr explicit synchronized(T value) : value_(std::move(value)) {}
  template <class... Args>
  constexpr explicit synchronized(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}
  synchronized(const synchronized&) = delete;  // copy the value: with_lock([](const T& value) { return value; })
  synchronized& operator=(const synchronized&) = delete;

  /// Returns f(value), run while no other function given to this object runs.
  template <class F>
  decltype(auto) with_lock(F&& f) {
    stays_inside<result<F, T>>();
    enter();
    const visit inside(*this, true);
    return std::forward<F>(f)(value_);
  }
  /// The same for f(const T&); nobody who waits for a condition looks again after it.
  template <class F>
  decltype(auto) with_lock(F&& f) const {
    stays_inside<result<F, const T>>();
    enter();
    const visit inside(*this, false);
    return std::forward<F>(f)(value_);
  }

  // The forms that may give up return whether f ran, or an optional that holds its result.

  template <class F>
  [[nodiscard]] outcome<F> with_lock(const std::stop_token& stop, F&& f) {
    return run(patience(stop), always, f);
  }
  /// Does not wait; nor does it throw where with_lock would, inside a function of the same object.
  template <class F>
  [[nodiscard]] outcome<F> try_with_lock(F&& f) {
    if (!try_enter()) return {};
    return run_inside(patience(), always, f);
  }
  template <class Rep, class Period, class F>
  [[nodiscard]] outcome<F> try_with_lock_for(std::chrono::duration<Rep, Period> time, F&& f) {
    return run(patience(deadline_after(time)), always, f);
  }
  template <class Rep, class Period, class F>
  [[nodiscard]] outcome<F> try_with_lock_for(std::chrono::duration<Rep, Period> time, const std::stop_token& stop,
                                             F&& f) {
    return run(patience(deadline_after(time), stop), always, f);
  }
  template <class Duration, class F>
  [[nodiscard]] outcome<F> try_with_lock_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                               F&& f) {
    return run(patience(to_deadline(deadline)), always, f);
  }
  template <class Duration, class F>
  [[nodiscard]] outcome<F> try_with_lock_until(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
                                               const std::stop_token& stop, F&& f) {
    return run(patience(to_deadline(deadline), stop), always, f);
  }

  // With a condition: `holds(const T&)` is asked under the lock at first and after each change, and f runs when it is
  // true, before anything else changes. Giving up may take as long as others hold the lock.

  template <class Condition, class F>
  decltype(auto) with_lock_when(Condition&& holds, F&& f) {
    stays_inside<result<F, T>>();
    enter();
    visit inside(*this, false);
    (void)await(patience(), holds);
    inside.changes = true;
    return std::forward<F>(f)(value_);
  }
  template <class Condition, class F>
  [[nodiscard]] outcome<F> with_lock_when(const std::stop_token& stop, Condition&& holds, F&& f) {
    return run(patience(stop), holds, f);
  }
  template <class Rep, class Period, class Condition, class F>
  [[nodiscard]] outcome<F> try_with_lock_when_for(std::chrono::duration<Rep, Period> time, Condition&& holds, F&& f) {
    return run(patience(deadline_after(time)), holds, f);
  }
  template <class Rep, class Period, class Condition, class F>
  [[nodiscard]] outcome<F> try_with_lock_when_for(std::chrono::duration<Rep, Period> time, const std::stop_token& stop,
                                                  Condition&& holds, F&& f) {
    return run(patience(deadline_after(time), stop), holds, f);
  }
  template <class Duration, class Condition, class F>
  [[nodiscard]] outcome<F> try_with_lock_when_until(
      std::chrono::time_point<std::chrono::steady_clock, Duration> deadline, Condition&& holds, F&& f) {
    return run(patience(to_deadline(deadline)), holds, f);
  }
  template <class Duration, class Condition, class F>
  [[nodiscard]] outcome<F> try_with_lock_when_until(
      std::chrono::time_point<std::chrono::steady_clock, Duration> deadline, const std::stop_token& stop,
      Condition&& holds, F&& f) {
    return run(patience(to_deadline(deadline), stop), holds, f);
  }

 private:
  // As long as it lives the lock is held, which it is given held.
  struct ACQREL_SCOPED_CAPABILITY visit {
    visit(const synchronized& whom, bool to_change) noexcept ACQREL_REQUIRES(whom.mutex_)
        : object(whom), changes(to_change) {}
    ~visit() ACQREL_RELEASE() { object.leave(changes); }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    const synchronized& object;
    bool changes;
  };

  template <class R>
  static constexpr void stays_inside() {
    static_assert(!may_refer<R>,
                  "synchronized: this result may refer to the guarded value, and would outlive the lock; return a copy "
                  "(-> auto instead of auto&, std::string instead of std::string_view, the element instead of its "
                  "iterator), or do what needs the reference inside the function");
  }

  template <class Condition, class F>
  outcome<F> run(const patience& how_long, Condition& holds, F& f) {
    if (!enter(how_long)) return {};
    return run_inside(how_long, holds, f);
  }
  template <class Condition, class F>
  outcome<F> run_inside(const patience& how_long, Condition& holds, F& f) ACQREL_RELEASE(mutex_) {
    stays_inside<result<F, T>>();
    visit inside(*this, false);
    if (!await(how_long, holds)) return {};
    inside.changes = true;
    if constexpr (std::is_void_v<result<F, T>>) {
      std::forward<F>(f)(value_);
      return true;
    } else {
      return outcome<F>(std::forward<F>(f)(value_));
    }
  }
  template <class Condition>
  bool await(const patience& how_long, Condition& holds) ACQREL_REQUIRES(mutex_) {
    for (bool patient = true; !holds(std::as_const(value_));) {
      if (!patient) return false;
      ++waiting_;
      // plain: written under the lock only, which orders it; so everywhere below
      const std::uint32_t seen = changes_.load(std::memory_order_relaxed);
      leave(false);
      patient = how_long.park(changes_, seen);
      enter();
      // plain: as above
      if (changes_.load(std::memory_order_relaxed) == seen) --waiting_;  // a change has counted it out already
    }
    return true;
  }

  // An address of its own for each thread.
  static const void* this_thread() noexcept {
    static constinit thread_local char mark = 0;
    return &mark;
  }
  bool try_enter() const noexcept ACQREL_TRY_ACQUIRE(true, mutex_) {
    if (!mutex_.try_lock()) return false;
    // plain: no other thread stores this mark, so who reads it has stored it
    holder_.store(this_thread(), std::memory_order_relaxed);
    return true;
  }
  void enter() const ACQREL_ACQUIRE(mutex_) ACQREL_UNCHECKED { (void)enter(patience()); }
  bool enter(const patience& how_long) const ACQREL_TRY_ACQUIRE(true, mutex_) { return try_enter() || wait(how_long); }
  [[gnu::noinline]] bool wait(const patience& how_long) const ACQREL_TRY_ACQUIRE(true, mutex_);
  void leave(bool changed) const noexcept ACQREL_RELEASE(mutex_) {
    // plain: see try_enter
    holder_.store(nullptr, std::memory_order_relaxed);
    const park_word* const bell = changed && waiting_ != 0 ? &changes_ : nullptr;
    if (bell != nullptr) {
      waiting_ = 0;
      // plain: as in await  / plain: as in await
      changes_.store(changes_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    mutex_.unlock();
    if (bell != nullptr) unpark_all(*bell);  // its address only: the object may be gone
  }

  mutable fair_mutex mutex_;
  mutable std::atomic<const void*> holder_{nullptr};             // this_thread() of who is inside
  mutable park_word changes_{0};                                 // counts those that somebody waited for
  mutable std::uint32_t waiting_ ACQREL_GUARDED_BY(mutex_) = 0;  // for the next change
  T value_ ACQREL_GUARDED_BY(mutex_){};
};

// ------------------------------------------------------------------------ Implementation

[[noreturn]] void throw_synchronized_within_itself();

template <class T>
bool synchronized<T>::wait(const patience& how_long) const {
  // plain: see try_enter
  if (holder_.load(std::memory_order_relaxed) == this_thread()) throw_synchronized_within_itself();
  if (!mutex_.try_lock(how_long)) return false;
  // plain: see try_enter
  holder_.store(this_thread(), std::memory_order_relaxed);
  return true;
}

}  // namespace acqrel
