// docs/patterns/log-once-a-minute.md: a line at once, then one a minute, which says how many there were.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/throttle.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

namespace {

using namespace std::chrono_literals;

void log(const std::string& line) { std::puts(line.c_str()); }

}  // namespace

// [log-once]
void cannot_reach(const std::string& host) {
  static constinit acqrel::throttle lines(1min);
  if (const auto untold = lines.allow()) {
    log("cannot reach " + host + (*untold != 0 ? ", and " + std::to_string(*untold) + " more failures before" : ""));
  }
}
// [/log-once]

namespace wrong {

void cannot_reach(const std::string& host);

// [log-once-wrong]
void cannot_reach(const std::string& host) {
  static std::time_t last = 0;
  const std::time_t now = std::time(nullptr);
  if (now - last < 60) return;
  last = now;
  log("cannot reach " + host);
}
// [/log-once-wrong]

}  // namespace wrong

int main() {
  for (int i = 0; i != 1000; ++i) cannot_reach("db-1");
}
