// SPDX-License-Identifier: Apache-2.0
// Counts how often threads of this process wait for a lock, and how long in all.
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/base/probe.hpp>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

constinit std::atomic<long> waits{0};
constinit std::atomic<long> waited{0};

void seen(acqrel::probe what, std::int64_t nanoseconds) noexcept;
void seen(acqrel::probe what, std::int64_t nanoseconds) noexcept {
  if (what != acqrel::probe::lock) return;
  waits.fetch_add(1, std::memory_order_relaxed);
  waited.fetch_add(nanoseconds, std::memory_order_relaxed);
}

}  // namespace

int main() {
  acqrel::install_probe(&seen);  // from now on, called at the end of each wait, on the thread that waited
  acqrel::fair_mutex mutex;
  mutex.lock();
  std::thread other([&] { const std::lock_guard lock(mutex); });
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  mutex.unlock();
  other.join();
  acqrel::install_probe(nullptr);  // no more, but for calls that are under way
  std::printf("%ld waits for a lock, %ld us in all\n", waits.load(), waited.load() / 1000);
  return waits.load() <= 1 ? 0 : 1;
}
