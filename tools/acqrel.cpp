// The command `acqrel`: its subcommands by name.
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "litmus.hpp"

namespace {

constexpr std::string_view usage =
    "usage: acqrel COMMAND ...\n"
    "\n"
    "  acqrel litmus     what C++20 allows of a small concurrent program\n"
    "  acqrel --version\n"
    "\n"
    "acqrel COMMAND --help says more.\n";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) {
    std::cerr << usage;
    return 2;
  }
  const std::string& command = arguments.front();
  if (command == "litmus") return acqrel::tools::litmus({arguments.begin() + 1, arguments.end()});
  if (command == "--version") {
    std::cout << "acqrel " ACQREL_VERSION "\n";
    return 0;
  }
  if (command == "--help" || command == "-h" || command == "help") {
    std::cout << usage;
    return 0;
  }
  std::cerr << "acqrel: there is no command `" << command << "`\n\n" << usage;
  return 2;
}
