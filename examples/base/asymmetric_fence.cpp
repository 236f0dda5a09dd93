// Two threads, two flags: at least one of the two sees the other's. The frequent side pays nothing.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/asymmetric_fence.hpp>

#include <cstdio>
#include <thread>

namespace {

std::atomic<int> mine{0}, yours{0};
std::atomic<int> inside{0};

void enter() { inside.fetch_add(1, std::memory_order_relaxed); }

void frequent_side() {
  mine.store(1, std::memory_order_relaxed);  // frequent side
  acqrel::asymmetric_thread_fence_light();
  if (yours.load(std::memory_order_relaxed) == 0) enter();
}

void rare_side() {
  yours.store(1, std::memory_order_relaxed);  // rare side
  acqrel::asymmetric_thread_fence_heavy();
  if (mine.load(std::memory_order_relaxed) == 0) enter();
}

}  // namespace

int main() {
  for (int round = 0; round < 200; ++round) {
    mine.store(0, std::memory_order_relaxed);
    yours.store(0, std::memory_order_relaxed);
    inside.store(0, std::memory_order_relaxed);
    std::thread a(frequent_side), b(rare_side);
    a.join();
    b.join();
    if (inside.load(std::memory_order_relaxed) == 2) {
      std::puts("both entered: the fences failed");
      return 1;
    }
  }
  std::printf("200 rounds, never both; %s fences\n",
              acqrel::current_fence_mode() == acqrel::fence_mode::asymmetric ? "asymmetric" : "full");
}
