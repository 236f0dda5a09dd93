// An alarm that rings once, and one that is called off.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/timer_queue.hpp>

#include <cstdio>

using namespace std::chrono_literals;

namespace {
void ring() { std::puts("ring"); }
}  // namespace

int main() {
  acqrel::timer_queue timers;
  acqrel::timer alarm = timers.arm_after(10ms, [&] { ring(); });  // called once, not before 10 ms from now
  acqrel::timer nap = timers.arm_after(1h, [] { ring(); });
  const bool in_time = nap.cancel() == acqrel::timer_cancel::cancelled;
  alarm.wait();                                // or wait_for, wait_until
  acqrel::timer_cancel late = alarm.cancel();  // cancelled, running, or gone
  return in_time && late == acqrel::timer_cancel::gone ? 0 : 1;
}
