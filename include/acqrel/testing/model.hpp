// draft: public API (the header block comes with the real one)
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>
namespace acqrel::model {
struct options {
  std::uint64_t max_executions = 1'000'000;  // complete + blocked; 0: no bound
  unsigned max_events = 254;                 // atomic operations of one thread
  unsigned spurious_failures = 0;            // of weak compare-exchanges, in one execution
  unsigned spurious_wakeups = 0;             // of waits, in one execution
  bool reuse_memory = false;                 // a freed block may be allocated again: ABA
  bool report_leaks = false;
  std::uint64_t samples = 0;                 // random executions instead of all
  std::uint64_t seed = 1;
  bool repeat_runs = false;                  // run every execution twice and compare: finds one-off nondeterminism
  bool progress = true;                      // a line on stderr every two seconds when it is a terminal or takes long
  std::vector<std::string> shows;            // edges this test shows: each weakened in turn must make it fail
  std::vector<std::string> weaken;           // edges lowered to relaxed
  std::string replay;                        // token of one execution
};
struct result {
  enum class verdict : std::uint8_t { passed, failed, not_exhaustive } verdict;
  std::string trouble;     // "data race", "use after free", ...; empty if none
  std::string message;     // what, where, what to do
  std::string execution;   // printed: threads as columns, rf, mo, hb
  std::string token;       // options::replay
  std::string not_exhaustive;  // which bound was hit
  std::uint64_t executions, blocked, duplicates, dead;
  double seconds;
  std::vector<std::string> edges;  // tags met
  bool passed() const;
  std::string line() const;        // the result line
  std::string report() const;      // all of it, for a reader
};
result check(const options&, const std::function<void()>& test);
result check(const std::function<void()>& test);
void expect(bool holds, const char* what = "");  // within a test: like assert, in every build
}
