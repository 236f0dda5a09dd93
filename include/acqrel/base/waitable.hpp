// acqrel/base/waitable.hpp - all forms of waiting, from one function that waits.
//
//   class door : public acqrel::waitable<door> {   // gives it wait, wait_for and wait_until, each also with a stop token
//     friend class acqrel::waitable<door>;
//     bool await(const acqrel::patience& patience) const noexcept {   // false: patience ran out first
//       return patience.await(state_, has_waiters, [this] { return is_open(); });
//     }
//
// Publishes  nothing: `done`, given to patience::await, is what acquires.
// Edges      none.
// Progress   blocking: it spins a little (spin.hpp), then parks (park.hpp).
// Memory     patience: 3 words on the waiter's stack. waitable: empty.
// Threads    a patience belongs to the thread that waits; the word may be destroyed as soon as await has returned.
// Errors     none. Deadlines are of the steady clock and saturate; a wait never ends early, and one whose condition
//            holds when its time is up succeeds.
// Cost       what `done` costs while it is spinning; then a locked operation and a system call.
// Model      tests/base/waitable_model.cpp: no wake-up is lost. No edge of its own.
// Not for    conditions that are more than one 32-bit word: use fair_mutex with a condition variable.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/park.hpp>
#include <acqrel/base/spin.hpp>

#include <type_traits>

namespace acqrel {

/// How long a wait may go on: for ever, until a deadline, until a stop is requested, or until either.
class patience {
 public:
  constexpr patience() noexcept = default;
  constexpr explicit patience(steady_deadline deadline) noexcept : deadline_(deadline), timed_(true) {}
  /// `stop` must live as long as the patience.
  constexpr explicit patience(const std::stop_token& stop) noexcept : stop_(&stop) {}
  constexpr patience(steady_deadline deadline, const std::stop_token& stop) noexcept
      : deadline_(deadline), stop_(&stop), timed_(true) {}

  /// Sleeps while `word` equals `expected`. True: it was seen to differ; false: patience ran out.
  [[nodiscard]] bool park(const park_word& word, std::uint32_t expected) const noexcept {
    if (timed_) return stop_ ? park_until(word, expected, deadline_, *stop_) : park_until(word, expected, deadline_);
    if (stop_) return acqrel::park(word, expected, *stop_);
    acqrel::park(word, expected);
    return true;
  }

  /// For who has more to do until then than to wait: time_point::max() and null where there is no such limit.
  [[nodiscard]] constexpr steady_deadline deadline() const noexcept {
    return timed_ ? deadline_ : steady_deadline::max();
  }
  [[nodiscard]] constexpr const std::stop_token* stop() const noexcept { return stop_; }
  /// Whether it has run out by now.
  [[nodiscard]] bool over() const noexcept {
    return (timed_ && std::chrono::steady_clock::now() >= deadline_) || (stop_ != nullptr && stop_->stop_requested());
  }

  /// Returns true once done() is, or false when patience ran out and done() still is not. Whoever changes what done()
  /// looks at changes `word` with it, and calls unpark_all(word) if it takes the bit `waiting` away.
  template <class Done>
  [[nodiscard]] bool await(park_word& word, std::uint32_t waiting, Done done) const {
    for (spinner spin; spin.spin();) {
      if (done()) return true;
    }
    for (;;) {
      // plain: asks to be woken and publishes nothing; done() acquires. A change after this one leaves a word that
      //        differs, on which park returns at once.
      const std::uint32_t seen = word.fetch_or(waiting, std::memory_order_relaxed) | waiting;
      if (done()) return true;
      // The word may go on changing without done(): then park sleeps not once, and would not notice.
      if (!park(word, seen) || over()) return done();
    }
  }

 private:
  steady_deadline deadline_{};
  const std::stop_token* stop_ = nullptr;
  bool timed_ = false;
};

/// The forms of waiting of a type with `bool await(const patience&) const`, or one that returns a pointer, null for
/// false: then wait() returns a reference.
template <class Self>
class waitable {
 public:
  decltype(auto) wait() const { return endless(self().await(patience())); }
  [[nodiscard("look whether it gave up: then nothing has happened")]] auto wait(const std::stop_token& stop) const {
    return self().await(patience(stop));
  }
  template <class Rep, class Period>
  [[nodiscard("look whether it gave up: then nothing has happened")]] auto wait_for(
      std::chrono::duration<Rep, Period> time) const {
    return self().await(patience(deadline_after(time)));
  }
  template <class Rep, class Period>
  [[nodiscard("look whether it gave up: then nothing has happened")]] auto wait_for(
      std::chrono::duration<Rep, Period> time, const std::stop_token& stop) const {
    return self().await(patience(deadline_after(time), stop));
  }
  template <class Duration>
  [[nodiscard("look whether it gave up: then nothing has happened")]] auto wait_until(
      std::chrono::time_point<std::chrono::steady_clock, Duration> deadline) const {
    return self().await(patience(to_deadline(deadline)));
  }
  template <class Duration>
  [[nodiscard("look whether it gave up: then nothing has happened")]] auto wait_until(
      std::chrono::time_point<std::chrono::steady_clock, Duration> deadline, const std::stop_token& stop) const {
    return self().await(patience(to_deadline(deadline), stop));
  }

 protected:
  ~waitable() = default;

 private:
  const Self& self() const noexcept { return static_cast<const Self&>(*this); }
  static void endless(bool) noexcept {}
  template <class T>
  static T& endless(T* result) noexcept {
    return *result;
  }
};

/// The same for a type that waits for something given: `bool await(Key, const patience&) const`.
template <class Self, class Key>
class waitable_for {
 public:
  void wait(Key key) const { (void)self().await(key, patience()); }
  [[nodiscard("look whether it gave up: then nothing has happened")]] bool wait(Key key,
                                                                                const std::stop_token& stop) const {
    return self().await(key, patience(stop));
  }
  template <class Rep, class Period>
  [[nodiscard("look whether it gave up: then nothing has happened")]] bool wait_for(
      Key key, std::chrono::duration<Rep, Period> time) const {
    return self().await(key, patience(deadline_after(time)));
  }
  template <class Rep, class Period>
  [[nodiscard("look whether it gave up: then nothing has happened")]] bool wait_for(
      Key key, std::chrono::duration<Rep, Period> time, const std::stop_token& stop) const {
    return self().await(key, patience(deadline_after(time), stop));
  }
  template <class Duration>
  [[nodiscard("look whether it gave up: then nothing has happened")]] bool wait_until(
      Key key, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline) const {
    return self().await(key, patience(to_deadline(deadline)));
  }
  template <class Duration>
  [[nodiscard("look whether it gave up: then nothing has happened")]] bool wait_until(
      Key key, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
      const std::stop_token& stop) const {
    return self().await(key, patience(to_deadline(deadline), stop));
  }

 protected:
  ~waitable_for() = default;

 private:
  const Self& self() const noexcept { return static_cast<const Self&>(*this); }
};

}  // namespace acqrel
