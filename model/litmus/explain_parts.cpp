// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "explain_parts.hpp"

namespace acqrel::model::litmus {

namespace {

constexpr std::size_t line_width = 100;

/// What one edge of the way back says, in words.
std::string contradiction(const drawing& d, const step& s) {
  const auto letter = [&](unsigned e) { return d.boxes[static_cast<unsigned>(d.box_of[e])].letter; };
  const std::string by = s.by, from = letter(s.from), to = letter(s.to);
  if (by == "rb") return from + " reads what " + to + " overwrites";
  if (by == "mo") return to + " overwrites " + from;
  return to + " reads from " + from;
}

}  // namespace

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string wrapped(std::string_view text, const std::string& first) {
  std::string out, now = first;
  const std::string indent(first.size(), ' ');
  bool fresh = true;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!fresh && now.size() + 1 + word.size() > line_width) {
      out += now + "\n";
      now = indent;
      fresh = true;
    }
    now += (fresh ? "" : " ") + std::string(word);
    fresh = false;
    if (end < text.size() && text[end] == '\n') {
      out += now + "\n" + (text.substr(end).substr(0, 2) == "\n\n" ? "\n" : "");
      now = indent;
      fresh = true;
      at = text.find_first_not_of('\n', end);
      if (at == std::string_view::npos) return out;
      continue;
    }
    at = end + 1;
  }
  return out + now + "\n";
}

std::string indented(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    if (text[at] != '\n') out += "    ";
    out += text.substr(at, end - at + 1);
    at = end + 1;
  }
  return out;
}

std::string heading(const std::string& text) { return "\n" + text + "\n\n"; }

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return out;
}

std::string counted(std::uint64_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

const char* in_words(observation seen) {
  switch (seen) {
    case observation::never: return "never";
    case observation::sometimes: return "may happen";
    case observation::always: return "always";
  }
  return "";
}

std::string letters(const drawing& d, const std::vector<step>& steps, std::size_t from, std::size_t to) {
  const auto letter = [&](unsigned e) { return d.boxes[static_cast<unsigned>(d.box_of[e])].letter; };
  std::string out = letter(steps[from].from);
  for (std::size_t i = from; i < to; ++i) out += std::string(" -") + steps[i].by + "-> " + letter(steps[i].to);
  return out;
}

std::string reason(const drawing& d, const verdict& v) {
  const auto whole = [&] { return letters(d, v.circle, 0, v.circle.size()); };
  switch (v.broken) {
    case axiom::none: return "Nothing forbids it.";
    case axiom::happens:
      return whole() + ": happens-before would run in a circle. Not even the letter of ISO C++20 allows that.";
    case axiom::coherence: {
      std::string there = letters(d, v.circle, 0, v.turn), back;
      const std::string first = letters(d, v.circle, 0, 0), last = letters(d, v.circle, v.turn, v.turn);
      for (std::size_t i = v.turn; i < v.circle.size(); ++i)
        back += (back.empty() ? "" : ", and ") + contradiction(d, v.circle[i]);
      return there + ", so " + first + " happens before " + last + ". But " +
             letters(d, v.circle, v.turn, v.circle.size()) + ": " + back +
             ". The order of one object's values may not contradict happens-before (coherence).";
    }
    case axiom::total:
      return whole() +
             ": each part of it is an order between seq_cst operations or fences, and their total order S cannot run "
             "in a circle.";
    case axiom::porf:
      return whole() +
             ": program order and reads-from would run in a circle. The letter of ISO C++20 allows that (--model iso), "
             "the "
             "model used here does not.";
  }
  return {};
}

}  // namespace acqrel::model::litmus
