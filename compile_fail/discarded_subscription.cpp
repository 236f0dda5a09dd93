// A subscription is thrown away, and the callback with it: it is called once at most, or never.
//
// Document  Adding callbacks; A.4
// Refused   by the compiler
// Saying    ignoring return(ed)? value|nodiscard
// Instead   keep what on_change() returns for as long as the callback is wanted.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/watch.hpp>

#if defined(WRONG)
int follow(acqrel::watch<int>& limit) {
  int now = 0;
  limit.on_change([&](int newest) { now = newest; });
  limit.publish(5);
  return now;
}
#else
int follow(acqrel::watch<int>& limit) {
  int now = 0;
  const auto following = limit.on_change([&](int newest) { now = newest; });
  limit.publish(5);
  return now;
}
#endif

int main() {
  acqrel::watch<int> limit;
  return follow(limit) == 5 ? 0 : 1;
}
