// A connection that is dialled once, and again after a failure, but not at once.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/retry_once.hpp>

#include <cstdio>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;

int dial() {
  static int tries = 0;  // no two run at a time
  if (++tries == 1) throw std::runtime_error("no route to host");
  return 42;
}

int link = 0;

constinit acqrel::retry_once connected([](std::uint32_t failures) noexcept -> std::chrono::nanoseconds {
  return failures * 10ms;  // how long to leave it alone after a failure
});

bool send(const char* message) {
  connected.call([] { link = dial(); });  // any thread: connected, or dial's exception
  return std::printf("%s over link %d\n", message, link) > 0;
}

bool send_soon(const char* message) {
  if (!connected.call_for(50ms, [] { link = dial(); })) return false;  // another is still dialling
  return std::printf("%s over link %d\n", message, link) > 0;
}

}  // namespace

int main() {
  for (int i = 0; i != 2; ++i) {
    try {
      send("lost");
    } catch (const std::runtime_error& error) {
      std::printf("%s, after %u attempts\n", error.what(), connected.attempts());
    }
  }
  std::this_thread::sleep_for(10ms);
  return send("first") && send_soon("second") ? 0 : 1;
}
