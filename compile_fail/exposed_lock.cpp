// The lock stands beside the data, for callers to take, and one forgets.
//
// Document  Pattern: explicit lock exposed in the type; Appendix S
// Refused   by the analysis
// Saying    reading variable 'hits' requires holding mutex 'one.mutex'
// Instead   synchronized: there is no way to the value but through its lock. It needs no analysis.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/publish/synchronized.hpp>

#if defined(WRONG)
struct counter {
  acqrel::fair_mutex mutex;
  long hits ACQREL_GUARDED_BY(mutex) = 0;
};

long look(counter& one) { return one.hits; }
#else
struct counter {
  acqrel::synchronized<long> hits;
};

long look(counter& one) {
  return one.hits.with_lock([](long now) { return now; });
}
#endif

int main() {
  counter one;
  return static_cast<int>(look(one));
}
