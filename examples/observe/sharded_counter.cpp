// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/sharded_counter.hpp>

#include <cstdio>
#include <thread>

namespace {

void report(std::uint64_t count) { std::printf("%llu requests\n", static_cast<unsigned long long>(count)); }

}  // namespace

int main() {
  static acqrel::sharded_counter requests;
  const auto serve = [] {
    requests.add();  // any thread: no line that another one writes
  };
  std::thread other(serve);
  serve();
  other.join();
  report(requests.value());  // adds up what all have counted, also those that have ended
  return requests.value() == 2 ? 0 : 1;
}
