// The value's address outlives the guard that kept it alive.
//
// Document  Pattern 4, whose garbage collector keeps what the pointer points to
// Refused   by the compiler
// Saying    name the guard first
// Instead   name the guard and use it as long as the value; or keep a snapshot_ptr.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#if defined(WRONG)
int limit_of(const acqrel::snapshot_source<int>& source) {
  const int* const limit = source.read().get();
  return *limit;
}
#else
int limit_of(const acqrel::snapshot_source<int>& source) {
  const auto limit = source.read();
  return *limit;
}
#endif

int main() {
  const acqrel::snapshot_source<int> source{std::make_unique<int>(3)};
  return limit_of(source) == 3 ? 0 : 1;
}
