// A timer is armed and thrown away, which cancels it.
//
// Document  X.2
// Refused   by the compiler
// Saying    ignoring return(ed)? value|nodiscard
// Instead   keep the timer; or detach() it, if it shall run whoever still remembers it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>
#include <acqrel/signal/timer_queue.hpp>

#include <chrono>

using namespace std::chrono_literals;

#if defined(WRONG)
void ring_later(acqrel::timer_queue& timers, acqrel::event& rung) {
  timers.arm_after(1ms, [&] { rung.notify(); });
}
#else
void ring_later(acqrel::timer_queue& timers, acqrel::event& rung) {
  timers.arm_after(1ms, [&] { rung.notify(); }).detach();
}
#endif

int main() {
  acqrel::event rung;
  acqrel::timer_queue timers;
  ring_later(timers, rung);
  rung.wait();
}
