// Of a thousand slow queries one is reported; the rest as a number.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/throttle.hpp>

#include <cstdio>

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

void report(milliseconds time, std::uint64_t untold) {
  std::printf("a query ran for %lld ms; %llu more did not say so\n", static_cast<long long>(time.count()),
              static_cast<unsigned long long>(untold));
}

// [ran-for]
static constinit acqrel::throttle slow_query(1min);
void ran_for(milliseconds time) {
  if (const auto untold = slow_query.allow()) report(time, *untold);  // at once; after that once a minute
}
// [/ran-for]

}  // namespace

int main() {
  for (int i = 0; i != 1000; ++i) ran_for(2s + milliseconds(i));
  const auto at_the_end = slow_query.take_skipped();
  if (at_the_end != 0) std::printf("%llu slow queries more\n", static_cast<unsigned long long>(at_the_end));
}
