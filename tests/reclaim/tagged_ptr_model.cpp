// A stack of three nodes that are used again and never freed: a pop that is held up while two go and one comes back. With a
// generation every node is had once; with the pointer alone one is lost.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reclaim/tagged_ptr.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using acqrel::tagged_ptr;
using acqrel::model::expect;

struct node {
  std::atomic<node*> below{nullptr};
  int had = 0;  // by how many; belongs to who popped the node
};

class naive_ptr {
 public:
  tagged_ptr<node> load() const { return {held_.load(std::memory_order_acquire), 0}; }
  bool compare_exchange(tagged_ptr<node>& expected, node* desired) {
    return held_.compare_exchange_strong(expected.pointer, desired, std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }

 private:
  std::atomic<node*> held_{nullptr};
};

template <class Top>
void push(Top& top, node* added) {
  --added->had;
  tagged_ptr<node> seen = top.load();
  do added->below.store(seen.pointer, std::memory_order_relaxed);
  while (!top.compare_exchange(seen, added));
}

template <class Top>
node* pop(Top& top) {
  tagged_ptr<node> seen = top.load();
  while (seen.pointer != nullptr && !top.compare_exchange(seen, seen.pointer->below.load(std::memory_order_relaxed))) {
  }
  if (seen.pointer != nullptr) expect(++seen.pointer->had == 1, "a node is popped by one");
  return seen.pointer;
}

template <class Top>
void replay() {
  Top top;
  node nodes[3];
  for (node& each : nodes) {
    each.had = 1;
    push(top, &each);
  }
  std::thread other([&] { pop(top); });
  node* const first = pop(top);
  pop(top);
  if (first != nullptr) push(top, first);
  other.join();
  while (pop(top) != nullptr) {
  }
  for (const node& each : nodes) expect(each.had == 1, "no node is lost");
}

MODEL(tagged_ptr, replay_double_width) { replay<acqrel::atomic_tagged_ptr<node>>(); }
MODEL(tagged_ptr, replay_packed, .shows = {"packed_ptr.value"}) { replay<acqrel::atomic_packed_ptr<node>>(); }
MODEL_FAILS(tagged_ptr, replay_without_generations, "assertion") { replay<naive_ptr>(); }

// What is behind the pointer is seen whole.
MODEL(tagged_ptr, publishes_what_it_points_to) {
  acqrel::atomic_tagged_ptr<int> top;
  int value = 0;
  std::thread reader([&] {
    if (const int* seen = top.load().pointer) expect(*seen == 1, "it is whole");
  });
  value = 1;
  tagged_ptr<int> seen = top.load();
  expect(top.compare_exchange(seen, &value), "nobody else writes");
  reader.join();
}

}  // namespace
