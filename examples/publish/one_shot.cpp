// A configuration that is loaded once, by whoever comes first.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/one_shot.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

struct config {
  std::string host;
  int port;
};

config load_config() { return {"localhost", 8000}; }

void serve(const config& c) { std::printf("serve at %s:%d\n", c.host.c_str(), c.port); }

}  // namespace

int main() {
  acqrel::one_shot<config> current;
  std::thread loader([&] {
    current.publish(load_config());  // any thread; the first wins
  });
  if (const config* c = current.get()) serve(*c);  // any thread, any time
  const config& c = current.wait();                // any thread, until there is one
  serve(c);
  loader.join();

  config late{"elsewhere", 9000};
  if (!current.publish(std::move(late))) std::printf("%s was too late\n", late.host.c_str());  // still the caller's
}
