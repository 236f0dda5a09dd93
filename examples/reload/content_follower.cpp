// Shows a text whenever it changes, and why it cannot where it cannot.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reload/content_follower.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

void show(std::string_view text) { std::printf("%zu bytes\n", text.size()); }
void log(const std::string& message) { std::puts(message.c_str()); }

}  // namespace

int main() {
  acqrel::content_follower follower("/etc/motd",
                                    {.apply = [&](std::string_view text) { show(text); },  // throws: not accepted
                                     .published = {},
                                     .failed = [](const acqrel::reload_failure& f) { log(f.message); }},
                                    {});
  const acqrel::reload_status now =
      follower.status();  // there or not, it was looked at before the constructor returned
  return now.loads + now.failures > 0 ? 0 : 1;
}
