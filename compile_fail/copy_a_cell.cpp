// A cell is copied: now there are two, and who publishes to one is not heard at the other.
//
// Document  S, "do not copy after first use"
// Refused   by the compiler
// Saying    use of deleted function|call to (implicitly-)?deleted
// Instead   take a reference to the one cell, or copy the value out of it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#if defined(WRONG)
int limit_of(acqrel::snapshot_source<int> source) { return *source.get_snapshot(); }
#else
int limit_of(const acqrel::snapshot_source<int>& source) { return *source.get_snapshot(); }
#endif

int main() {
  acqrel::snapshot_source<int> source{std::make_unique<int>(3)};
  return limit_of(source) == 3 ? 0 : 1;
}
