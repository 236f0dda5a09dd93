// Three threads compute parts; who waits for the group sees all of them.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/wait_group.hpp>

#include <cstdio>
#include <thread>
#include <utility>
#include <vector>

namespace {

int compute(std::size_t part) { return static_cast<int>(part) * 10; }
void serve(acqrel::wait_group::member) { std::puts("served"); }
void again() { std::puts("next round"); }

}  // namespace

int main() {
  int result[3] = {};
  std::vector<std::thread> workers;
  acqrel::wait_group group;
  for (std::size_t i = 0; i != 3; ++i) {
    workers.emplace_back([member = group.enter(), i, &result] { result[i] = compute(i); });  // leaves with its thread
  }
  group.wait();  // sees what all members wrote
  std::printf("%d\n", result[0] + result[1] + result[2]);
  if (auto late = group.try_enter()) serve(std::move(late));  // false: a wait has begun
  if (group.reset()) again();                                 // the next round
  for (auto& worker : workers) worker.join();
}
