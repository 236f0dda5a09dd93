// Three threads compute parts; the result is put together when all are there.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/countdown.hpp>

#include <cstdio>
#include <thread>
#include <vector>

namespace {

int compute(std::size_t part) { return static_cast<int>(part) * 10; }
void again() { std::puts("next round"); }

}  // namespace

int main() {
  int result[3] = {};
  acqrel::countdown parts(3);
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i != 3; ++i) {
    workers.emplace_back([&, i] {
      result[i] = compute(i);  // each of three threads
      parts.down();
    });
  }
  parts.wait();  // returns after the third, and sees what all three wrote
  std::printf("%d\n", result[0] + result[1] + result[2]);
  if (parts.reset(3)) again();  // once it is open
  for (auto& worker : workers) worker.join();
}
