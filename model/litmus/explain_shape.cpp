// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "explain_notes.hpp"
#include "explain_parts.hpp"
#include "parse.hpp"

namespace acqrel::model::litmus {

namespace {

const char* in_words(order o) {
  switch (o) {
    case order::relaxed: return "relaxed";
    case order::acquire: return "acquire";
    case order::release: return "release";
    case order::acq_rel: return "acq_rel";
    case order::seq_cst: return "seq_cst";
  }
  return "";
}

const char* in_words(variant::fences f) {
  switch (f) {
    case variant::fences::none: return "-";
    case variant::fences::fitting: return "rel/acq";
    case variant::fences::acq_rel: return "acq_rel";
    case variant::fences::seq_cst: return "seq_cst";
  }
  return "";
}

/// Why the orders of `x` do not stop its circle.
std::string what_lacks(const drawing& d, const execution& x, bool by_message) {
  const auto letter = [&](unsigned e) { return d.boxes[static_cast<unsigned>(d.box_of[e])].letter; };
  const std::vector<step> circle = critical_circle(x);
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : "; ") + part; };
  if (by_message) {
    for (const step& s : circle)
      if (std::string_view(s.by) == "rf" && !synchronises(x, s.from, s.to))
        add(letter(s.to) + " reads from " + letter(s.from) + " without synchronising: " +
            (releases(x.events[s.from].how) ? letter(s.to) + " does not acquire"
                                            : letter(s.from) + " does not release"));
    if (!out.empty()) return out + ".";
  }
  std::vector<std::string> outside;
  for (const step& s : circle)
    if (x.events[s.from].how != order::seq_cst) outside.push_back(letter(s.from));
  const bool fences =
      std::any_of(x.events.begin(), x.events.end(), [](const event& e) { return e.what == action::fence; });
  return letters(d, circle, 0, circle.size()) + ": " + listed(outside) + (outside.size() > 1 ? " are" : " is") +
         " not seq_cst" + (fences ? ", nor are the fences" : "") +
         ", so the order S does not hold the circle together.";
}

std::string cast_of(const drawing& d) {
  std::string out;
  unsigned thread = ~0u;
  for (const drawing::box& b : d.boxes) {
    out += b.thread != thread ? (out.empty() ? "P" : " | P") + std::to_string(b.thread) + " " : ", ";
    thread = b.thread;
    out += b.letter + ": " + b.text;
  }
  return out;
}

struct cell {
  const variant* how = nullptr;
  const entry* test = nullptr;
  answer here, iso;
};

unsigned strength(order o) { return o == order::relaxed ? 0 : o == order::seq_cst ? 2 : 1; }

bool at_most(const variant& a, const variant& b) {
  return strength(a.stores) <= strength(b.stores) && strength(a.loads) <= strength(b.loads) && a.between <= b.between;
}

std::string columns_of(const shape& s) {
  std::vector<std::vector<std::string>> columns;
  std::size_t height = 0;
  for (std::size_t t = 0; t < s.threads.size(); ++t) {
    columns.push_back({"P" + std::to_string(t)});
    unsigned reads = 0;
    for (const access& a : s.threads[t])
      columns[t].push_back(a.write ? std::string(1, a.location) + " = " + std::to_string(a.value) + ";"
                                   : "r" + std::to_string(reads++) + " = " + a.location + ";");
    height = std::max(height, columns[t].size());
  }
  std::string out;
  for (std::size_t row = 0; row < height; ++row) {
    std::string line = "   ";
    for (std::size_t t = 0; t < columns.size(); ++t)
      line += (t == 0 ? " " : " | ") + padded(row < columns[t].size() ? columns[t][row] : "", 8);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string table(const std::vector<cell>& cells) {
  const bool letter_differs =
      std::any_of(cells.begin(), cells.end(), [](const cell& c) { return c.here.seen() != c.iso.seen(); });
  const auto row = [&](std::string_view name, std::string_view stores, std::string_view loads, std::string_view fences,
                       std::string_view seen, std::string_view executions, std::string_view letter) {
    std::string line = "    " + padded(std::string(name), 16) + padded(std::string(stores), 9) +
                       padded(std::string(loads), 9) + padded(std::string(fences), 9) + padded(std::string(seen), 12) +
                       padded(std::string(executions), 12) + (letter_differs ? std::string(letter) : "");
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  };
  std::string out = row("test", "stores", "loads", "fences", "outcome", "executions", "by the letter of ISO C++20");
  for (const cell& c : cells)
    out += row(c.test->name, in_words(c.how->stores), in_words(c.how->loads), in_words(c.how->between),
               in_words(c.here.seen()), std::to_string(c.here.executions),
               c.iso.seen() == observation::never ? "never"
                                                  : std::string("allowed, ") + counted(c.iso.executions, "execution"));
  return out;
}

std::string names(const std::vector<const cell*>& cells) {
  std::vector<std::string> all;
  for (const cell* c : cells) all.push_back(c->test->name);
  return listed(all);
}

/// The test's name, what its events are called if that was not drawn, and a text about them.
std::string item(const cell& c, const drawing& d, const std::string& text) {
  const bool fences = c.how->between != variant::fences::none;
  return "    " + c.test->name + "\n" + (fences ? wrapped(cast_of(d), "        ") : "") + wrapped(text, "        ") +
         "\n";
}

/// Those that nothing in the list is weaker (stronger) than.
std::vector<const cell*> extremes(const std::vector<const cell*>& of, bool weakest) {
  std::vector<const cell*> found;
  for (const cell* c : of)
    if (std::none_of(of.begin(), of.end(), [&](const cell* o) {
          return o != c && (weakest ? at_most(*o->how, *c->how) : at_most(*c->how, *o->how));
        }))
      found.push_back(c);
  return found;
}

std::string why(const shape& s, const std::vector<cell>& cells) {
  std::vector<const cell*> forbidden, allowed, by_letter;
  for (const cell& c : cells) {
    (c.here.seen() == observation::never ? forbidden : allowed).push_back(&c);
    if (c.iso.seen() == observation::never) by_letter.push_back(&c);
  }
  std::string out = heading(allowed.empty() ? "Why it never happens" : "What stops it");
  bool by_message = false;
  const auto reasons = [&](const std::vector<const cell*>& tests, memory_model model) {
    for (const cell* c : tests) {
      const execution x = candidates(s, *c->how).front();
      const drawing d = lay_out(parse(c->test->text, c->test->name), x);
      const verdict v = judge(x, model);
      by_message = by_message || v.broken == axiom::coherence;
      out += item(*c, d, reason(d, v));
    }
  };
  const std::vector<const cell*> weakest = extremes(forbidden, true), strict = extremes(by_letter, true);
  if (!allowed.empty()) out += wrapped("The weakest orders that do: " + names(weakest) + ".") + "\n";
  reasons(weakest, memory_model::cxx20);
  if (strict != weakest) {
    out += wrapped("By the letter of ISO C++20 the weakest orders that forbid it: " + names(strict) + ".") + "\n";
    reasons(strict, memory_model::iso);
  }
  if (allowed.empty()) return out.substr(0, out.size() - 1);
  out += wrapped("Not enough:") + "\n";
  for (const cell* c : extremes(allowed, false)) {
    const execution x = candidates(s, *c->how).front();
    const drawing d = lay_out(parse(c->test->text, c->test->name), x);
    out += item(*c, d, what_lacks(d, x, by_message));
  }
  return out.substr(0, out.size() - 1);
}

}  // namespace

std::string explain_shape(const shape& s) {
  std::vector<cell> cells;
  for (const variant& v : variants()) {
    const entry* test = find_entry(s.name + "+" + v.name);
    const program p = parse(test->text, test->name);
    cells.push_back({&v, test, run(p), run(p, memory_model::iso)});
  }
  const program relaxed = parse(cells.front().test->text, cells.front().test->name);
  const answer interleaved = run(relaxed, memory_model::sc);
  const note* n = find_note(s.name);

  std::string out = s.name + ": " + s.summary + "\n\n" + columns_of(s) + "\n    in question: " + s.weak + "\n";
  if (n != nullptr) out += heading("Where it bites") + wrapped(n->bites);
  out += heading("What the orders make of it") + table(cells) + "\n" +
         wrapped("Model: C++20 with acyclic(sb | rf), no load buffering. By interleaving alone (--model sc): " +
                 std::string(in_words(interleaved.seen())) + ", " + counted(interleaved.executions, "execution") +
                 ". Fences stand between the two accesses of a thread; rel/acq: release, acquire or both, as fits.");
  const auto ways = candidates(s, variants().front());
  const drawing d = lay_out(relaxed, ways.front());
  const bool ever = cells.front().here.seen() != observation::never;
  out += heading(ever ? "The outcome, drawn (" + cells.front().test->name + ")"
                      : "The outcome, as it would have to be (" + cells.front().test->name + ")") +
         indented(draw_text(relaxed, ways.front())) + "\n";
  const std::vector<step> circle = critical_circle(ways.front());
  out += wrapped("The circle: " + letters(d, circle, 0, circle.size()) +
                 ". sb is program order; each edge says \"before\", so no interleaving has this outcome.");
  out += why(s, cells);
  if (n != nullptr) out += heading("What to write") + wrapped(n->remedy);
  return out;
}

}  // namespace acqrel::model::litmus
