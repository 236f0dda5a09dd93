// Something that sleeps until a time, by a clock that can be exchanged.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/time_source.hpp>

#include <atomic>
#include <cstdio>

int main() {
  using namespace std::chrono_literals;
  acqrel::time_source& time = acqrel::time_source::steady();  // what every part uses unless it is given another
  const acqrel::steady_deadline deadline = time.now() + 10ms;
  const std::atomic<std::uint32_t> stopped{0};
  const bool woken = time.park_until(stopped, 0, deadline);
  std::printf("%s\n", woken ? "stopped early" : "10 ms later");
}
