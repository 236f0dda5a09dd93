// SPDX-License-Identifier: Apache-2.0
// A stranger's program: publishes, reads and replaces a value with nothing but the installed headers and library.
#include <acqrel/publish/snapshot_source.hpp>

#include <cstdio>
#include <memory>

struct config {
  int x;
};

int main() {
  acqrel::snapshot_source<config> source{std::make_unique<config>(config{1})};
  {
    auto old = source.read();
    source.publish(std::make_unique<config>(config{2}));
    if (old->x != 1) return 1;
  }
  auto now = source.read();
  std::printf("consumer read %d\n", now->x);
  return now->x == 2 ? 0 : 1;
}
