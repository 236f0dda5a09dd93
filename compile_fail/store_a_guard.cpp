// A guard is stored for later: it belongs to the thread and the scope that made it, and old versions pile up behind it.
//
// Document  Read-mostly state: how long a reader may hold a snapshot
// Refused   by the compiler
// Saying    use of deleted function|call to (implicitly-)?deleted
// Instead   store a snapshot_ptr: counted, for any thread and any duration.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#include <vector>

#if defined(WRONG)
struct request {
  explicit request(const acqrel::snapshot_source<int>& source) : limit(new auto(source.read())) {}
  acqrel::snapshot_guard<int>* limit;
};
#else
struct request {
  explicit request(const acqrel::snapshot_source<int>& source) : limit(source.get_snapshot()) {}
  acqrel::snapshot_ptr<int> limit;
};
#endif

int main() {
  acqrel::snapshot_source<int> source{std::make_unique<int>(3)};
  const request kept(source);
  source.emplace(4);
  return *kept.limit == 3 ? 0 : 1;
}
