// A lock is held while something slow is fetched: whoever wants the lock waits for the network.
//
// Document  Pitfalls, "holding a lock during slow I/O"
// Refused   by the analysis
// Saying    cannot call function 'fetch' while mutex 'mutex' is held
// Instead   fetch first, lock then. Say of what is slow which locks it must not be called under: ACQREL_EXCLUDES.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>

#include <map>
#include <string>

struct cache {
  int fetch(const std::string& key) ACQREL_EXCLUDES(mutex) { return static_cast<int>(key.size()); }
  int fill(const std::string& key) ACQREL_EXCLUDES(mutex);
  acqrel::fair_mutex mutex;
  std::map<std::string, int> values ACQREL_GUARDED_BY(mutex);
};

#if defined(WRONG)
int cache::fill(const std::string& key) {
  const acqrel::fair_lock lock(mutex);
  return values[key] = fetch(key);
}
#else
int cache::fill(const std::string& key) {
  const int fetched = fetch(key);
  const acqrel::fair_lock lock(mutex);
  return values[key] = fetched;
}
#endif

int main() {
  cache one;
  return one.fill("abc") == 3 ? 0 : 1;
}
