// A configuration that changes while it is read.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

struct config {
  std::string host;
  int port;
};

config load() {
  static int version = 0;
  ++version;
  return {"host-" + std::to_string(version), 8000 + version};
}

void connect(const std::string& host, int port) { std::printf("connect to %s:%d\n", host.c_str(), port); }

}  // namespace

int main() {
  acqrel::snapshot_source<config> current{std::make_unique<config>(load())};
  auto now = current.read();  // any thread: a consistent, live version
  connect(now->host, now->port);
  std::thread reloads([&] {
    current.publish(std::make_unique<config>(load()));  // any thread: later reads see it
  });
  reloads.join();
  connect(now->host, now->port);  // the version held does not change
  connect(current.read()->host, current.read()->port);

  // A function of the present value; concurrent updates are never lost.
  current.update([](const config& old) { return std::make_unique<config>(config{old.host, old.port + 1}); });
  acqrel::snapshot_ptr<config> kept = current.get_snapshot();  // for any thread, any duration
  connect(kept->host, kept->port);
}
