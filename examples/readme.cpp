// The code of README.md, compiled and run.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cached_reader.hpp>
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/reload/reloader.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

struct config {
  std::string host;
  int port;
};

std::unique_ptr<config> parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0) throw std::runtime_error("expected host:port");
  return std::make_unique<config>(config{std::string(text.substr(0, colon)), std::atoi(text.substr(colon + 1).data())});
}

void connect(const std::string& host, int port) { std::printf("%s:%d\n", host.c_str(), port); }

// [first]
acqrel::snapshot_source<config> current{std::make_unique<config>(config{"localhost", 80})};

void handle_request() {       // any thread, any number of them
  auto now = current.read();  // wait-free; one consistent version, alive until the brace
  connect(now->host, now->port);
}

void on_new_config(std::unique_ptr<config> next) {
  current.publish(std::move(next));  // later reads see it; the old one dies with its last reader
}
// [/first]

void raise_port() {
  // [update]
  current.update([](const config& old) {  // concurrent updates are never lost
    return std::make_unique<config>(config{old.host, old.port + 1});
  });
  acqrel::snapshot_ptr<config> kept = current.get_snapshot();  // for other threads, for any time
  // [/update]
  connect(kept->host, kept->port);
}

void serve_from(const std::string& path) {
  // [reload]
  acqrel::reloader<config> file(path, parse);  // watches the file; a bad edit keeps the last good value
  if (auto now = file.read()) connect(now->host, now->port);
  // [/reload]
}

}  // namespace

int main() {
  handle_request();
  on_new_config(parse("example.org:8080"));
  handle_request();
  raise_port();
  const auto path = std::filesystem::temp_directory_path() / "acqrel-readme.conf";
  std::ofstream(path) << "file.example:9000";
  serve_from(path);
  std::filesystem::remove(path);
}
