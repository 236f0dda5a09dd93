// Records that count as written once the flush they belong to has ended.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/generation.hpp>

#include <cstdio>
#include <thread>

int main() {
  acqrel::generation flushes;
  const std::uint64_t mine = flushes.current();  // my record goes out with this flush
  std::thread flusher([&] {
    flushes.fire();  // the flusher: ends the current one, and begins the next
  });
  flushes.wait(mine);  // any number of threads, each for its own number
  std::printf("flush %d is on disk, %d is filling\n", static_cast<int>(mine), static_cast<int>(flushes.current()));
  flusher.join();
}
