// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/histogram.hpp>

#include <chrono>
#include <cstdio>

namespace {

void report(double mean, std::uint64_t slow) {
  std::printf("%g s on average, %llu above a second\n", mean, static_cast<unsigned long long>(slow));
}

}  // namespace

int main() {
  static acqrel::histogram seconds({0.001, 0.01, 0.1, 1});  // up to 1 ms, 10 ms, 0.1 s, 1 s, and above
  for (const double each : {0.002, 0.02, 2.0}) {
    const std::chrono::duration<double> elapsed(each);
    seconds.observe(elapsed.count());  // any thread
  }
  const acqrel::histogram::values now = seconds.read();
  report(now.sum / static_cast<double>(now.count), now.buckets.back());
  return now.count == 3 && now.buckets.back() == 1 ? 0 : 1;
}
