// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/counter.hpp>

#include <cstdio>

namespace {

void report(std::uint64_t refusals) { std::printf("%llu refused\n", static_cast<unsigned long long>(refusals)); }

}  // namespace

int main() {
  static constinit acqrel::counter refused;
  refused.add();  // any thread, a signal handler too
  report(refused.value());
  return refused.value() == 1 ? 0 : 1;
}
