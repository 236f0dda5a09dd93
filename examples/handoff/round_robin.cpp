// Requests that go to servers in turn, of which the list changes.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/round_robin.hpp>

#include <cstdio>
#include <string>

namespace {

struct server {
  std::string host;
  int port;
};

void connect(const std::string& host, int port) { std::printf("%s:%d\n", host.c_str(), port); }

acqrel::round_robin<server> servers({{"a", 80}, {"b", 80}, {"c", 80}});

void serve() {
  const auto chosen = servers.next();               // any thread: the next in turn
  if (chosen) connect(chosen->host, chosen->port);  // alive until the brace, also if the list is replaced
}

}  // namespace

int main() {
  for (int i = 0; i != 4; ++i) serve();
  servers.replace({{"b", 80}, {"d", 80}});  // any thread: the turns go on
  for (int i = 0; i != 3; ++i) serve();
}
