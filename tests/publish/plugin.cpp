// A shared object that uses the library, loaded by plugin_host.cpp while it runs.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

using source = acqrel::snapshot_source<long>;

extern "C" const void* plugin_record() {
  const source here{std::make_unique<long>(1)};
  (void)*here.read().operator->();
  return acqrel::hazard_this_thread;
}
extern "C" void plugin_with_guard(const source* s, void (*meanwhile)(), long* before, long* after) {
  const auto guard = s->read();
  *before = *guard;
  meanwhile();
  *after = *guard;
}
extern "C" void plugin_publish(source* s, long n) { s->publish(std::make_unique<long>(n)); }
