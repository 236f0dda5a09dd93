// Calls back at once, and whenever the content behind a path may have changed.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reload/file_watcher.hpp>

#include <atomic>
#include <cstdio>
#include <fstream>

namespace {

std::atomic<int> loads{0};

bool load_again() {
  loads.fetch_add(1, std::memory_order_relaxed);
  const std::ifstream flags("/etc/service/flags.json");
  std::puts(flags ? "there are flags" : "no flags yet");
  return flags.is_open();
}

}  // namespace

int main() {
  acqrel::file_watcher watcher("/etc/service/flags.json", [&] {
    return load_again();  // once at start, then after every change; false: call again later
  });
  const bool looked = watcher.check_and_wait();  // or now, because somebody asked
  watcher.stop();                                // no callback runs from here on
  return looked && loads.load(std::memory_order_relaxed) >= 1 ? 0 : 1;
}
