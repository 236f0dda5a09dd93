// Visits by name, counted by many threads; and everybody greeted and forgotten at the end.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/concurrent_map.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

void greet(std::string_view who, int times) {
  std::printf("%.*s: %d\n", static_cast<int>(who.size()), who.data(), times);
}

}  // namespace

int main() {
  const std::string_view name = "alice";
  acqrel::concurrent_map<std::string, int> visits;
  visits.insert("alice", 1);  // any thread
  std::thread([&] {
    if (const auto found = visits.find(name)) greet(name, *found);  // any thread; a string_view will do
  }).join();
  visits.update("alice", [](const int* old) { return std::optional(old != nullptr ? *old + 1 : 1); });
  visits.insert_or_assign("bob", 1);
  visits.for_each(greet);
  visits.for_each([&](const std::string& who, int) { visits.erase(who); });  // each key once, whatever others do
  std::printf("%zu are left\n", visits.size());
}
