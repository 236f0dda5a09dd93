// A counter for each thread, none of which slows another down.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/padded.hpp>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <thread>
#include <vector>

int main() {
  acqrel::padded<std::atomic<long>> hits[4];  // one writer each, no line shared
  std::vector<std::thread> writers;
  for (std::size_t slot = 0; slot < 4; ++slot) {
    writers.emplace_back([&hits, slot] {
      for (std::size_t i = 0; i < 1000 * (slot + 1); ++i) {
        hits[slot]->fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (auto& writer : writers) writer.join();
  long first = hits[0]->load(std::memory_order_relaxed);
  long last = hits[3]->load(std::memory_order_relaxed);
  std::printf("first %ld, last %ld, %zu bytes apart\n", first, last, sizeof hits[0]);
  return first == 1000 && last == 4000 ? 0 : 1;
}
