// A configuration that follows its file, and stays what it was where the file is missing or wrong.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reload/reloader.hpp>

#include <charconv>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

struct config {
  int limit = 100;
};

std::unique_ptr<config> parse_config(std::string_view content) {
  auto made = std::make_unique<config>();
  const auto end = content.data() + content.size();
  if (std::from_chars(content.data(), end, made->limit).ec != std::errc()) throw std::runtime_error("no number in it");
  return made;
}

void log(const std::string& message) { std::puts(message.c_str()); }
void serve(int limit) { std::printf("serving up to %d\n", limit); }

}  // namespace

int main() {
  acqrel::reloader<config> current(
      "/etc/service/config.json", parse_config,
      {.fallback = std::make_unique<config>(), .on_failure = [](const acqrel::reload_failure& f) { log(f.message); }});
  auto now = current.read();  // any thread, any time: wait-free
  serve(now->limit);
  return now && current.status().failures + current.generation() > 0 ? 0 : 1;
}
