// A pointer into one version of a map outlives the version.
//
// Document  Copy-on-write
// Refused   by the compiler
// Saying    name the version first
// Instead   name the version as long as what it points to is used; or ask the map itself, whose get() holds what it finds.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cow_map.hpp>

#include <string>
#include <string_view>

using limits = acqrel::cow_map<std::string, int>;

#if defined(WRONG)
int limit_of(const limits& map, std::string_view name) {
  const int* const found = map.read().find(name);
  return found != nullptr ? *found : 0;
}
#else
int limit_of(const limits& map, std::string_view name) { return map.get(name).value_or(0); }
#endif

int main() {
  const limits map{{"alice", 3}};
  return limit_of(map, "alice") == 3 && limit_of(map, "bob") == 0 ? 0 : 1;
}
