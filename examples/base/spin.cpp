// A short wait that does not sleep, and a long one that does.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/park.hpp>
#include <acqrel/base/spin.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <thread>

int main() {
  constexpr std::uint32_t not_ready = 0;
  std::atomic<std::uint32_t> word{not_ready};
  const auto ready = [&word] { return word.load(std::memory_order_acquire) != not_ready; };
  std::thread notifier([&word] {
    word.store(1, std::memory_order_release);
    acqrel::unpark_all(word);
  });
  acqrel::spinner spinner;
  while (!ready()) {
    if (!spinner.spin()) acqrel::park(word, not_ready);  // no more spinning: sleep
  }
  notifier.join();
  std::puts("ready");
}
