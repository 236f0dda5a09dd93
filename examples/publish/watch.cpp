// A configuration that changes; one part of the program is called when it does, another waits for it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/watch.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

struct config {
  std::string host;
};

config load_config() {
  static int version = 0;
  return {"host-" + std::to_string(++version)};
}

void connect(const std::string& host) { std::printf("connect to %s\n", host.c_str()); }
void serve(const config& c) { std::printf("serve as %s\n", c.host.c_str()); }

}  // namespace

int main() {
  acqrel::watch<config> current;
  auto on_change = current.on_change([](const config& c) { connect(c.host); });  // called with what is newest
  auto changes = current.subscribe();                                            // or one for each that waits
  current.publish(load_config());                                                // any thread
  std::thread reloads([&] {
    current.publish(load_config());  // who was slow to look sees this one only
    current.close();
  });
  for (changes.wait(); auto now = changes.receive(); changes.wait()) serve(*now);  // until closed
  reloads.join();

  // A late one gets what is newest; and this waits for a value of a certain kind, here for a second at most.
  auto late = current.subscribe();
  const acqrel::patience a_second(acqrel::deadline_after(std::chrono::seconds(1)));
  if (auto second = late.receive_when([](const config& c) { return c.host == "host-2"; }, a_second))
    std::printf("%s is version %llu\n", second->host.c_str(), static_cast<unsigned long long>(second.version()));
}
