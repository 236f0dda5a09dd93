// Events of several threads in one order, by times that never repeat.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/monotonic_clock.hpp>

#include <cstdio>

namespace {

using namespace std::chrono_literals;

void report(std::chrono::nanoseconds drift) {
  std::printf("the clock was set back: times are %lld ns ahead\n", static_cast<long long>(drift.count()));
}

static constinit acqrel::monotonic_clock stamps;

}  // namespace

int main() {
  const auto first = stamps.now(), second = stamps.now();  // first < second, and nobody else gets either
  if (stamps.drift() > 1min) report(stamps.drift());       // how far it was set back since it began
  return first < second ? 0 : 1;
}
