// What a stripe's lock guards is handed out by reference, and used without it.
//
// Document  Pattern: sharded locks
// Refused   by the compiler
// Saying    this result may refer to a value in the map
// Instead   return a copy; or do inside what needs the value.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/striped_map.hpp>

#include <string>

acqrel::striped_map<int, std::string> names;

#if defined(WRONG)
const std::string& name_of(int id) {
  return names.with(id, [](auto& name) -> const std::string& { return *name; });
}
#else
std::string name_of(int id) {
  return names.with(id, [](auto& name) { return name.value_or("nobody"); });
}
#endif

int main() { return name_of(1) == "nobody" ? 0 : 1; }
