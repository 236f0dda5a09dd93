// A callback for a cancellation is made and thrown away in one line: it is never called.
//
// Document  context: AfterFunc and the stop function that it returns
// Refused   by the compiler
// Saying    give it a name|ignoring temporary|nodiscard
// Instead   give it a name: it is registered for as long as it lives.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>

#if defined(WRONG)
int ask(acqrel::cancel_source& request) {
  int calls = 0;
  acqrel::cancel_callback(request.token(), [&] { ++calls; });
  request.cancel();
  return calls;
}
#else
int ask(acqrel::cancel_source& request) {
  int calls = 0;
  const acqrel::cancel_callback counting(request.token(), [&] { ++calls; });
  request.cancel();
  return calls;
}
#endif

int main() {
  acqrel::cancel_source request;
  return ask(request) == 1 ? 0 : 1;
}
