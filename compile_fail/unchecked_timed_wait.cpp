// A wait may have given up, and nobody looks.
//
// Document  Pattern 2, waiting with a timeout
// Refused   by the compiler
// Saying    look whether it gave up: then nothing has happened
// Instead   ask what the wait says; or wait() without a limit, which says nothing because it never gives up.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>

#include <chrono>

using namespace std::chrono_literals;

#if defined(WRONG)
bool serve(const acqrel::event& ready) {
  ready.wait_for(10ms);
  return true;
}
#else
bool serve(const acqrel::event& ready) {
  if (!ready.wait_for(10ms)) return false;
  return true;
}
#endif

int main() {
  acqrel::event ready;
  if (serve(ready)) return 1;
  ready.notify();
  return serve(ready) ? 0 : 1;
}
