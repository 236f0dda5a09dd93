// An hour passes in a test, at once.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/fake_clock.hpp>

#include <cstdio>
#include <thread>

int main() {
  using namespace std::chrono_literals;
  acqrel::testing::fake_clock clock;
  const auto tea = clock.now() + 1h;
  const acqrel::park_word called_off{0};
  std::thread guest([&] {
    if (!clock.park_until(called_off, 0, tea)) std::puts("tea is ready");
  });
  clock.advance(1h);  // whoever sleeps until a time within that hour wakes up
  guest.join();
}
