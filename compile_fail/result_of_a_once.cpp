// What the function of a once returns is lost, and with it, perhaps, that it failed.
//
// Document  Pattern 3; Appendix C
// Refused   by the compiler
// Saying    the function's result would be lost
// Instead   let it throw when it fails; keep a result in acqrel::lazy.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/lazy.hpp>

bool open_log() { return true; }

#if defined(WRONG)
struct log {
  bool ready() {
    opened.call(open_log);
    return opened.done();
  }
  acqrel::once opened;
};
#else
struct log {
  bool ready() { return opened.get(); }
  acqrel::lazy<bool (*)()> opened{open_log};
};
#endif

int main() {
  log one;
  return one.ready() ? 0 : 1;
}
