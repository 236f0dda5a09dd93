// SPDX-License-Identifier: Apache-2.0
#include "draw.hpp"

#include <algorithm>

#include "answer.hpp"

namespace acqrel::model::litmus {

namespace {

const char* short_name(const event& e) {
  if (!e.atomic) return "plain";
  switch (e.how) {
    case order::relaxed: return "rlx";
    case order::acquire: return "acq";
    case order::release: return "rel";
    case order::acq_rel: return "ar";
    case order::seq_cst: return "sc";
  }
  return "";
}

std::string access_text(const program& p, const event& e) {
  if (e.what == action::fence) return std::string("F ") + short_name(e);
  return std::string(e.what == action::read ? "R " : "W ") + short_name(e) + " " +
         p.locations[static_cast<unsigned>(e.location)].name + "=" + value_text(p, e.value);
}

std::string letter(std::size_t index) {
  return static_cast<char>('a' + index % 26) + (index < 26 ? std::string() : std::to_string(index / 26));
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string sentence(relation what, const std::string& from, const std::string& to, const std::string& object) {
  switch (what) {
    case relation::rf: return to + " reads " + object + " from " + from;
    case relation::sw:
      return from + " synchronises with " + to + ": what comes before " + from + " happens before what comes after " +
             to;
    case relation::mo: return to + " overwrites " + from;
    case relation::rb: return from + " reads what " + to + " overwrites: it is before " + to;
    case relation::race: return from + " and " + to + " are not ordered, and one of them is not atomic: a data race";
  }
  return {};
}

}  // namespace

const char* text(relation r) {
  switch (r) {
    case relation::rf: return "rf";
    case relation::sw: return "sw";
    case relation::mo: return "mo";
    case relation::rb: return "rb";
    case relation::race: return "race";
  }
  return "";
}

const char* about(relation r) {
  switch (r) {
    case relation::rf: return "reads from";
    case relation::sw: return "synchronises with";
    case relation::mo: return "is overwritten by";
    case relation::rb: return "reads before";
    case relation::race: return "not ordered";
  }
  return "";
}

drawing lay_out(const program& p, const execution& x) {
  drawing d;
  d.box_of.assign(x.events.size(), -1);
  std::vector<unsigned> rows(p.threads.size(), 0);
  for (std::size_t e = 0; e < x.events.size(); ++e) {
    const event& now = x.events[e];
    if (now.thread < 0) continue;
    if (now.what == action::write && now.partner >= 0) {
      const int read = d.box_of[static_cast<unsigned>(now.partner)];
      d.box_of[e] = read;
      d.boxes[static_cast<unsigned>(read)].text += "->" + value_text(p, now.value);
      continue;
    }
    d.box_of[e] = static_cast<int>(d.boxes.size());
    const auto thread = static_cast<unsigned>(now.thread);
    std::string label = access_text(p, now);
    if (now.partner >= 0) label.replace(0, 1, "RMW");
    d.boxes.push_back({letter(d.boxes.size()), std::move(label), thread, rows[thread]++});
  }
  const auto add = [&](relation what, arrow a) {
    const int from = d.box_of[a.first], to = d.box_of[a.second];
    if (from == to || to < 0 || (from < 0 && what != relation::rf)) return;
    // What another line says already: program order, or the reading of a read-modify-write.
    const bool order = what == relation::mo || what == relation::rb;
    if (order && x.events[a.first].thread == x.events[a.second].thread && a.first < a.second) return;
    if (order && std::any_of(d.lines.begin(), d.lines.end(), [&](const drawing::line& l) {
          return l.from == from && l.to == to && (l.what == relation::mo || l.what == relation::rf);
        }))
      return;
    const event& target = x.events[a.second];
    const std::string object = target.location < 0 ? std::string()
                                                   : p.locations[static_cast<unsigned>(target.location)].name + "=" +
                                                         value_text(p, target.value);
    const auto name = [&](int box) {
      return box < 0 ? std::string("the initial value") : d.boxes[static_cast<unsigned>(box)].letter;
    };
    d.lines.push_back({what, from, to, sentence(what, name(from), name(to), object)});
  };
  for (const arrow& a : x.rf) add(relation::rf, a);
  for (const arrow& a : x.sw) add(relation::sw, a);
  for (const arrow& a : x.mo) add(relation::mo, a);
  for (const arrow& a : x.rb) add(relation::rb, a);
  if (x.race) add(relation::race, *x.race);
  for (const operand_name n : shown(p)) {
    if (!d.outcome.empty()) d.outcome += "; ";
    const std::string name = name_of(p, n);
    d.outcome += (n.thread < 0 ? "[" + name + "]" : name) + "=" + value_text(p, x.value(n));
  }
  return d;
}

std::string draw_text(const program& p, const execution& x) {
  const drawing d = lay_out(p, x);
  std::vector<std::vector<std::string>> columns(p.threads.size());
  for (std::size_t t = 0; t < columns.size(); ++t) columns[t].push_back("P" + std::to_string(t));
  for (const drawing::box& b : d.boxes) columns[b.thread].push_back(padded(b.letter + ":", 3) + " " + b.text);
  std::size_t height = 0;
  std::vector<std::size_t> width(columns.size(), 0);
  for (std::size_t t = 0; t < columns.size(); ++t) {
    height = std::max(height, columns[t].size());
    for (const std::string& cell : columns[t]) width[t] = std::max(width[t], cell.size());
  }
  std::string out;
  for (std::size_t row = 0; row < height; ++row) {
    std::string text_line;
    for (std::size_t t = 0; t < columns.size(); ++t)
      text_line += (t == 0 ? "  " : " | ") + padded(row < columns[t].size() ? columns[t][row] : "", width[t]);
    text_line.erase(text_line.find_last_not_of(' ') + 1);
    out += text_line + "\n";
  }
  out += "\n";
  for (const drawing::line& l : d.lines) {
    const std::string from = l.from < 0 ? "init" : d.boxes[static_cast<unsigned>(l.from)].letter;
    out +=
        "  " + padded(text(l.what), 4) + " " +
        padded(from + (l.what == relation::race ? " -- " : " -> ") + d.boxes[static_cast<unsigned>(l.to)].letter, 10) +
        "  " + l.says + "\n";
  }
  if (!d.outcome.empty()) out += "\n  outcome: " + d.outcome + "\n";
  return out;
}

}  // namespace acqrel::model::litmus
