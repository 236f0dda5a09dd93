// What the lock guards is handed out by reference, and used without it.
//
// Document  Appendix V
// Refused   by the compiler
// Saying    this result may refer to the guarded value
// Instead   return a copy; or do inside what needs the value.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/synchronized.hpp>

#include <map>
#include <string>

using counts = std::map<std::string, int>;

#if defined(WRONG)
struct metrics {
  void count(const std::string& name) {
    all.with_lock([&](counts& now) { ++now[name]; });
  }
  const counts& snapshot() const {
    return all.with_lock([](const counts& now) -> const counts& { return now; });
  }
  acqrel::synchronized<counts> all;
};
#else
struct metrics {
  void count(const std::string& name) {
    all.with_lock([&](counts& now) { ++now[name]; });
  }
  counts snapshot() const {
    return all.with_lock([](const counts& now) { return now; });
  }
  acqrel::synchronized<counts> all;
};
#endif

int main() {
  metrics one;
  one.count("hits");
  return one.snapshot().at("hits") == 1 ? 0 : 1;
}
