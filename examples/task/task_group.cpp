// Fetches from several places at once; the first failure stops the rest.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/task_group.hpp>

#include <cstdio>
#include <string>

namespace {

void fetch(const std::string& url, const std::stop_token& stop) {
  if (!stop.stop_requested()) std::printf("%s\n", url.c_str());
}

}  // namespace

int main() {
  const std::string urls[] = {"one", "two", "three"};
  acqrel::task_group group(8);  // at most 8 tasks at once
  for (const auto& url : urls) {
    if (!group.spawn([&url](const std::stop_token& stop) { fetch(url, stop); })) break;  // false: one has failed
  }
  group.wait();  // throws what the first that failed has thrown
}
