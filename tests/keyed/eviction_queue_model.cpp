// eviction_queue under the checker: one word of a node decides between a pin, a use and its eviction. The end of a pin is all
// that it says of other memory; the rest is under the queue's mutex.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/eviction_queue.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using acqrel::eviction_queue;
using acqrel::model::expect;

struct node : eviction_queue::node {
  explicit node(std::size_t hash) : eviction_queue::node(hash, 1) {}
};

// A queue with room for one, which is in it.
class full {
 public:
  full() { expect(enters(old), "there is room"); }
  void pin() { old->pin(); }
  void unpin() { old->unpin(); }
  void use() { old->use(); }
  bool was_evicted() { return old->was_evicted(); }
  // Another one comes; whether the first leaves for it.
  bool evict() { return enters(next); }

  bool enters(const std::shared_ptr<node>& one) {
    eviction_queue::left out;
    return queue.enter(one, nullptr, out);
  }

  std::shared_ptr<node> old = std::make_shared<node>(1), next = std::make_shared<node>(2);
  eviction_queue queue{1};
};

// The word alone. One twin looks at the pins and then stores; one counts a use by a load and a store.
template <bool evicts_by_store, bool uses_by_store>
class twin {
 public:
  void pin() { word_.fetch_add(8, std::memory_order_relaxed); }
  void use() {
    auto seen = word_.load(std::memory_order_relaxed);
    if constexpr (uses_by_store)
      word_.store(seen + 1, std::memory_order_relaxed);
    else
      word_.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed, std::memory_order_relaxed);
  }
  bool was_evicted() { return (word_.load(std::memory_order_relaxed) & 4) != 0; }
  bool evict() {
    auto seen = word_.load(std::memory_order_relaxed);
    if (seen >= 8) return false;
    if constexpr (evicts_by_store) return word_.store(seen | 4, std::memory_order_relaxed), true;
    return word_.compare_exchange_strong(seen, seen | 4, std::memory_order_relaxed, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> word_{0};
};

template <class Queue>
void pin_beside_an_eviction() {
  Queue queue;
  bool stays = false;
  std::thread holder([&] {
    queue.pin();
    stays = !queue.was_evicted();
  });
  const bool left = queue.evict();
  holder.join();
  expect(!(stays && left), "what is pinned, and was not evicted before, is not evicted");
  expect(left == queue.was_evicted(), "who was evicted is told");
}
MODEL(eviction_queue, gives_up_nothing_that_is_pinned) { pin_beside_an_eviction<full>(); }
MODEL_FAILS(eviction_queue, the_twin_that_evicts_by_a_store, "assertion") {
  pin_beside_an_eviction<twin<true, false>>();
}

// A cache pins what enters until it has put it into its map, and takes out of that what is evicted. `found` is plain: who evicts
// is behind who put it there.
MODEL(eviction_queue, shows_who_evicts_what_was_done_under_the_pin, .shows = {"eviction_queue.unpinned"}) {
  full queue;
  queue.pin();
  bool found = false;
  std::thread holder([&] {
    found = true;
    queue.unpin();
  });
  if (queue.evict()) expect(found, "it is there");
  holder.join();
}

template <class Queue>
void use_beside_an_eviction() {
  Queue queue;
  std::thread user([&] { queue.use(); });
  const bool left = queue.evict();
  user.join();
  expect(left == queue.was_evicted(), "a use takes nothing back");
}
MODEL(eviction_queue, takes_back_no_eviction_by_a_use) { use_beside_an_eviction<full>(); }
MODEL_FAILS(eviction_queue, the_twin_that_uses_by_a_store, "assertion") { use_beside_an_eviction<twin<false, true>>(); }

// SF12
MODEL(eviction_queue, keeps_its_bound_when_two_enter_at_one_time) {
  eviction_queue queue(1);
  const auto a = std::make_shared<node>(1), b = std::make_shared<node>(2);
  int left = 0;
  const auto enter = [&](const std::shared_ptr<node>& one, int& gone) {
    eviction_queue::left out;
    expect(queue.enter(one, nullptr, out), "the other leaves for it");
    while (out.take() != nullptr) ++gone;
  };
  std::thread other([&] {
    int gone = 0;
    enter(b, gone);
    left = gone;
  });
  int gone = 0;
  enter(a, gone);
  other.join();
  expect(gone + left == 1, "one leaves, once");
  expect(queue.weight() == 1 && a->was_evicted() != b->was_evicted(), "one stays");
}

}  // namespace
