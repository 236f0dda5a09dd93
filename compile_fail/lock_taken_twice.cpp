// A function that holds the lock calls another that takes it: with most mutexes the thread waits for itself, for ever.
//
// Document  Appendix D
// Refused   when it runs
// Saying    synchronized
// Instead   let the inner function take the value, not the lock.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/synchronized.hpp>

acqrel::synchronized<int> total;

#if defined(WRONG)
void add(int n) {
  total.with_lock([&](int& now) { now += n; });
}
void add_twice(int n) {
  total.with_lock([&](int&) {
    add(n);
    add(n);
  });
}
#else
void add(int& now, int n) { now += n; }
void add_twice(int n) {
  total.with_lock([&](int& now) {
    add(now, n);
    add(now, n);
  });
}
#endif

int main() {
  add_twice(3);
  return total.with_lock([](int now) { return now; }) == 6 ? 0 : 1;
}
