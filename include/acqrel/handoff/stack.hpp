// acqrel/handoff/stack.hpp - a stack that any threads push to and pop from.
//
//   acqrel::stack<std::unique_ptr<job>> waiting;
//   waiting.push(std::make_unique<job>(1));                                     // any thread
//   if (std::optional<std::unique_ptr<job>> next = waiting.pop()) (*next)->run();  // any thread, never waits
//   for (std::unique_ptr<job>& each : waiting.pop_all()) each->run();           // newest first
//
// Publishes  each item pushed, and everything its pusher did before.
// Edges      none of its own: hazard.publish carries an item from push to pop, and a node whose
//            link is followed cannot be freed or used again meanwhile (hazard.protect).
// Progress   push, pop and pop_all lock-free, but for the allocator and T's own functions.
// Memory     64 bytes an item where T has at most 24, else 40 and T. Of popped items up to 1,024
//            nodes a thread wait for its next scan, and up to 1,024 to be used again.
// Threads    push, pop, pop_all and empty from any. Destruction needs exclusive access.
// Errors     push: what allocating the node or copying T throws; the stack is as before. pop does
//            not compile for a T whose move may throw: the item would be lost. pop_all() does.
// Cost       push one compare-exchange, pop one and a protection. Bench stack/push_pop.
// Model      tests/handoff/stack_model.cpp; address reuse, relaxed push and missing hazards fail.
// Not for    first in, first out, or waiting for an item.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/probe.hpp>
#include <acqrel/reclaim/hazard.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace acqrel {

template <class T>
class stack {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "acqrel::stack: T is a type of objects that can be taken");
  static_assert(std::is_nothrow_destructible_v<T>, "acqrel::stack: T's destructor must not throw");

 public:
  class items;

  constexpr stack() noexcept = default;
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;
  ~stack();

  void push(const T& value) { emplace(value); }
  void push(T&& value) { emplace(std::move(value)); }
  /// Makes a T in its place. If that throws, nothing was pushed.
  template <class... Arguments>
  void emplace(Arguments&&... arguments);

  /// The newest item, or nothing if there is none now.
  [[nodiscard]] std::optional<T> pop() noexcept;

  /// All items at once, newest first: the stack is empty then. They may be changed and moved from.
  [[nodiscard]] items pop_all() noexcept { return items(hazard_take(top_, &hazard_nothing)); }

  /// Whether there was no item at a moment of the call.
  [[nodiscard]] bool empty() const noexcept {
    // plain: a look; who wants an item pops
    return top_.current.load(std::memory_order_relaxed) == &hazard_nothing;
  }

 private:
  // From push to pop shared and immutable; `value` then belongs to who popped, while others may still look at `below`.
  struct node : hazard_object {
    template <class... Arguments>
    explicit node(Arguments&&... arguments)
        : hazard_object(&destroy, nullptr), value(std::forward<Arguments>(arguments)...) {}
    ~node() {}  // whoever popped has destroyed the value
    static void destroy(hazard_object* object) noexcept;

    hazard_object* below = nullptr;
    union {
      T value;
    };
  };

  static void* allocate();
  static void deallocate(void* memory) noexcept;

  hazard_cell top_;  // hazard_nothing lies at the bottom; owns a reference, as each node does of the one below
};

/// What pop_all() took. Destroys what is left when it ends.
template <class T>
class stack<T>::items {
 public:
  class iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;
    T& operator*() const noexcept { return static_cast<node*>(at_)->value; }
    T* operator->() const noexcept { return std::addressof(**this); }
    iterator& operator++() noexcept {
      at_ = static_cast<node*>(at_)->below;
      return *this;
    }
    iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator&) const noexcept = default;

   private:
    friend class items;
    explicit iterator(hazard_object* at) noexcept : at_(at) {}
    hazard_object* at_ = &hazard_nothing;
  };

  items(items&& other) noexcept : top_(std::exchange(other.top_, &hazard_nothing)) {}
  items& operator=(items&& other) noexcept {
    items(std::move(other)).swap(*this);
    return *this;
  }
  ~items() {
    while (top_ != &hazard_nothing) {
      node* const popped = static_cast<node*>(top_);
      top_ = popped->below;
      std::destroy_at(std::addressof(popped->value));
      hazard_retire_lazily(popped);  // a pop that lost may still look at `below`
    }
  }

  [[nodiscard]] bool empty() const noexcept { return top_ == &hazard_nothing; }
  iterator begin() const noexcept { return iterator(top_); }
  iterator end() const noexcept { return iterator(&hazard_nothing); }
  void swap(items& other) noexcept { std::swap(top_, other.top_); }

 private:
  friend class stack;
  explicit items(hazard_object* top) noexcept : top_(top) {}
  hazard_object* top_;
};

// ------------------------------------------------------------------------ Implementation

template <class T>
template <class... Arguments>
void stack<T>::emplace(Arguments&&... arguments) {
  void* const memory = allocate();
  node* added;
  try {
    added = ::new (memory) node(std::forward<Arguments>(arguments)...);
  } catch (...) {
    deallocate(memory);
    throw;
  }
  // plain: it is stored, not looked into
  hazard_object* top = top_.current.load(std::memory_order_relaxed);
  added->below = top;
  // edge hazard.publish: release
  // plain: as above
  while (!top_.current.compare_exchange_weak(top, added, std::memory_order_release, std::memory_order_relaxed)) {
    added->below = top;
    probe_retry();
  }
}

template <class T>
std::optional<T> stack<T>::pop() noexcept {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "acqrel::stack::pop() would lose the item if moving it out threw: make T's move constructor noexcept, "
                "keep std::unique_ptr<T> in the stack, or use pop_all(), which moves nothing");
  for (;;) {
    const hazard_protection top = hazard_protect(top_);
    if (top.object == &hazard_nothing) {
      hazard_release(top);
      return std::nullopt;
    }
    node* const popped = static_cast<node*>(top.object);
    const bool won = hazard_unlink(top_, popped, popped->below);
    hazard_release(top);
    if (!won) {
      probe_retry();
      continue;
    }
    std::optional<T> item(std::move(popped->value));
    std::destroy_at(std::addressof(popped->value));
    hazard_retire_lazily(popped);
    return item;
  }
}

template <class T>
stack<T>::~stack() {
  // plain: exclusive access
  hazard_object* top = top_.current.load(std::memory_order_relaxed);
  while (top != &hazard_nothing) {
    node* const last = static_cast<node*>(top);
    top = last->below;
    std::destroy_at(std::addressof(last->value));
    node::destroy(last);  // nobody is left who could look at it
  }
}

template <class T>
void stack<T>::node::destroy(hazard_object* object) noexcept {
  node* const self = static_cast<node*>(object);
  self->~node();
  deallocate(self);
}

template <class T>
void* stack<T>::allocate() {
  if constexpr (alignof(node) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
    return ::operator new (sizeof(node), std::align_val_t{alignof(node)});
  else if constexpr (sizeof(node) > hazard_node_size)
    return ::operator new(sizeof(node));
  else
    return hazard_allocate_node();
}

template <class T>
void stack<T>::deallocate(void* memory) noexcept {
  if constexpr (alignof(node) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
    ::operator delete (memory, std::align_val_t{alignof(node)});
  else if constexpr (sizeof(node) > hazard_node_size)
    ::operator delete(memory);
  else
    hazard_free_node(memory);
}

}  // namespace acqrel
