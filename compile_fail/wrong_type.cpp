// A cell is given a value of another type.
//
// Document  Q.4
// Refused   by the compiler
// Saying    no matching function|cannot convert|could not convert|invalid initialization|no viable conversion
// Instead   the cell's own type; what it may hold, it says.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

struct limits {
  int requests = 0;
};
struct colours {
  int red = 0;
};

#if defined(WRONG)
void install(acqrel::snapshot_source<limits>& source) { source.publish(std::make_unique<colours>()); }
#else
void install(acqrel::snapshot_source<limits>& source) { source.publish(std::make_unique<limits>()); }
#endif

int main() {
  acqrel::snapshot_source<limits> source;
  install(source);
  return source.read()->requests;
}
