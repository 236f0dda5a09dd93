// Bugs planted on purpose, each beside the program without it: one word apart where that is possible.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace {

// ---- a stack whose pop frees what it took: the source document's, where a garbage collector was at hand

struct node {
  int value;
  node* next;
};

/// Hazard pointers by the book (Michael 2004), one for each of two threads.
struct hazards {
  std::atomic<node*> held[2] = {nullptr, nullptr};
};

enum class reclaim { at_once, hazard_without_second_look, hazard };

template <reclaim How>
struct stack {
  std::atomic<node*> top{nullptr};
  hazards hazard;
  node* kept[2] = {nullptr, nullptr};  // what the other thread may still hold, one for each thread

  ~stack() {
    for (node* n : kept) delete n;
    for (node* n = top.load(); n != nullptr;) delete std::exchange(n, n->next);
  }

  void push(int v) {
    node* const n = new node{v, top.load()};
    while (!top.compare_exchange_strong(n->next, n)) {
    }
  }

  node* protect(int me) {
    node* n = top.load();
    if (How == reclaim::at_once) return n;
    for (;;) {
      hazard.held[me].store(n);
      if (How == reclaim::hazard_without_second_look) return n;
      node* const again = top.load();
      if (again == n) return n;
      n = again;
    }
  }

  int pop(int me) {
    for (;;) {
      node* n = protect(me);
      if (n == nullptr) return 0;
      node* expected = n;
      if (!top.compare_exchange_strong(expected, n->next)) continue;
      const int v = n->value;
      if (How != reclaim::at_once) hazard.held[me].store(nullptr);
      if (How != reclaim::at_once && hazard.held[1 - me].load() == n) {
        kept[me] = n;
      } else {
        delete n;
      }
      return v;
    }
  }
};

template <reclaim How>
void two_pops() {
  stack<How> s;
  s.push(1);
  s.push(2);
  int other = 0;
  std::thread t([&] { other = s.pop(1); });
  const int mine = s.pop(0);
  t.join();
  EXPECT_EQ(mine + other, 3);
}

MODEL_FAILS(planted, a_pop_that_frees_at_once, "use after free") { two_pops<reclaim::at_once>(); }
MODEL_FAILS(planted, a_hazard_pointer_without_a_second_look, "use after free") {
  two_pops<reclaim::hazard_without_second_look>();
}
MODEL(planted, a_hazard_pointer) { two_pops<reclaim::hazard>(); }

// ---- the document's advice against ABA, "pack the pointer and a generation": nodes of a pool, by index

constexpr unsigned none = 3;

template <unsigned GenerationStep>
struct pool_stack {
  std::array<std::atomic<unsigned>, 3> next{1u, 2u, none};
  std::atomic<unsigned> top{0};  // index | generation << 8

  unsigned pop() {
    unsigned seen = top.load();
    for (;;) {
      const unsigned i = seen & 0xff;
      if (i == none) return none;
      if (top.compare_exchange_strong(seen, next[i].load() | ((seen & ~0xffu) + (GenerationStep << 8)))) return i;
    }
  }
  void push(unsigned i) {
    unsigned seen = top.load();
    do {
      next[i].store(seen & 0xff);
    } while (!top.compare_exchange_strong(seen, i | ((seen & ~0xffu) + (GenerationStep << 8))));
  }
};

template <unsigned GenerationStep>
void nobody_owns_twice() {
  pool_stack<GenerationStep> s;
  unsigned mine = none;
  std::thread t([&] { mine = s.pop(); });
  const unsigned a = s.pop(), b = s.pop();
  if (a != none) s.push(a);
  t.join();
  EXPECT_TRUE(mine == none || mine != b);
  for (unsigned i = s.pop(); i != none; i = s.pop()) {
    EXPECT_NE(i, mine);
    EXPECT_NE(i, b);
  }
}

MODEL_FAILS(planted, a_pooled_stack_without_a_generation, "assertion") { nobody_owns_twice<0>(); }
MODEL(planted, a_pooled_stack_with_a_generation) { nobody_owns_twice<1>(); }

// ---- an address taken for an identity: the cache of what was read, without a reference on it

template <bool Counted>
void a_cache_knows_its_version() {
  std::atomic<int*> current{new int(1)};
  int* const seen = current.load();
  const int cached = *seen;
  std::thread writer([&] {
    if (!Counted) delete current.load();
    current.store(new int(2), std::memory_order_release);
  });
  writer.join();
  EXPECT_TRUE(current.load() != seen || cached == *current.load());
  if (Counted) delete seen;
  delete current.load();
}

MODEL_FAILS(planted, an_address_taken_for_a_version, "assertion", .reuse_memory = true) {
  a_cache_knows_its_version<false>();
}
MODEL(planted, an_address_taken_for_a_version_where_none_is_used_again) { a_cache_knows_its_version<false>(); }
MODEL(planted, a_counted_version, .reuse_memory = true) { a_cache_knows_its_version<true>(); }

// ---- a wake-up before the sleep

template <bool Locked>
void a_flag_is_announced() {
  std::mutex m;
  std::condition_variable changed;
  std::atomic<bool> ready{false};
  std::thread waiter([&] {
    std::unique_lock lock(m);
    while (!ready.load()) changed.wait(lock);
  });
  if (Locked) {
    const std::lock_guard lock(m);
    ready.store(true);
  } else {
    ready.store(true);  // between the waiter's look and its sleep
  }
  changed.notify_one();
  waiter.join();
}

MODEL_FAILS(planted, a_flag_set_without_the_mutex, "deadlock") { a_flag_is_announced<false>(); }
MODEL(planted, a_flag_set_under_the_mutex) { a_flag_is_announced<true>(); }

// ---- double-checked locking

template <std::memory_order Load, std::memory_order Store>
struct lazy {
  std::mutex m;
  std::atomic<int*> made{nullptr};
  ~lazy() { delete made.load(); }

  int get() {
    int* p = made.load(Load);
    if (p == nullptr) {
      const std::lock_guard lock(m);
      p = made.load(std::memory_order_relaxed);
      if (p == nullptr) made.store(p = new int(42), Store);
    }
    return *p;
  }
};

template <std::memory_order Load, std::memory_order Store>
void both_get_it() {
  lazy<Load, Store> value;
  std::thread other([&] { EXPECT_EQ(value.get(), 42); });
  EXPECT_EQ(value.get(), 42);
  other.join();
}

MODEL(planted, double_checked_locking) { both_get_it<std::memory_order_acquire, std::memory_order_release>(); }
// G9
MODEL_FAILS(planted, double_checked_locking_without_acquire, "data race") {
  both_get_it<std::memory_order_relaxed, std::memory_order_release>();
}
MODEL_FAILS(planted, double_checked_locking_without_release, "data race") {
  both_get_it<std::memory_order_acquire, std::memory_order_relaxed>();
}

// ---- a latch that is gone when it is signalled: whoever waits owns it

template <bool WaitsForTheSignaller>
struct latch {
  std::mutex m;
  std::condition_variable zero;
  std::atomic<int> left{1};

  void count_down() {
    if (WaitsForTheSignaller) {
      const std::lock_guard lock(m);
      if (left.fetch_sub(1) == 1) zero.notify_all();  // under the mutex: wait() can not return before
    } else if (left.fetch_sub(1) == 1) {
      const std::lock_guard lock(m);  // too late: a waiter that saw zero may have destroyed it
      zero.notify_all();
    }
  }
  void wait() {
    if (!WaitsForTheSignaller && left.load() == 0) return;
    std::unique_lock lock(m);
    while (left.load() != 0) zero.wait(lock);
  }
};

template <bool WaitsForTheSignaller>
void the_waiter_destroys_it() {
  auto* const l = new latch<WaitsForTheSignaller>;
  std::thread worker([l] { l->count_down(); });
  l->wait();
  delete l;
  worker.join();
}

MODEL_FAILS(planted, a_latch_signalled_after_its_end, "use after free") { the_waiter_destroys_it<false>(); }
MODEL(planted, a_latch_signalled_under_its_mutex) { the_waiter_destroys_it<true>(); }

// ---- a value published by its pointer: in an atomic, and in a plain one

template <class Pointer>
void a_value_is_published() {
  struct pair {
    int a, b;
  };
  static pair value;
  static Pointer current;
  value = {0, 0};
  current = nullptr;
  std::thread writer([] {
    value = {1, ~1};
    current = &value;
  });
  const auto* const seen = static_cast<const pair*>(static_cast<void*>(current));
  if (seen != nullptr) {
    EXPECT_EQ(seen->a, ~seen->b);
  }
  writer.join();
}

MODEL(planted, a_value_published_by_an_atomic) { a_value_is_published<std::atomic<void*>>(); }
// G11
MODEL_FAILS(planted, a_value_published_by_a_plain_pointer, "data race") { a_value_is_published<void*>(); }

}  // namespace
