// A text that is kept in two places and changed in both before they meet.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/version_vector.hpp>

#include <cstdio>
#include <string>

namespace {

std::string longest(const std::vector<std::string>& all) {
  return *std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
}

}  // namespace

int main() {
  acqrel::multi_value_register<std::string, int> here, there;  // a value that is kept in two places
  here.write(1, "draft");                                      // by writer 1
  there.merge(here);
  here.write(1, "final");  // by two who both know "draft" only
  there.write(2, "draft, signed");
  if ((here.version() <=> there.version()) == std::partial_ordering::unordered) here.merge(there);  // changed apart
  for (const auto& each : here.entries()) std::printf("by writer %d: %s\n", each.writer, each.value.c_str());
  here.resolve(1, [](const auto& both) { return longest(both); });  // until somebody does, both are kept
  there.merge(here);
  std::printf("both: %s\n", there.entries().front().value.c_str());
  return here == there ? 0 : 1;
}
