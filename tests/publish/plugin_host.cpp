// A program and a shared object it loads with RTLD_LOCAL share one hazard domain: what one protects,
// the other does not free. Argument: the shared object.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace {

using source = acqrel::snapshot_source<long>;
source current{std::make_unique<long>(1)};

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "plugin_host: %s\n", what);
  std::exit(1);
}

template <class F>
F symbol(void* plugin, const char* name) {
  void* const address = dlsym(plugin, name);
  check(address != nullptr, name);
  return reinterpret_cast<F>(address);
}

}  // namespace

int main(int, char** arguments) {
  (void)*current.read().operator->();
  void* const plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) std::fprintf(stderr, "%s\n", dlerror());
  check(plugin != nullptr, "dlopen failed");
  check(symbol<const void* (*)()>(plugin, "plugin_record")() == acqrel::hazard_this_thread,
        "the shared object has a hazard domain of its own");
  long before = 0, after = 0;
  symbol<void (*)(const source*, void (*)(), long*, long*)>(plugin, "plugin_with_guard")(
      &current,
      [] {
        for (long n = 2; n < 10'000; ++n) current.publish(std::make_unique<long>(n));
        acqrel::drain();
      },
      &before, &after);
  check(before == 1 && after == 1, "a version held by the shared object was freed");
  symbol<void (*)(source*, long)>(plugin, "plugin_publish")(&current, -1);
  check(*current.read().operator->() == -1, "what the shared object published is not seen");
  current.publish(nullptr);  // the version's destructor lives in the shared object
  acqrel::drain();
  check(dlclose(plugin) == 0, "dlclose failed");
  std::puts("one domain");
}
