// A guard is made here and returned to there.
//
// Document  Read-mostly state: how long a reader may hold a snapshot
// Refused   by the compiler
// Saying    use of deleted function|call to (implicitly-)?deleted
// Instead   return a snapshot_ptr, or the answer that the guard was read for.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#if defined(WRONG)
auto checked(const acqrel::snapshot_source<int>& source) {
  auto now = source.read();
  if (!now) throw "nothing published";
  return now;
}
#else
auto checked(const acqrel::snapshot_source<int>& source) {
  auto now = source.get_snapshot();
  if (!now) throw "nothing published";
  return now;
}
#endif

int main() {
  const acqrel::snapshot_source<int> source{std::make_unique<int>(3)};
  return *checked(source) == 3 ? 0 : 1;
}
