// One thread sleeps until another says that something is ready.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/park.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>

int main() {
  std::atomic<std::uint32_t> ready{0};
  int answer = 0;
  std::thread waiter([&] {
    while (ready.load(std::memory_order_acquire) == 0) acqrel::park(ready, 0);  // waiter
    std::printf("the answer is %d\n", answer);
  });
  answer = 42;                                // visible to the waiter, for it is written before the release
  ready.store(1, std::memory_order_release);  // notifier
  acqrel::unpark_all(ready);
  waiter.join();
}
