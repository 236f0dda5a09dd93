// Limits that several threads may change, each on the grounds of what it read.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/versioned.hpp>

#include <cstdio>

namespace {

struct limits {
  int rate;
};

limits raised(const limits& old) { return {old.rate + 10}; }

}  // namespace

int main() {
  acqrel::versioned<limits> current;
  current.set({.rate = 100});                                      // any thread: version 1, then 2, 3 ...
  auto now = current.read();                                       // any thread: a value with its own version
  const bool alone = current.set_if(now.version(), raised(*now));  // only if nothing came between
  std::printf("%s\n", alone ? "raised" : "somebody was faster");

  const auto kept = current.get_snapshot();  // for any thread, any duration
  std::printf("version %llu: rate %d\n", static_cast<unsigned long long>(kept.version()), kept->rate);
  current.erase();
  std::printf("version %llu: %s\n", static_cast<unsigned long long>(current.version()),
              current.read() ? "a value" : "no value");
  std::printf("set again: version %llu\n", static_cast<unsigned long long>(current.set({.rate = 1})));
}
