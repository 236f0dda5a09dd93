// A number that may be waited for: a till calls the next ticket, customers wait for theirs.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable_word.hpp>

#include <cstdio>
#include <thread>

int main() {
  const acqrel::patience patience;  // endless
  acqrel::waitable_word tickets;    // 0
  std::thread till([&] {
    for (int served = 0; served != 3; ++served) {
      tickets.change([](std::uint64_t n) { return n + 1; });  // any thread; wakes who waits
    }
  });
  (void)tickets.await(patience, [](std::uint64_t n) { return n >= 3; });  // false: patience ran out first
  std::printf("ticket %d\n", static_cast<int>(tickets.value()));
  till.join();
}
