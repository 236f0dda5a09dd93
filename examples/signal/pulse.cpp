// A thread that looks again whenever something may have changed.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/pulse.hpp>

#include <cstdio>
#include <mutex>
#include <thread>

namespace {

std::mutex door;
int parcels = 0;

bool look() {
  const std::lock_guard lock(door);
  return parcels == 3;
}

}  // namespace

int main() {
  acqrel::pulse changed;
  std::thread courier([&] {
    for (int n = 0; n != 3; ++n) {
      {
        const std::lock_guard lock(door);
        ++parcels;
      }
      changed.notify();  // whoever changed what is looked at
    }
  });
  for (;;) {
    const acqrel::pulse_ticket seen = changed.ticket();  // before looking
    if (look()) break;
    changed.wait(seen);  // at once if a pulse came after the ticket
  }
  std::puts("all parcels are here");
  courier.join();
}
