// SPDX-License-Identifier: Apache-2.0
#include "corpus.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "corpus_parts.hpp"

namespace acqrel::model::litmus {

namespace {

bool same(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool equal(std::string_view a, std::string_view b) { return std::equal(a.begin(), a.end(), b.begin(), b.end(), same); }

bool fits(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i)
      if (fits(text.substr(i), pattern.substr(1))) return true;
    return false;
  }
  return !text.empty() && (pattern.front() == '?' || same(text.front(), pattern.front())) &&
         fits(text.substr(1), pattern.substr(1));
}

}  // namespace

const std::vector<entry>& corpus() {
  static const std::vector<entry> all = [] {
    std::vector<entry> made;
    add_shapes(made);
    add_publication(made);
    add_seq_cst(made);
    add_atomicity(made);
    add_quizzes(made);
    return made;
  }();
  return all;
}

entry make_entry(const char* name, const char* family, const char* summary, const std::string& threads,
                 const expectation& expected) {
  const std::string init = threads.find("\n{") == 0 ? "" : "\n{}\n";
  return {name, family, summary, std::string("C ") + name + "\n(* " + summary + " *)" + init + threads, {expected}, {}};
}

const entry* find_entry(std::string_view name) {
  for (const entry& e : corpus())
    if (equal(e.name, name)) return &e;
  return nullptr;
}

std::vector<const entry*> matching(std::string_view pattern) {
  if (const entry* exact = find_entry(pattern)) return {exact};
  std::vector<const entry*> found;
  for (const entry& e : corpus())
    if (equal(e.family, pattern) || fits(e.name, pattern)) found.push_back(&e);
  return found;
}

std::vector<std::string> families() {
  std::vector<std::string> found;
  for (const entry& e : corpus())
    if (std::find(found.begin(), found.end(), e.family) == found.end()) found.push_back(e.family);
  return found;
}

std::string about_family(std::string_view family) {
  for (const shape& s : shapes())
    if (s.name == family) return s.summary;
  constexpr std::pair<std::string_view, const char*> others[] = {
      {"publication", "data behind a flag: which orders and fences publish it"},
      {"release-sequence", "what an acquire learns of a release through other threads' writes"},
      {"seq_cst", "what seq_cst does not mean"},
      {"dekker", "store buffering with unlike halves, and what is built on it"},
      {"remedies", "what --explain recommends in place of seq_cst"},
      {"atomicity", "read-modify-writes, locks and compare-exchanges that fail"},
      {"quiz", "the quizzes of a text on Go's atomics, asked of C++: B.1 to B.5, Q.1 to Q.4, section 13"},
  };
  for (const auto& [name, about] : others)
    if (name == family) return about;
  return {};
}

}  // namespace acqrel::model::litmus
