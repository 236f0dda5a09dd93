// A table that is built once and asked often.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/flat_hash_map.hpp>

#include <cstdio>

namespace {

void greet(std::string_view name, int age) {
  std::printf("%.*s is %d\n", static_cast<int>(name.size()), name.data(), age);
}

}  // namespace

int main() {
  const std::string_view name = "grace";
  acqrel::flat_hash_map<std::string, int> ages{{"ada", 36}, {"alan", 41}};
  ages.upsert("grace", 85);
  if (const int* age = ages.find(name)) greet(name, *age);  // a string_view: nothing is allocated
  ages.erase("ada");
  for (const auto& [who, age] : ages) greet(who, age);
}
