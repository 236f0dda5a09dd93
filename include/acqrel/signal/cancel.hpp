// acqrel/signal/cancel.hpp - asks work to stop, and everything that was begun for it.
//
//   acqrel::cancel_source request(service, acqrel::deadline_after(2s));   // cancelled with `service`, or after 2 s
//   acqrel::cancel_token token = request.token();                         // handed to whoever works for it
//   while (!token.cancelled()) work_a_little();
//   request.cancel(std::make_exception_ptr(client_went_away()));          // the first cause wins: token.cause()
//
// Publishes  the cause, and what was done before cancel().
// Edges      cancel.cancelled   cancel() -> cancelled(), cause(), wait()   the cause
//            cancel.reference   a token's end -> the last one's            what was read through it, before it is freed
// Progress   cancelled(), cause(), deadline(), value() wait-free. The rest takes a mutex, under which nobody's code runs;
//            ~cancel_callback waits for the function if another thread is in it.
// Memory     one allocation for each source, with(), any(): some 300 bytes. A parent lives as long as its children.
// Threads    every member of sources, keys and tokens from any, each object as an int is. cancel() calls the functions;
//            that of a deadline runs on the thread of its timer_queue.
// Errors     bad_alloc; system_error if the first deadline gets no thread. A callback that throws ends the program.
// Cost       cancelled(): one acquire load. cancel(): a lock for each descendant; no recursion. Leaving a parent: O(1).
//            Bench cancel/poll.
// Model      tests/signal/cancel_model.cpp: one cause of two; callbacks and their destruction; every edge also weakened.
// Not for    handing over data: values are for what belongs to a request, such as its trace.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace acqrel {

class timer_queue;

/// The cause where no other is given.
struct operation_cancelled : std::exception {
  const char* what() const noexcept override { return "acqrel: operation cancelled"; }
};
/// The cause where a deadline has passed.
struct deadline_exceeded final : operation_cancelled {
  const char* what() const noexcept override { return "acqrel: deadline exceeded"; }
};

/// Names a value of tokens, by its address: define it `inline constexpr cancel_key<trace> current_trace;`.
template <class T>
class cancel_key {
 public:
  constexpr cancel_key() noexcept = default;
  cancel_key(const cancel_key&) = delete;  // a copy would be another key: pass it by reference
  cancel_key& operator=(const cancel_key&) = delete;
};

/// Tells whether work shall stop. Copies are the same token; one that was made from nothing is never cancelled. With the
/// waits of waitable<cancel_token>: wait_for(10ms) is a sleep that a cancellation ends.
class cancel_token : public waitable<cancel_token> {
 public:
  cancel_token() noexcept = default;
  cancel_token(const cancel_token& other) noexcept : state_(other.state_) { add_reference(); }
  cancel_token(cancel_token&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  cancel_token& operator=(cancel_token other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~cancel_token() {
    if (state_ != nullptr) drop_reference();
  }

  /// A descendant follows its ancestor before cancel() of the ancestor calls any function.
  [[nodiscard]] bool cancelled() const noexcept {
    // edge cancel.cancelled: acquire
    return state_ != nullptr && (state_->word.load(std::memory_order_acquire) & is_cancelled) != 0;
  }
  /// Why; null while it is not cancelled.
  [[nodiscard]] std::exception_ptr cause() const noexcept;
  /// Throws the cause.
  void throw_if_cancelled() const {
    if (cancelled()) std::rethrow_exception(cause());
  }
  /// The earliest of the source's and its ancestors' deadlines; time_point::max() if there is none.
  [[nodiscard]] steady_deadline deadline() const noexcept;

  /// A token that is cancelled with this one and also has this value.
  template <class T>
  [[nodiscard]] cancel_token with(const cancel_key<T>& key, std::type_identity_t<T> value) const {
    return with(&key, std::make_shared<const T>(std::move(value)));
  }
  template <class T>
  cancel_token with(const cancel_key<T>&& key,
                    std::type_identity_t<T> value) const = delete;  // nobody could ask for it
  /// The value nearest in the line of first parents, or null. It lives as long as this token.
  template <class T>
  [[nodiscard]] const T* value(const cancel_key<T>& key) const noexcept {
    return static_cast<const T*>(value_of(&key));
  }

  /// Cancelled as soon as any of them is, with its cause. The values are those of the first.
  template <std::same_as<cancel_token>... Tokens>
  [[nodiscard]] static cancel_token any(const cancel_token& first, const cancel_token& second,
                                        const Tokens&... others) {
    if constexpr (sizeof...(others) == 0) {
      return either(first, second);
    } else {
      return any(either(first, second), others...);
    }
  }

  /// For what takes one, all waits of this library among them. It follows while a copy of this cancel_token is alive.
  [[nodiscard]] std::stop_token stop_token() const;

 private:
  friend class waitable<cancel_token>;
  friend class cancel_source;
  friend struct cancel_node;
  template <std::invocable Function>
  friend class cancel_callback;
  static constexpr std::uint32_t is_cancelled = 1, has_waiters = 2;

  struct shared {
    mutable park_word word{0};
  };
  struct entry {  // a cancel_callback's place in its token's list
    entry(const cancel_token& token, void (*to_call)(entry&) noexcept) noexcept : home(token.state_), call(to_call) {}
    void enlist() noexcept;
    void leave() noexcept;
    entry *previous = nullptr, *next = nullptr;  // the node's mutex
    shared* const home;                          // counted
    void (*const call)(entry&) noexcept;
  };

  explicit cancel_token(shared* adopted) noexcept : state_(adopted) {}
  void add_reference() const noexcept;
  void drop_reference() noexcept;
  cancel_token with(const void* key, std::shared_ptr<const void> value) const;
  const void* value_of(const void* key) const noexcept;
  static cancel_token either(const cancel_token& first, const cancel_token& second);
  bool await(const patience& patience) const noexcept;

  shared* state_ = nullptr;
};

/// Cancels its token and all that were made from it. Copies are the same source; destroying them cancels nothing.
class cancel_source {
 public:
  cancel_source();
  /// Cancelled with `parent`, not the other way round.
  explicit cancel_source(const cancel_token& parent);
  /// And once `deadline` has passed, with the cause deadline_exceeded.
  cancel_source(const cancel_token& parent, steady_deadline deadline);
  /// The same by the clock of `timers`, which must not be destroyed before all that has the deadline.
  cancel_source(const cancel_token& parent, steady_deadline deadline, timer_queue& timers);
  /// Cancelled when `stop` is requested.
  explicit cancel_source(const std::stop_token& stop);

  /// True: this was the first call, and its cause counts; null is operation_cancelled. Then all tokens are cancelled and
  /// their functions were called when it returns, but those that another cancellation is calling.
  bool cancel(std::exception_ptr cause = nullptr) const noexcept;
  [[nodiscard]] cancel_token token() const noexcept { return token_; }

 private:
  cancel_token token_;
};

/// Calls `function` once, when the token is cancelled: on the thread that cancels, or at once if it was. Destroyed, it
/// never calls it again, and waits if another thread is in it; from the function itself it may be destroyed.
template <std::invocable Function>
class cancel_callback : private cancel_token::entry {
 public:
  [[nodiscard("give it a name: it calls the function only while it exists")]] cancel_callback(const cancel_token& token,
                                                                                              Function function)
      : entry(token, [](entry& self) noexcept { static_cast<cancel_callback&>(self).function_(); }),
        function_(std::move(function)) {
    enlist();
  }
  ~cancel_callback() { leave(); }
  cancel_callback(const cancel_callback&) = delete;
  cancel_callback& operator=(const cancel_callback&) = delete;

 private:
  Function function_;
};

}  // namespace acqrel
