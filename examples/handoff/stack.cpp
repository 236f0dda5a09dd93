// Jobs that any thread leaves and any thread takes, the newest first.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/stack.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

namespace {

struct job {
  explicit job(int n) : number(n) {}
  void run() const { std::printf("job %d\n", number); }
  int number;
};

}  // namespace

int main() {
  acqrel::stack<std::unique_ptr<job>> waiting;
  std::thread other([&] {
    waiting.push(std::make_unique<job>(1));  // any thread
    waiting.push(std::make_unique<job>(2));
  });
  waiting.push(std::make_unique<job>(3));
  other.join();
  if (std::optional<std::unique_ptr<job>> next = waiting.pop()) (*next)->run();  // any thread, never waits
  for (std::unique_ptr<job>& each : waiting.pop_all()) each->run();              // newest first
}
