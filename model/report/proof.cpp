// A check and its weakened twins; and what MODEL makes of them.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "../runtime/sites.hpp"
#include "report.hpp"

namespace acqrel::model {
namespace {

using verdict = enum result::verdict;

/// A twin fails for what it does, not because it could not be checked.
bool fails(const result& r) {
  return r.verdict == verdict::failed && r.trouble != name_of(trouble_kind::nondeterministic) &&
         r.trouble != name_of(trouble_kind::not_modelled);
}

std::string unnoticed(const std::string& edge, const result& weak) {
  std::string out = "edge " + edge + " is not shown: with it weakened the test ";
  if (weak.verdict == verdict::passed)
    out += "passes in all " + grouped(weak.executions) +
           " executions. Let the test look at what the edge carries; or the order is stronger than it need be.";
  else if (weak.verdict == verdict::not_exhaustive)
    out += "was not explored to the end, and nothing went wrong so far: " + weak.not_exhaustive;
  else
    out += "could not be checked: " + weak.trouble + ": " + weak.message;
  return out;
}

std::string not_met(const std::string& edge, const result& r) {
  std::string out = "edge " + edge + " is not shown: no operation tagged `// edge " + edge + ": ...` was run. ";
  out += r.edges.empty() ? "The test met no tagged operation at all" : "The test met";
  for (const std::string& met : r.edges) out += " " + met;
  for (const std::string& file : unread_sources())
    out += ". " + file + " cannot be read, so its tags are not known: build where the sources are";
  return out + ".";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') out += c;
  }
  return out + "\"";
}

/// One JSON object a line in the file that ACQREL_MODEL_REPORT names, for whoever puts together what all tests show.
void record(const result& r, const weakened_edge& w) {
  const char* const path = std::getenv("ACQREL_MODEL_REPORT");
  if (path == nullptr || *path == '\0') return;
  const std::string line = "{\"test\": " + quoted(r.name) + ", \"edge\": " + quoted(w.edge) +
                           ", \"executions\": " + std::to_string(r.executions) +
                           ", \"blocked\": " + std::to_string(r.blocked) +
                           ", \"holds\": " + (r.verdict == verdict::passed ? "true" : "false") +
                           ", \"weakened\": " + quoted(w.trouble) + "}\n";
  // Opened for appending and written at once: tests may run side by side.
  std::FILE* const file = std::fopen(path, "ae");
  if (file == nullptr || std::fwrite(line.data(), 1, line.size(), file) != line.size() || std::fclose(file) != 0)
    std::fprintf(stderr, "acqrel::model: cannot write to %s, which ACQREL_MODEL_REPORT names\n", path);
}

/// options::replay by hand: the token of this very test in the environment.
options replayed(options how) {
  const char* const token = std::getenv("ACQREL_MODEL_REPLAY");
  if (token != nullptr && *token != '\0' && open_token(token, how.name).wrong.empty()) {
    how.replay = token;
    how.shows.clear();
  }
  return how;
}

}  // namespace

result prove(const options& how, const std::function<void()>& test) {
  options shipped = how;
  shipped.shows.clear();
  result r = check(shipped, test);
  for (const std::string& edge : how.shows) {
    weakened_edge w{edge, {}, 0};
    std::string wrong;
    if (std::find(r.edges.begin(), r.edges.end(), edge) == r.edges.end()) {
      if (r.verdict == verdict::passed) wrong = not_met(edge, r);
    } else if (r.verdict == verdict::passed) {
      options lowered = shipped;
      lowered.weaken.push_back(edge);
      const result weak = check(lowered, test);
      if (fails(weak)) {
        w.trouble = weak.trouble;
        w.execution = weak.executions + weak.blocked + 1;
      } else {
        wrong = unnoticed(edge, weak);
      }
    }
    record(r, w);
    r.weakened.push_back(std::move(w));
    if (!wrong.empty()) r.message += (r.message.empty() ? "" : "\n") + wrong;
  }
  // Only now: an edge that is not shown says nothing of the next.
  if (r.verdict == verdict::passed && !r.message.empty()) {
    r.verdict = verdict::failed;
    r.trouble = "edge not shown";
  }
  return r;
}

std::string run_test(const options& how, void (*test)()) {
  const result r = prove(replayed(how), test);
  if (!r.passed()) return r.report();
  std::printf("%s", r.report().c_str());
  std::fflush(stdout);
  return {};
}

std::string run_failing_test(const options& how, const char* trouble, void (*test)()) {
  const result r = check(replayed(how), test);
  if (r.verdict != verdict::failed || r.trouble != trouble)
    return "this test must fail with `" + std::string(trouble) + "`, but:\n" + r.report();
  std::printf("as it must: %s", r.report().c_str());
  std::fflush(stdout);
  return {};
}

}  // namespace acqrel::model
