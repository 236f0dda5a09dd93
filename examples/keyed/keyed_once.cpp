// Regular expressions, each compiled when it is first used.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/keyed_once.hpp>

#include <cstdio>
#include <regex>
#include <string>
#include <thread>
#include <vector>

namespace {

std::regex compile(const std::string& text) {
  std::printf("compile %s\n", text.c_str());
  return std::regex(text);
}
void reject(const std::string& line) { std::printf("no: %s\n", line.c_str()); }

acqrel::keyed_once<std::string, std::regex> patterns;

void check(const std::string& text, const std::string& line) {
  const auto words = patterns.get(text, compile);  // any thread: compile(text), or what it has made of it before
  if (!std::regex_match(line, *words)) reject(line);
}

}  // namespace

int main() {
  const std::string text = "[a-z ]+";
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i) threads.emplace_back([&, i] { check(text, "line " + std::to_string(i)); });
  for (auto& each : threads) each.join();

  std::shared_ptr<const std::regex> kept;
  const auto keep = [&](std::shared_ptr<const std::regex> one) { kept = std::move(one); };
  const auto words = patterns.get(text, compile);
  keep(words.share());   // beyond this scope
  patterns.erase(text);  // who has it keeps it; who asks now has it made anew
  check(text, "a line");
  if (std::regex_match("another", *kept)) std::puts("kept");
}
