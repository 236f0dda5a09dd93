// A value that was published once is changed afterwards.
//
// Document  Pattern 1; Pitfalls, "mutating a published value"
// Refused   by the compiler
// Saying    read-only|const
// Instead   change it before it is published; what changes later is a snapshot_source.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/one_shot.hpp>

struct config {
  int port = 0;
};

#if defined(WRONG)
void start(acqrel::one_shot<config>& current) {
  current.publish(config{});
  current.get()->port = 8016;
}
#else
void start(acqrel::one_shot<config>& current) {
  config next;
  next.port = 8016;
  current.publish(std::move(next));
}
#endif

int main() {
  acqrel::one_shot<config> current;
  start(current);
  return current.wait().port == 8016 ? 0 : 1;
}
