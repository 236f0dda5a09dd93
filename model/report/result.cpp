// The result line, and the report below it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <cstdio>

#include "report.hpp"

namespace acqrel::model {
namespace {

std::string counted(std::uint64_t n, const char* one) { return grouped(n) + " " + one + (n == 1 ? "" : "s"); }

std::string time_taken(const result& r) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", r.seconds);
  const std::uint64_t runs = r.executions + r.blocked;
  if (r.seconds < 0.01 || runs < 100) return text;  // would say more of the start than of the search
  return std::string(text) + " (" + grouped(static_cast<std::uint64_t>(static_cast<double>(runs) / r.seconds)) + "/s)";
}

std::string counts(const result& r) {
  return counted(r.executions, "execution") + (r.blocked == 0 ? "" : ", " + grouped(r.blocked) + " blocked");
}

std::string bounds(const result& r) {
  std::string out = "; bounds: " + counted(r.threads, "thread") + ", " + counted(r.operations, "operation") +
                    "; spurious failures " + std::to_string(r.spurious_failures);
  if (r.spurious_wakeups != 0) out += ", wake-ups " + std::to_string(r.spurious_wakeups);
  return out;
}

void add_paragraph(std::string& out, const std::string& text) {
  if (text.empty()) return;
  out += "\n" + text;
  if (out.back() != '\n') out += '\n';
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string result::line() const {
  const std::string begin = name.empty() ? "" : name + ": ";
  switch (verdict) {
    case verdict::passed:
      return begin + "passed: every execution of C++20 without load buffering: " + counts(*this) + ", " +
             time_taken(*this) + bounds(*this);
    case verdict::failed:
      if (execution.empty()) return begin + "FAILED: " + trouble + "; " + counts(*this) + ", " + time_taken(*this);
      return begin + "FAILED: " + trouble + " in execution " + grouped(executions + blocked + 1) + ", " +
             time_taken(*this);
    case verdict::not_exhaustive:
      return begin + "NOT EXHAUSTIVE: none of these fails: " + counts(*this) + ", " + time_taken(*this) +
             bounds(*this) + "; " + not_exhaustive;
  }
  return begin;
}

std::string result::report() const {
  std::string out = line() + "\n";
  add_paragraph(out, message);
  add_paragraph(out, execution);
  add_paragraph(out, token.empty() ? ""
                                   : "replay " + token +
                                         "\n  is this execution's options::replay; for a MODEL also what "
                                         "ACQREL_MODEL_REPLAY in the environment may say");
  for (const weakened_edge& w : weakened) {
    out += w.trouble.empty() ? "\nedge " + w.edge + ": weakened, and the test still passes\n"
                             : "\nedge " + w.edge + ": weakened, it fails: " + w.trouble + " in execution " +
                                   grouped(w.execution) + "\n";
  }
  return out;
}

}  // namespace acqrel::model
