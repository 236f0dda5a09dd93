// A table and settings that are made when first needed.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/lazy.hpp>

#include <array>
#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

std::array<int, 8> make_table() {
  std::array<int, 8> squares{};
  for (std::size_t i = 0; i != squares.size(); ++i) squares[i] = static_cast<int>(i * i);
  return squares;
}
constinit acqrel::lazy table([] { return make_table(); });  // nothing runs before main

struct options {
  std::string name;
};
options parse(const std::string& path) { return {"parsed " + path}; }

void use(int number) { std::printf("%d\n", number); }
void use(const std::string& text) { std::printf("%s\n", text.c_str()); }

}  // namespace

int main(int, char** arguments) {
  use(table()[7]);  // any thread, any time: const table&
  std::string path = arguments[0] != nullptr ? arguments[0] : "";
  const auto settings = acqrel::once_value([path] { return parse(path); });
  if (const auto* ready = settings.wait_for(100ms)) use(ready->name);
}
