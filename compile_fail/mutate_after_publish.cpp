// A published value is changed, under the eyes of its readers.
//
// Document  Pitfalls, "mutating a published value"
// Refused   by the compiler
// Saying    assignment of member .*requests.* in read-only object|cannot assign to return value .* const
// Instead   change a copy and publish that: update() does it, and no two updates lose each other.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

struct totals {
  int requests = 0;
};

#if defined(WRONG)
void count(acqrel::snapshot_source<totals>& source) { source.read()->requests += 1; }
#else
void count(acqrel::snapshot_source<totals>& source) {
  source.update([](const totals& old) {
    auto next = std::make_unique<totals>(old);
    next->requests += 1;
    return next;
  });
}
#endif

int main() {
  acqrel::snapshot_source<totals> source{std::make_unique<totals>()};
  count(source);
  return source.read()->requests == 1 ? 0 : 1;
}
