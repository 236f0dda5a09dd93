// acqrel/handoff/select.hpp - wait for several things at once, and do exactly one of them.
//
//   acqrel::select(
//       acqrel::on_receive(jobs, [](std::optional<job> one) { if (one) run(*one); }),         // none: drained
//       acqrel::on_send(results, std::move(mine), [](bool sent) { if (!sent) lost(); }),      // false: closed
//       acqrel::on_event(ready, [] { serve(); }),
//       acqrel::on_watch(changes, [&] { use(changes.receive()); }),                           // there is news, or no more
//       acqrel::on_deadline(steady_clock::now() + 1s, [] { give_up(); }),
//       acqrel::on_stop(stop, [] { clean_up(); }));                                           // returns which: 0 to 5
//
// Publishes  what its channels, event or watch do.
// Edges      those of channel, event and watch; channel.settled also for the case that a stop decided.
// Progress   blocking: it holds the locks of all its channels for a few instructions, in the order of their addresses, then
//            waits at all of them. Where events or watches are among the cases and the system has no futex_waitv, it notices
//            them within 10 ms.
// Memory     on the stack, some 100 bytes for each case.
// Threads    any; what the cases name outlives the call. A channel may be in several cases, on both sides, and is never
//            served by its own select.
// Errors     What a function throws, or moving an item, passes; a thrown move leaves the item as the channel does. A stop
//            or a deadline among cases that are ready has no precedence.
// Cost       with channels, a locked operation each, and again if it waits. Bench select/two_channels.
// Model      tests/handoff/select_model.cpp.
// Not for    one thing with a deadline and a stop token: every wait has them.
//
// The functions run after the choice, under no lock, and may select. Of cases that are ready one is taken at random.
// try_select() takes none only if at one instant none was ready: while it holds the locks, no channel changes, and what
// else it looks at is never unready again, so what it finds unready then was so at the first look.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/handoff/channel.hpp>
#include <acqrel/publish/watch.hpp>
#include <acqrel/signal/event.hpp>

#include <array>

namespace acqrel {

/// Of a case, what knows neither item nor function.
class select_case {
 public:
  select_case(const select_case&) = delete;
  select_case& operator=(const select_case&) = delete;

  /// Something ready or not, and then for good, with a word to sleep on.
  struct waited_for {
    bool (*ready)(const void*);
    park_case (*announce)(const void*);
    const void* whom;
  };
  /// The cases, and room for as many, and one word more.
  struct table {
    select_case** order;       // shuffled
    select_case** by_address;  // those with a channel
    park_case* words;
    std::size_t count;
  };
  /// Returns the one chosen; null: none, and `waits` is false.
  [[nodiscard]] static select_case* choose(const table& cases, bool waits) noexcept;

 protected:
  enum class kind : std::uint8_t { send, receive, word, deadline, stop };

  select_case(kind is, channel_core& channel) noexcept : kind_(is), channel_(&channel) {}
  explicit select_case(const waited_for& what) noexcept : kind_(kind::word), what_(what) {}
  explicit select_case(steady_deadline deadline) noexcept : kind_(kind::deadline), deadline_(deadline) {}
  explicit select_case(const std::stop_token& stop) noexcept : kind_(kind::stop), stop_(&stop) {}
  ~select_case() = default;

  void* item_ = nullptr;
  channel_core::found found_;  // of the one chosen

 private:
  struct stopper {
    channel_core::choice* choice;
    bool* stopped;
    void operator()() const noexcept;
  };
  class locks;
  void prepare(channel_core::choice& mine) noexcept;
  [[nodiscard]] bool take() noexcept;
  void join() noexcept;
  void listen(channel_core::choice& mine) noexcept;
  [[nodiscard]] bool leave() noexcept;
  [[nodiscard]] static select_case* wait(const table& cases, channel_core::choice& mine) noexcept;

  kind kind_;
  bool stopped_ = false;
  channel_core* channel_ = nullptr;
  waited_for what_{};
  steady_deadline deadline_ = steady_deadline::max();
  const std::stop_token* stop_ = nullptr;
  std::optional<channel_core::place> place_;
  std::optional<std::stop_callback<stopper>> callback_;
};

template <class T, class F>
class [[nodiscard("give it to select()")]] receive_case : public select_case {
 public:
  receive_case(channel<T> & from, F f) : select_case(kind::receive, from.core_), from_(&from), f_(std::forward<F>(f)) {
    item_ = &received_;
  }
  void run() {
    from_->finish_receive(found_, received_);
    std::optional<T> item = std::move(received_);
    received_.reset();
    f_(std::move(item));
  }

 private:
  channel<T>* from_;
  std::optional<T> received_;
  F f_;
};

template <class T, class F>
class [[nodiscard("give it to select()")]] send_case : public select_case {
 public:
  send_case(channel<T> & to, T & item, F f) : select_case(kind::send, to.core_), to_(&to), f_(std::forward<F>(f)) {
    item_ = std::addressof(item);
  }
  void run() { f_(to_->finish_send(found_, *static_cast<T*>(item_))); }

 private:
  channel<T>* to_;
  F f_;
};

template <class F>
class [[nodiscard("give it to select()")]] plain_case : public select_case {
 public:
  template <class... What>
  explicit plain_case(F f, const What&... what) : select_case(what...), f_(std::forward<F>(f)) {}
  void run() { f_(); }

 private:
  F f_;
};

/// The next item of a channel, or that it is drained: f(std::optional<T>).
template <class T, class F>
[[nodiscard]] receive_case<T, std::decay_t<F>> on_receive(channel<T>& from, F&& f) {
  static_assert(std::is_invocable_v<F&, std::optional<T>>, "on_receive: f takes std::optional<T>, none if drained");
  return {from, std::forward<F>(f)};
}
/// Sends `item`, or is refused as the channel is closed: f(bool sent). Not chosen or refused, it is not moved from.
template <class T, class F>
[[nodiscard]] send_case<T, std::decay_t<F>> on_send(channel<T>& to, std::type_identity_t<T>&& item, F&& f) {
  static_assert(std::is_invocable_v<F&, bool>, "on_send: f takes a bool, false if the channel is closed");
  return {to, item, std::forward<F>(f)};
}
/// The event has happened: f().
template <class F>
[[nodiscard]] plain_case<std::decay_t<F>> on_event(const event& whom, F&& f) {
  constexpr auto ready = [](const void* it) { return static_cast<const event*>(it)->is_set(); };
  constexpr auto announce = [](const void* it) { return static_cast<const event*>(it)->announce(); };
  return plain_case<std::decay_t<F>>(std::forward<F>(f), select_case::waited_for{ready, announce, &whom});
}
/// There is something to receive() of the watch, or no more: f().
template <class T, class F>
[[nodiscard]] plain_case<std::decay_t<F>> on_watch(const watch_receiver<T>& whom, F&& f) {
  constexpr auto ready = [](const void* it) { return static_cast<const watch_receiver<T>*>(it)->news(); };
  constexpr auto announce = [](const void* it) { return static_cast<const watch_receiver<T>*>(it)->announce(); };
  return plain_case<std::decay_t<F>>(std::forward<F>(f), select_case::waited_for{ready, announce, &whom});
}
/// It is that late: f().
template <class Duration, class F>
[[nodiscard]] plain_case<std::decay_t<F>> on_deadline(std::chrono::time_point<std::chrono::steady_clock, Duration> when,
                                                      F&& f) {
  return plain_case<std::decay_t<F>>(std::forward<F>(f), to_deadline(when));
}
/// Stop was requested: f().
template <class F>
[[nodiscard]] plain_case<std::decay_t<F>> on_stop(const std::stop_token& stop, F&& f) {
  return plain_case<std::decay_t<F>>(std::forward<F>(f), stop);
}

/// Waits until a case is ready, and does it: its function runs. Returns which, counting from 0.
template <class... Cases>
std::size_t select(Cases&&... cases);

/// The same, if one is ready now; none: none was.
template <class... Cases>
[[nodiscard]] std::optional<std::size_t> try_select(Cases&&... cases);

// ------------------------------------------------------------------------ Implementation

template <class... Cases>
std::optional<std::size_t> select_now_or(bool waits, Cases&... cases) {
  constexpr std::size_t count = sizeof...(cases);
  static_assert(count != 0 && count < most_park_cases, "select: it takes one case or more");
  std::array<select_case*, count> order{&cases...}, by_address{};
  std::array<park_case, count + 1> words{};
  const select_case* const chosen = select_case::choose({order.data(), by_address.data(), words.data(), count}, waits);
  if (chosen == nullptr) return std::nullopt;
  std::size_t which = 0;
  (void)((chosen == &cases ? (cases.run(), true) : (++which, false)) || ...);
  return which;
}

template <class... Cases>
std::size_t select(Cases&&... cases) {
  return *select_now_or(true, cases...);
}

template <class... Cases>
std::optional<std::size_t> try_select(Cases&&... cases) {
  return select_now_or(false, cases...);
}

}  // namespace acqrel
