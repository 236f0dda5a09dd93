// A server that answers so many requests a second, and a client that sends no more than that.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/token_bucket.hpp>

#include <cstdio>

namespace {

using namespace std::chrono_literals;

bool refuse() {
  std::puts("too many requests");
  return false;
}

bool serve() {
  static acqrel::token_bucket requests(100, 1s, 20);  // 100 a second, 20 at once; full at first
  if (!requests.try_take()) return refuse();          // never waits
  return true;
}

}  // namespace

int main() {
  int served = 0;
  for (int i = 0; i != 21; ++i) served += serve();
  acqrel::token_bucket requests(1000, 1s, 5);
  requests.wait(5);                       // for 5 tokens; or wait_for, wait_until
  requests.wait(5);                       // 5 ms later
  const auto pause = requests.reserve();  // takes one now, and says how long until it is there
  return served >= 20 && pause <= 1ms ? 0 : 1;
}
