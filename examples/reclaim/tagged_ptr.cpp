// A free list of nodes that are never given back to the allocator: an address that comes back is told by its generation.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reclaim/tagged_ptr.hpp>

#include <array>
#include <atomic>
#include <cstdio>

namespace {

struct node {
  std::atomic<node*> below{nullptr};  // atomic: a thread that will lose may look while another writes
  int number = 0;
};

}  // namespace

int main() {
  std::array<node, 3> nodes;
  acqrel::atomic_tagged_ptr<node> top;
  for (node& each : nodes) {
    node* const mine = &each;
    mine->number = static_cast<int>(mine - nodes.data());
    acqrel::tagged_ptr<node> seen = top.load();  // any thread
    do mine->below = seen.pointer;
    while (!top.compare_exchange(seen, mine));  // fails, too, if the same address came back
  }
  acqrel::tagged_ptr<node> seen = top.load();
  while (seen.pointer != nullptr) {
    node* const taken = seen.pointer;
    if (!top.compare_exchange(seen, taken->below)) continue;
    std::printf("node %d\n", taken->number);
    seen = top.load();
  }
  acqrel::atomic_packed_ptr<node> small;  // 8 bytes, but every 65,536th is taken for the same
  return small.load().pointer == nullptr ? 0 : 1;
}
