// Limits by name, which a request looks up and an operator changes.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cow_map.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

void serve(int limit) { std::printf("served with limit %d\n", limit); }
void report(std::size_t size, bool bob) { std::printf("%zu limits, %s bob\n", size, bob ? "with" : "without"); }

}  // namespace

int main() {
  const std::string_view name = "alice";
  acqrel::cow_map<std::string, int> limits{{"alice", 10}, {"bob", 20}};
  if (const auto limit = limits.get(name)) serve(*limit);  // any thread; a string_view will do
  std::thread([&] {
    limits.update([&](auto& edit) {  // any thread; all of it or nothing
      edit.upsert("carol", 30);
      edit.erase("bob");
    });
  }).join();
  const auto now = limits.read();  // one version, for several questions
  report(now.size(), now.contains("bob"));
  serve(limits.get("nobody").value_or(1));
  for (const auto& [who, limit] : now) std::printf("%s: %d\n", who.c_str(), limit);
}
