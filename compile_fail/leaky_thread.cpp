// A thread is started that nobody can stop.
//
// Document  M.3
// Refused   when it runs
// Saying    terminate called without an active exception|terminating
// Instead   std::jthread: its destructor asks it to stop and waits; and it sleeps where the stop token wakes it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/park.hpp>

#include <thread>

#if defined(WRONG)
void run_in_background() {
  std::thread background([] {
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
  });
}
#else
void run_in_background() {
  std::jthread background([](const std::stop_token& stop) {
    const acqrel::park_word never{0};
    while (!stop.stop_requested()) {
      if (acqrel::park_until(never, 0, acqrel::deadline_after(std::chrono::seconds(1)), stop)) break;
    }
  });
}
#endif

int main() { run_in_background(); }
