// acqrel/publish/lazy.hpp - a value that the first who wants it makes.
//
//   constinit acqrel::lazy table([] { return make_table(); });   // nothing runs before main
//   use(table()[7]);                                             // any thread, any time: const table&
//   const auto settings = acqrel::once_value([path] { return parse(path); });
//   if (const auto* ready = settings.wait_for(100ms)) use(ready->name);
//
// Publishes  the value, and everything the function wrote.
// Edges      once.done and once.reopened, see once.hpp: the value's maker -> get(), has_value()
// Progress   a get when there is a value: wait-free. Before: the first runs the function, others wait for it.
// Memory     inline: the function and the value take turns in one place, beside 4 bytes.
// Threads    any; whoever has got the value may destroy it. What the function captured dies when the value is there, on
//            the thread that made it, once, and others may read the value by then.
// Errors     on_error::memoize: the function runs once, and what it threw is what every get throws, the same exception.
//            on_error::retry: as once, a throw reaches the caller that ran it, and one who waits goes next.
//            A get from within the function throws std::logic_error (once.hpp).
// Cost       a get when there is a value: one acquire load and a branch. Bench lazy/get.
// Model      tests/publish/lazy_model.cpp; the edges are once's.
// Not for    values that change (snapshot_source), or come from elsewhere (one_shot).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/publish/once.hpp>

#include <exception>
#include <memory>

namespace acqrel {

/// What becomes of a function that throws: it has run, or it is run again.
enum class on_error : std::uint8_t { memoize, retry };

/// Besides get(), a lazy can be asked as any waitable: wait_for(time), wait_until(time) and wait(stop) make the value too,
/// but return a null pointer if another is still making it.
template <class F, on_error OnError = on_error::memoize>
class lazy : public waitable<lazy<F, OnError>> {
  using result = decltype(std::declval<F&>()());
  static_assert(!std::is_void_v<result>, "the function makes no value: use acqrel::once");
  static_assert(!std::is_reference_v<result>,
                "a lazy keeps a value: return the object itself, or a pointer to one that outlives the lazy");
  static_assert(std::is_nothrow_move_constructible_v<F>,
                "the function is moved away when it has run, which must not throw; if it is a lambda that captured a "
                "const object, such as [name], that is copied each time: write [name = name]");

 public:
  using value_type = std::remove_cv_t<result>;

  /// Calls nothing yet. Constant-initialised if moving `function` is.
  constexpr explicit lazy(F function) noexcept : held_(std::move(function)) {}
  lazy(const lazy&) = delete;  // readers refer to the value in here
  lazy& operator=(const lazy&) = delete;
  ~lazy();

  /// The value, made now if it has not been made. It lives as long as the lazy.
  const value_type& get() const& {
    if (!once_.done()) [[unlikely]]
      (void)make(patience());
    return held_.value;
  }
  const value_type& operator()() const& { return get(); }
  const value_type& operator*() const& { return get(); }
  const value_type* operator->() const& { return std::addressof(get()); }
  const value_type& get() const&& = delete;  // would dangle: name the lazy first
  const value_type& operator()() const&& = delete;
  const value_type& operator*() const&& = delete;
  const value_type* operator->() const&& = delete;

  /// Whether get() would return at once.
  [[nodiscard]] bool has_value() const noexcept { return once_.done(); }

 private:
  friend class waitable<lazy>;
  union content {
    constexpr explicit content(F&& f) noexcept : function(std::move(f)) {}
    ~content() {}
    F function;                // until the value is there; away while it runs
    value_type value;          // when once_ is done
    std::exception_ptr error;  // when once_ is closed
  };

  const value_type* await(const patience& how_long) const {
    return once_.done() || make(how_long) ? std::addressof(held_.value) : nullptr;
  }
  [[gnu::cold, gnu::noinline]] bool make(const patience& how_long) const;

  mutable once once_;
  mutable content held_;
};

/// A lazy of `f`; its failure is kept, or forgotten with once_value<acqrel::on_error::retry>(f).
template <on_error OnError = on_error::memoize, class F>
[[nodiscard]] constexpr lazy<std::decay_t<F>, OnError> once_value(F&& f) {
  return lazy<std::decay_t<F>, OnError>(std::forward<F>(f));
}

// ------------------------------------------------------------------------ Implementation

template <class F, on_error OnError>
bool lazy<F, OnError>::make(const patience& how_long) const {
  once_turn turn(once_, how_long);
  if (turn.gave_up()) return false;
  if (!turn.mine()) {
    if (once_turn::closed(once_)) std::rethrow_exception(held_.error);
    return true;
  }
  F function(std::move(held_.function));  // dies after the turn: others do not wait for its captures to go
  std::destroy_at(&held_.function);
  try {
    ::new (static_cast<void*>(std::addressof(held_.value))) value_type(function());
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    // No exception: the thread is being cancelled, which is no answer to keep.
    if (OnError == on_error::retry || error == nullptr) {
      std::construct_at(&held_.function, std::move(function));
      throw;
    }
    std::construct_at(&held_.error, error);
    turn.close();
    throw;
  }
  turn.finish();
  return true;
}

template <class F, on_error OnError>
lazy<F, OnError>::~lazy() {
  if (once_.done()) {
    std::destroy_at(std::addressof(held_.value));
  } else if (once_turn::closed(once_)) {
    std::destroy_at(&held_.error);
  } else {
    std::destroy_at(&held_.function);
  }
}

}  // namespace acqrel
