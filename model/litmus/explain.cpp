// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <utility>

#include "explain_parts.hpp"
#include "parse.hpp"

namespace acqrel::model::litmus {

namespace {

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::string answers(const program& p) {
  std::string out;
  for (const memory_model m : {memory_model::cxx20, memory_model::iso, memory_model::sc}) {
    const answer a = run(p, m);
    out += "    " + padded(text(m), 8) + padded(in_words(a.seen()), 12) + counted(a.executions, "execution") + ", " +
           counted(a.states.size(), "state") + (a.racy ? ", DATA RACE: undefined behaviour" : "") + "\n";
  }
  return out;
}

std::string explain_test(const entry& e) {
  const program p = parse(e.text, e.name);
  const answer here = run(p);
  std::string out =
      wrapped(e.name + ": " + e.summary, "") + "\n" + indented(e.text) + heading("What comes of it") + answers(p);
  if (!e.notes.empty()) out += heading("What to make of it") + wrapped(e.notes);
  if (here.racy) {
    out += heading("An execution with a data race") + indented(draw_text(p, *here.racy));
  } else if (here.witness && here.seen() == observation::sometimes) {
    out += heading("An execution that shows it") + indented(draw_text(p, *here.witness));
  }
  for (const shape& s : shapes()) {
    if (s.name != e.family) continue;
    for (const variant& v : variants()) {
      if (e.name != s.name + "+" + v.name || here.seen() != observation::never) continue;
      const auto ways = candidates(s, v);
      out += heading("The outcome, as it would have to be") + indented(draw_text(p, ways.front())) + "\n" +
             wrapped(reason(lay_out(p, ways.front()), judge(ways.front(), memory_model::cxx20)));
    }
    out += "\n    All orderings of this shape: acqrel litmus --explain " + s.name + "\n";
  }
  return out;
}

std::string explain_family(const std::string& family) {
  std::string out = family + ": " + about_family(family) + "\n\n";
  for (const entry& e : corpus()) {
    if (e.family != family) continue;
    const answer a = run(parse(e.text, e.name));
    out += wrapped(e.summary, "    " + padded(e.name, 20) + padded(a.racy ? "DATA RACE" : in_words(a.seen()), 12) +
                                  padded(std::to_string(a.executions), 6));
  }
  return out + "\n    The numbers are executions. More on each: acqrel litmus --explain NAME\n";
}

/// How many letters must change to make one from the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = corner + (same(a.substr(i - 1, 1), b.substr(j - 1, 1)) ? 0 : 1);
      corner = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string near(std::string_view name) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const shape& s : shapes()) found.emplace_back(distance(name, s.name), s.name);
  for (const entry& e : corpus()) found.emplace_back(distance(name, e.name), e.name);
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  for (std::size_t i = 0; i < 5; ++i) out += (i == 0 ? "" : ", ") + found[i].second;
  return out;
}

}  // namespace

std::string explain(std::string_view name) {
  for (const shape& s : shapes())
    if (same(s.name, name)) return explain_shape(s);
  if (const entry* e = find_entry(name)) return explain_test(*e);
  for (const std::string& f : families())
    if (same(f, name)) return explain_family(f);
  throw std::invalid_argument("no built-in test, shape or family is called \"" + std::string(name) +
                              "\"; near it: " + near(name) + ". acqrel litmus --list shows all");
}

}  // namespace acqrel::model::litmus
