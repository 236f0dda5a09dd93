// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/thread_cells.hpp>

#include <thread>

int main() {
  acqrel::thread_cells words(2);  // two words for each thread that ever writes one of them
  const auto call = [&](std::uint64_t bytes) {
    acqrel::thread_cells::add(words.mine()[0], 1);  // any thread: a load and a store
    acqrel::thread_cells::add(words.mine()[1], bytes);
  };
  std::thread other(call, 100);
  call(20);
  other.join();
  const std::uint64_t calls = words.sum(0);  // any thread
  return calls == 2 && words.sum(1) == 120 ? 0 : 1;
}
