// SPDX-License-Identifier: Apache-2.0
// A configuration with a name: who holds an old version of it, and a watchdog that says so. Given a file's name, it writes
// the report there, as JSON.
#include <acqrel/observe/publications.hpp>
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/signal/event.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

struct config {
  std::string host = "localhost";
};
std::unique_ptr<config> load() { return std::make_unique<config>(); }

acqrel::event logged;
void log_line(const std::string& source, int thread, std::chrono::nanoseconds held) {
  std::printf("thread %d holds an old %s, for %lld ms so far\n", thread, source.c_str(),
              static_cast<long long>(held / 1ms));
  logged.notify();
}

}  // namespace

int main(int argc, char** argv) {
  acqrel::snapshot_source<config> current(acqrel::named{"config"}, load());  // named: it is in the report
  const auto held = current.read();
  current.publish(load());

  std::fputs(acqrel::publications::now().table().c_str(), stdout);  // any thread, any time; or json()
  const acqrel::guard_watchdog dog(
      10ms,
      [](const auto& source, const auto& guard) {
        log_line(source.name, guard.thread, guard.at_least);  // once for each guard that is held longer
      },
      5ms);
  logged.wait();
  if (argc > 1) {
    std::FILE* const file = std::fopen(argv[1], "w");
    if (file == nullptr) return 1;
    std::fputs(acqrel::publications::now().json().c_str(), file);
    return std::fclose(file);
  }
  return held->host == "localhost" ? 0 : 1;
}
