// Regular expressions, each compiled when it is first used.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/keyed_once.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <regex.h>

namespace {

// POSIX's, whole lines.
class expression {
 public:
  explicit expression(const std::string& text) : compiled_(new regex_t{}) {
    (void)regcomp(compiled_.get(), ("^(" + text + ")$").c_str(), REG_EXTENDED | REG_NOSUB);
  }
  bool matches(const std::string& line) const { return regexec(compiled_.get(), line.c_str(), 0, nullptr, 0) == 0; }

 private:
  struct release {
    void operator()(regex_t* compiled) const {
      regfree(compiled);
      delete compiled;
    }
  };
  std::unique_ptr<regex_t, release> compiled_;
};

expression compile(const std::string& text) {
  std::printf("compile %s\n", text.c_str());
  return expression(text);
}
void reject(const std::string& line) { std::printf("no: %s\n", line.c_str()); }

acqrel::keyed_once<std::string, expression> patterns;

void check(const std::string& text, const std::string& line) {
  const auto words = patterns.get(text, compile);  // any thread: compile(text), or what it has made of it before
  if (!words->matches(line)) reject(line);
}

}  // namespace

int main() {
  const std::string text = "[a-z ]+";
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i) threads.emplace_back([&, i] { check(text, "line " + std::to_string(i)); });
  for (auto& each : threads) each.join();

  std::shared_ptr<const expression> kept;
  const auto keep = [&](std::shared_ptr<const expression> one) { kept = std::move(one); };
  const auto words = patterns.get(text, compile);
  keep(words.share());   // beyond this scope
  patterns.erase(text);  // who has it keeps it; who asks now has it made anew
  check(text, "a line");
  if (kept->matches("another")) std::puts("kept");
}
