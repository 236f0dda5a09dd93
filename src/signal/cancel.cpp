// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>
#include <acqrel/signal/timer_queue.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

namespace acqrel {

// What a token shares with its copies. Children point to their parents and count; parents know their children through
// links that do not. So a node may be found whose count is 0: try_share() tells, and its destruction takes the link out
// under the parent's mutex. Of two mutexes at most one is held.
struct cancel_node final : cancel_token::shared {
  using entry = cancel_token::entry;

  // A child in its parent's list, or in the list of those whom a cancellation has reached.
  struct link {
    cancel_node* child = nullptr;
    cancel_node* parent = nullptr;  // counted
    link *previous = nullptr, *next = nullptr;
  };
  template <class T>
  struct list {  // doubly linked, so that any leaves in O(1)
    bool holds(const T& item) const noexcept { return item.previous != nullptr || first == &item; }
    void push(T& item) noexcept {
      item.previous = last;
      item.next = nullptr;
      (last == nullptr ? first : last->next) = &item;
      last = &item;
    }
    void remove(T& item) noexcept {
      (item.previous == nullptr ? first : item.previous->next) = item.next;
      (item.next == nullptr ? last : item.next->previous) = item.previous;
      item.previous = item.next = nullptr;
    }
    T* pop() noexcept {
      T* const item = first;
      if (item != nullptr) remove(*item);
      return item;
    }
    T *first = nullptr, *last = nullptr;
  };

  // What a timer or a std::stop_token calls. It may come when nobody else holds the node any more.
  struct follow {
    void operator()() const noexcept {
      cancel_node* const kept = node;  // the last to drop the node destroys this, too
      if (!kept->try_share()) return;
      kept->cancel(why());
      kept->drop();
    }
    cancel_node* node;
    std::exception_ptr (*why)() noexcept;
  };

  static cancel_node& of(const cancel_token& token) noexcept { return static_cast<cancel_node&>(*token.state_); }

  // ---- counting

  // plain: whoever copies holds a count already.
  void share() noexcept { references.fetch_add(1, std::memory_order_relaxed); }

  bool try_share() noexcept {
    // plain: it is never 0 and then 1 again, and the mutex under which the node was found orders the rest.
    std::uint32_t seen = references.load(std::memory_order_relaxed);
    // plain: the same.
    while (seen != 0 &&
           !references.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
    return seen != 0;
  }

  bool is_last() noexcept {
    // edge cancel.reference: acq_rel
    return references.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

  // With its ancestors that nobody else holds, one after the other: a chain of any length takes no stack.
  void drop() noexcept {
    if (!is_last()) return;
    cancel_node* dead = this;
    while (dead != nullptr) {
      cancel_node* const now = std::exchange(dead, dead->next_dead);
      now->stop_linked.reset();
      for (link& up : now->links) {
        if (up.parent == nullptr) continue;
        up.parent->leave(up);
        if (!up.parent->is_last()) continue;
        up.parent->next_dead = dead;
        dead = up.parent;
      }
      delete now;
    }
  }

  void leave(link& child) noexcept {
    const std::lock_guard lock(mutex);
    if (children.holds(child)) children.remove(child);
  }

  // ---- making

  void descend(link& up, const cancel_token& parent) {
    if (parent.state_ == nullptr) return;
    up.child = this;
    up.parent = &of(parent);
    up.parent->share();
    {
      const std::lock_guard lock(up.parent->mutex);
      if (!up.parent->is_marked()) return up.parent->children.push(up);
    }
    cancel(up.parent->cause);
  }

  // ---- cancelling

  bool is_marked() const noexcept {  // for who holds the mutex
    // plain: the mutex orders.
    return (word.load(std::memory_order_relaxed) & cancel_token::is_cancelled) != 0;
  }

  // Makes it cancelled, and moves its children that are alive to `reached`, each with a count. False: it was before.
  bool mark(const std::exception_ptr& why, list<link>& reached) noexcept {
    std::uint32_t before;
    {
      const std::lock_guard lock(mutex);
      if (is_marked()) return false;
      cause = why;
      // edge cancel.cancelled: release
      before = word.fetch_or(cancel_token::is_cancelled, std::memory_order_release);
      while (link* const child = children.pop()) {
        if (child->child->try_share()) reached.push(*child);
      }
    }
    if ((before & cancel_token::has_waiters) != 0) unpark_all(word);
    return true;
  }

  // All descendants first, then the functions of all. No recursion, so that no tree is too deep.
  bool cancel(const std::exception_ptr& why) noexcept {
    list<link> reached, marked;
    if (!mark(why, reached)) return false;
    while (link* const child = reached.pop()) {
      if (child->child->mark(why, reached))
        marked.push(*child);
      else
        child->child->drop();
    }
    call_all();
    while (link* const child = marked.pop()) {
      cancel_node* const node = child->child;
      node->call_all();
      node->drop();
    }
    return true;
  }

  // By the one whose mark() was true.
  void call_all() noexcept {
    deadline_timer.cancel();
    std::unique_lock lock(mutex);
    const std::stop_source to_stop = stop;
    runner = std::this_thread::get_id();
    while (entry* const next = callbacks.pop()) {
      running = next;
      lock.unlock();
      next->call(*next);  // may destroy it
      lock.lock();
      running = nullptr;
      if (leaving == 0) continue;
      // plain: the mutex orders.
      calls_ended.fetch_add(1, std::memory_order_relaxed);
      unpark_all(calls_ended);
    }
    lock.unlock();
    to_stop.request_stop();
  }

  void enlist(entry& callback) noexcept {
    {
      const std::lock_guard lock(mutex);
      if (!is_marked()) return callbacks.push(callback);
    }
    callback.call(callback);
  }

  void leave(entry& callback) noexcept {
    std::unique_lock lock(mutex);
    if (callbacks.holds(callback)) return callbacks.remove(callback);
    if (running != &callback) return;
    if (runner == std::this_thread::get_id()) {
      running = nullptr;  // another may live at this address before the function returns
      return;
    }
    ++leaving;
    while (running == &callback) {
      // plain: the mutex orders.
      const std::uint32_t seen = calls_ended.load(std::memory_order_relaxed);
      lock.unlock();
      park(calls_ended, seen);
      lock.lock();
    }
    --leaving;
  }

  std::atomic<std::uint32_t> references{1};
  std::mutex mutex;
  std::exception_ptr cause;                 // mutex; does not change once the word says cancelled
  list<link> children;                      // mutex
  list<entry> callbacks;                    // mutex
  entry* running = nullptr;                 // mutex
  std::thread::id runner;                   // mutex
  std::uint32_t leaving = 0;                // mutex; how many wait for `running` to change
  park_word calls_ended{0};                 // changed under the mutex
  std::stop_source stop{std::nostopstate};  // mutex; made when first asked for
  // What follows is written before anybody else knows the node.
  link links[2];
  steady_deadline deadline = steady_deadline::max();
  const void* key = nullptr;
  std::shared_ptr<const void> value;
  cancel_node* next_dead = nullptr;  // by who drops the last count
  std::optional<std::stop_callback<follow>> stop_linked;
  timer deadline_timer;  // destroyed first: it waits for its function, which looks at the count
};

namespace {

// Never destroyed: a thread may still have a deadline while static objects die.
timer_queue& common_timers() {
  static auto* const timers = new timer_queue;
  return *timers;
}

template <class Cause>
std::exception_ptr because() noexcept {
  return std::make_exception_ptr(Cause());
}

}  // namespace

// ---- tokens

void cancel_token::add_reference() const noexcept {
  if (state_ != nullptr) cancel_node::of(*this).share();
}
void cancel_token::drop_reference() noexcept { cancel_node::of(*this).drop(); }

std::exception_ptr cancel_token::cause() const noexcept {
  return cancelled() ? cancel_node::of(*this).cause : std::exception_ptr();
}

steady_deadline cancel_token::deadline() const noexcept {
  return state_ == nullptr ? steady_deadline::max() : cancel_node::of(*this).deadline;
}

cancel_token cancel_token::either(const cancel_token& first, const cancel_token& second) {
  auto* const node = new cancel_node;
  cancel_token made(node);
  node->deadline = std::min(first.deadline(), second.deadline());
  node->descend(node->links[0], first.state_ != nullptr ? first : second);
  if (first.state_ != nullptr) node->descend(node->links[1], second);
  return made;
}

cancel_token cancel_token::with(const void* key, std::shared_ptr<const void> value) const {
  auto* const node = new cancel_node;
  cancel_token made(node);
  node->key = key;
  node->value = std::move(value);
  node->deadline = deadline();
  node->descend(node->links[0], *this);
  return made;
}

const void* cancel_token::value_of(const void* key) const noexcept {
  const cancel_node* node = static_cast<const cancel_node*>(state_);
  while (node != nullptr && node->key != key) node = node->links[0].parent;
  return node == nullptr ? nullptr : node->value.get();
}

std::stop_token cancel_token::stop_token() const {
  if (state_ == nullptr) return {};
  cancel_node& node = cancel_node::of(*this);
  std::unique_lock lock(node.mutex);
  if (!node.stop.stop_possible()) node.stop = std::stop_source();
  const std::stop_source made = node.stop;
  const bool late = node.is_marked();
  lock.unlock();
  if (late) made.request_stop();
  return made.get_token();
}

bool cancel_token::await(const patience& patience) const noexcept {
  if (state_ != nullptr) return patience.await(state_->word, has_waiters, [this] { return cancelled(); });
  park_word never{0};
  return patience.await(never, has_waiters, [] { return false; });
}

// ---- sources

cancel_source::cancel_source() : token_(new cancel_node) {}

cancel_source::cancel_source(const cancel_token& parent) : cancel_source(parent, steady_deadline::max()) {}

cancel_source::cancel_source(const cancel_token& parent, steady_deadline deadline)
    : cancel_source(parent, deadline, common_timers()) {}

cancel_source::cancel_source(const cancel_token& parent, steady_deadline deadline, timer_queue& timers)
    : cancel_source() {
  cancel_node& node = cancel_node::of(token_);
  node.deadline = std::min(deadline, parent.deadline());
  if (deadline < parent.deadline()) {
    const cancel_node::follow pass{&node, because<deadline_exceeded>};
    if (deadline <= timers.now()) {
      pass();
    } else {
      const std::lock_guard lock(node.mutex);
      node.deadline_timer = timers.arm(deadline, pass);
    }
  }
  node.descend(node.links[0], parent);
}

cancel_source::cancel_source(const std::stop_token& stop) : cancel_source() {
  cancel_node& node = cancel_node::of(token_);
  node.stop_linked.emplace(stop, cancel_node::follow{&node, because<operation_cancelled>});
}

bool cancel_source::cancel(std::exception_ptr cause) const noexcept {
  if (cause == nullptr) cause = because<operation_cancelled>();
  return cancel_node::of(token_).cancel(cause);
}

// ---- callbacks

void cancel_token::entry::enlist() noexcept {
  if (home == nullptr) return;
  auto& node = static_cast<cancel_node&>(*home);
  node.share();
  node.enlist(*this);
}

void cancel_token::entry::leave() noexcept {
  if (home == nullptr) return;
  auto& node = static_cast<cancel_node&>(*home);
  node.leave(*this);
  node.drop();
}

}  // namespace acqrel
