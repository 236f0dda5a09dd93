// Algorithms of the literature, each right and with one order or one step less: the right one has its known number of
// executions, the other one is found out.
// SPDX-License-Identifier: Apache-2.0
#include "counting.hpp"

#include <mutex>

namespace {

using namespace counting;
using acqrel::model::expect;
using std::atomic;
using order = std::memory_order;

// ---- locks: so many threads add one, so many times each, to a plain number

template <class Lock, unsigned Threads, unsigned Times = 1>
void count_under() {
  Lock lock;
  unsigned number = 0;
  in_threads<Threads>([&](unsigned) {
    for (unsigned i = 0; i < Times; ++i) {
      lock.lock();
      ++number;
      lock.unlock();
    }
  });
  expect(number == Threads * Times);
}

template <order Take, order Give>
struct compare_exchange_lock {
  atomic<int> taken{0};
  void lock() {
    for (int free = 0; !taken.compare_exchange_strong(free, 1, Take, relaxed); free = 0) {
    }
  }
  void unlock() { taken.store(0, Give); }
};

template <order Take, order Give>
struct exchange_lock {
  atomic<bool> taken{false};
  void lock() {
    while (taken.exchange(true, Take)) {
    }
  }
  void unlock() { taken.store(false, Give); }
};

template <order Take, order Give>
struct ticket_lock {
  atomic<unsigned> next{0}, serving{0};
  void lock() {
    const unsigned mine = next.fetch_add(1, relaxed);
    while (serving.load(Take) != mine) {
    }
  }
  void unlock() { serving.store(serving.load(relaxed) + 1, Give); }
};

template <order Take, order Give>
struct look_before_you_exchange_lock {
  atomic<bool> taken{false};
  void lock() {
    do {
      while (taken.load(relaxed)) {
      }
    } while (taken.exchange(true, Take));
  }
  void unlock() { taken.store(false, Give); }
};

template <template <order, order> class Lock>
void needs_both_orders() {
  fails("data race", count_under<Lock<relaxed, release>, 2>);
  fails("data race", count_under<Lock<acquire, relaxed>, 2>);
}

TEST(locks, by_compare_exchange) {
  using lock = compare_exchange_lock<acquire, release>;
  explores({2, 2}, count_under<lock, 2>);
  explores({6, 15}, count_under<lock, 3>);
  explores({6, 10}, count_under<lock, 2, 2>);
  needs_both_orders<compare_exchange_lock>();
}

TEST(locks, by_exchange) {
  using lock = exchange_lock<acquire, release>;
  explores({2, 2}, count_under<lock, 2>);
  explores({6, 18}, count_under<lock, 3>);
  explores({6, 10}, count_under<lock, 2, 2>);
  needs_both_orders<exchange_lock>();
}

TEST(locks, by_ticket) {
  using lock = ticket_lock<acquire, release>;
  explores({2, 2}, count_under<lock, 2>);
  explores({6, 24}, count_under<lock, 3>);
  needs_both_orders<ticket_lock>();
}

TEST(locks, that_look_before_they_exchange) {
  using lock = look_before_you_exchange_lock<acquire, release>;
  explores({4, 4}, count_under<lock, 2>);
  explores({36, 81}, count_under<lock, 3>);
  needs_both_orders<look_before_you_exchange_lock>();
}

template <order Store, order Load>
void peterson() {
  atomic<bool> wants[2] = {false, false};
  atomic<unsigned> turn{0};
  unsigned number = 0;
  in_threads<2>([&](unsigned me) {
    const unsigned other = 1 - me;
    wants[me].store(true, Store);
    turn.store(other, Store);
    while (wants[other].load(Load) && turn.load(Load) == other) {
    }
    ++number;
    wants[me].store(false, Store);
  });
  expect(number == 2);
}

TEST(locks, by_peterson) {
  explores({4, 6}, peterson<seq_cst, seq_cst>);
  fails("data race", peterson<release, acquire>);
}

TEST(locks, taken_in_two_orders_wait_for_each_other) {
  const auto both = [](bool same_order) {
    exchange_lock<acquire, release> a, b;
    in_threads<2>([&](unsigned i) {
      auto& first = i == 0 || same_order ? a : b;
      auto& second = i == 0 || same_order ? b : a;
      first.lock();
      second.lock();
      second.unlock();
      first.unlock();
    });
  };
  explores({2, 2}, [&] { both(true); });
  fails("livelock", [&] { both(false); });
}

// ---- a loop that locks, looks and unlocks waits, as one that loads does

/// As exchange_lock, but unlocks by a read-modify-write too.
struct exchange_twice_lock {
  atomic<bool> taken{false};
  void lock() {
    while (taken.exchange(true, acquire)) {
    }
  }
  void unlock() { taken.exchange(false, release); }
};

template <class Lock, unsigned Pollers>
void poll_until_set(bool set) {
  Lock lock;
  atomic<bool> flag{false};
  in_threads<Pollers + 1>([&](unsigned i) {
    bool done = i == Pollers;
    if (done) {
      const std::lock_guard hold(lock);
      if (set) flag.store(true, relaxed);
    }
    while (!done) {
      const std::lock_guard hold(lock);
      done = flag.load(relaxed);
    }
  });
}

template <class Lock>
void polls() {
  const acqrel::model::result r = acqrel::model::check([] { poll_until_set<Lock, 1>(true); });
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_LE(r.executions, knows_loops_at_once ? 3u : 10u);
  fails("livelock", [] { poll_until_set<Lock, 1>(false); });
  fails("livelock", [] { poll_until_set<Lock, 2>(false); });
}

TEST(polling, under_a_lock_is_waiting) {
  polls<std::mutex>();
  polls<exchange_lock<acquire, release>>();
  polls<exchange_twice_lock>();
}

/// Polls under a lock, for ever or only four times, while two others go through the same lock. What those see who find the
/// flag set, one bit for each outcome.
template <class Lock>
std::uint64_t outcomes_of_polling(bool for_ever) {
  std::uint64_t seen = 0;
  const acqrel::model::result r = acqrel::model::check({.look_for_duplicates = true}, [&] {
    Lock lock;
    atomic<int> flag{0}, y{0}, z{0};
    bool found = false;
    int a = 0, b = 0;
    together(
        [&] {
          for (int tries = 0; !found && tries < 4; tries += for_ever ? 0 : 1) {
            const std::lock_guard hold(lock);
            found = flag.load(relaxed) == 1;
            if (!found) continue;
            a = y.load(relaxed);
            b = z.load(relaxed);
          }
        },
        [&] {
          y.store(2, relaxed);
          lock.lock();
          lock.unlock();
          z.store(2, relaxed);
        },
        [&] {
          lock.lock();
          flag.store(1, relaxed);
          y.store(1, relaxed);
          lock.unlock();
          z.store(1, relaxed);
        });
    if (found) seen |= std::uint64_t{1} << (a + 3 * b + 9 * (y.load(relaxed) - 1) + 18 * (z.load(relaxed) - 1));
  });
  EXPECT_TRUE(r.passed()) << r.report();
  if (!for_ever && knows_loops_at_once) {
    EXPECT_EQ(r.executions, 158u);
  }
  EXPECT_EQ(r.duplicates, 0u);
  return seen;
}

TEST(polling, for_ever_shows_what_polling_a_few_times_shows) {
  EXPECT_EQ(outcomes_of_polling<std::mutex>(true), outcomes_of_polling<std::mutex>(false));
  EXPECT_EQ(outcomes_of_polling<exchange_twice_lock>(true), outcomes_of_polling<exchange_twice_lock>(false));
}

// ---- Treiber's stack

struct node {
  int value;
  node* next;
};

void push(atomic<node*>& top, int value, order publish) {
  node* const n = new node{value, top.load(relaxed)};
  while (!top.compare_exchange_strong(n->next, n, publish, relaxed)) {
  }
}

/// Two threads, each pushes a node and takes one.
template <order Push, order Pop, bool Delete>
void stack() {
  atomic<node*> top{nullptr};
  in_threads<2>([&](unsigned me) {
    push(top, static_cast<int>(me), Push);
    node* n = top.load(Pop);
    while (n != nullptr && !top.compare_exchange_strong(n, n->next, Pop)) {
    }
    expect(n != nullptr, "there is a node for each");
    expect(n->value == 0 || n->value == 1);
    if (Delete) delete n;
  });
}

TEST(treiber_stack, whose_nodes_are_never_freed) {
  explores({36, 4}, stack<release, acquire, false>);
  fails("data race", stack<relaxed, acquire, false>);
}

TEST(treiber_stack, that_deletes_what_it_pops_is_used_after_free) {
  fails("use after free", stack<release, acquire, true>);
}

/// One node at first. A thread pushes another and takes one, a second thread takes one; what the other thread points at is
/// not deleted but left.
template <order Everything, order Pop>
void stack_with_hazards() {
  atomic<node*> top{new node{0, nullptr}};
  atomic<node*> hazard[2] = {nullptr, nullptr};
  const auto pop = [&](unsigned me) {
    for (;;) {
      node* n = top.load(Everything);
      if (n == nullptr) return;
      hazard[me].store(n, Everything);
      if (top.load(Everything) != n) continue;
      node* const next = n->next;
      if (!top.compare_exchange_strong(n, next, Pop, Pop == release ? relaxed : Pop)) continue;
      if (hazard[1 - me].load(Everything) != n) delete n;
      return;
    }
  };
  in_threads<2>([&](unsigned me) {
    if (me == 0) {
      node* const n = new node{1, top.load(Everything)};
      while (!top.compare_exchange_strong(n->next, n, Everything)) {
      }
    }
    pop(me);
  });
}

TEST(treiber_stack, with_hazard_pointers) {
  explores({44, 5}, stack_with_hazards<seq_cst, seq_cst>);
  fails("use after free", stack_with_hazards<seq_cst, acquire>);
}

// ---- Vyukov's bounded queue

template <order Publish>
class bounded_queue {
 public:
  bounded_queue() {
    for (unsigned i = 0; i < size; ++i) slots_[i].turn.store(i, relaxed);
  }

  bool push(int value) {
    unsigned at = tail_.load(relaxed);
    for (;;) {
      slot& s = slots_[at % size];
      const auto ahead = static_cast<int>(s.turn.load(acquire) - at);
      if (ahead < 0) return false;
      if (ahead > 0) {
        at = tail_.load(relaxed);
      } else if (tail_.compare_exchange_weak(at, at + 1, relaxed)) {
        s.value = value;
        s.turn.store(at + 1, Publish);
        return true;
      }
    }
  }

  bool pop(int& value) {
    unsigned at = head_.load(relaxed);
    for (;;) {
      slot& s = slots_[at % size];
      const auto ahead = static_cast<int>(s.turn.load(acquire) - (at + 1));
      if (ahead < 0) return false;
      if (ahead > 0) {
        at = head_.load(relaxed);
      } else if (head_.compare_exchange_weak(at, at + 1, relaxed)) {
        value = s.value;
        s.turn.store(at + size, Publish);
        return true;
      }
    }
  }

 private:
  static constexpr unsigned size = 2;
  struct slot {
    atomic<unsigned> turn;
    int value;
  };
  slot slots_[size];
  atomic<unsigned> head_{0}, tail_{0};
};

template <unsigned Producers, unsigned Consumers, order Publish = release>
void queue() {
  bounded_queue<Publish> q;
  in_threads<Producers + Consumers>([&](unsigned i) {
    int value = static_cast<int>(i);
    if (i < Producers)
      q.push(value);
    else if (q.pop(value))
      expect(value < static_cast<int>(Producers));
  });
}

TEST(bounded_queue, two_producers) {
  explores({14}, queue<2, 1>);
  explores({118}, queue<2, 2>);
  fails("data race", queue<2, 1, relaxed>);
}

TEST(bounded_queue, three_producers_and_two_consumers) { explores({10542}, queue<3, 2>); }

// ---- the deque of Chase and Lev, in the orders of Le, Pop, Cohen and Zappa Nardelli (PPoPP 2013)

template <order Fence>
class stealing_deque {
 public:
  static constexpr int nothing = -1;

  void push(int value) {
    const long b = bottom_.load(relaxed);
    values_[b].store(value, relaxed);
    std::atomic_thread_fence(release);
    bottom_.store(b + 1, relaxed);
  }

  int take() {
    const long b = bottom_.load(relaxed) - 1;
    bottom_.store(b, relaxed);
    std::atomic_thread_fence(Fence);
    long t = top_.load(relaxed);
    if (t > b) {
      bottom_.store(b + 1, relaxed);
      return nothing;
    }
    int value = values_[b].load(relaxed);
    if (t == b) {
      if (!top_.compare_exchange_strong(t, t + 1, seq_cst, relaxed)) value = nothing;
      bottom_.store(b + 1, relaxed);
    }
    return value;
  }

  int steal() {
    long t = top_.load(acquire);
    std::atomic_thread_fence(Fence);
    if (t >= bottom_.load(acquire)) return nothing;
    const int value = values_[t].load(relaxed);
    return top_.compare_exchange_strong(t, t + 1, seq_cst, relaxed) ? value : nothing;
  }

 private:
  atomic<long> top_{0}, bottom_{0};
  atomic<int> values_[4] = {};
};

template <order Fence>
void two_values_are_had_once_each() {
  stealing_deque<Fence> deque;
  deque.push(0);
  deque.push(1);
  unsigned taken[2] = {0, 0}, stolen[2] = {0, 0};
  std::thread thief([&] {
    for (int i = 0; i < 2; ++i)
      if (const int value = deque.steal(); value >= 0) ++stolen[value];
  });
  for (int i = 0; i < 2; ++i)
    if (const int value = deque.take(); value >= 0) ++taken[value];
  thief.join();
  expect(taken[0] + stolen[0] <= 1 && taken[1] + stolen[1] <= 1, "a value is had twice");
}

TEST(stealing_deque, gives_each_value_once) {
  explores({41}, two_values_are_had_once_each<seq_cst>);
  fails("assertion", two_values_are_had_once_each<acq_rel>);
}

}  // namespace
