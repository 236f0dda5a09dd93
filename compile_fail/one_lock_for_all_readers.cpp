// A global lock for each look into a global map, and a pointer into the map for later.
//
// Document  M.1
// Refused   by the compiler
// Saying    this result may refer to the guarded value
// Instead   a map that is read without a lock: cow_map, whose get() keeps what it found alive.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cow_map.hpp>
#include <acqrel/publish/synchronized.hpp>

#include <map>
#include <string>

#if defined(WRONG)
acqrel::synchronized<std::map<std::string, int>> limits;

int limit_of(const std::string& name) {
  const int* const found = limits.with_lock([&](const auto& map) -> const int* {
    const auto at = map.find(name);
    return at == map.end() ? nullptr : &at->second;
  });
  return found != nullptr ? *found : 0;
}
#else
acqrel::cow_map<std::string, int> limits;

int limit_of(const std::string& name) { return limits.get(name).value_or(0); }
#endif

int main() { return limit_of("alice"); }
