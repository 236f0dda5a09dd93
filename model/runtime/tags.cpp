// The edge tags of a source line. The grammar is that of tests/rules/edges.py, which holds the library to it; here
// whatever does not fit is prose.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>

#include "sites.hpp"

namespace acqrel::model {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// A source line, without the blanks around its two parts.
struct parts {
  std::string_view code;
  std::optional<std::string_view> comment;  // behind the //

  bool only_comment() const { return comment && code.empty(); }
};

parts split(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || (c == '\'' && (i == 0 || !of_a_word(line[i - 1])))) {  // 1'000 is no character
      quote = c;
    } else if (c == '/' && line[i + 1] == '/') {
      return {trimmed(line.substr(0, i)), trimmed(line.substr(i + 2))};
    }
  }
  return {trimmed(line), std::nullopt};
}

/// Takes `expected` off the front of the text, and the blanks behind it.
bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text = trimmed(text.substr(expected.size()));
  return true;
}

bool take_order(std::string_view& text, order& found) {
  const auto end = std::find_if_not(text.begin(), text.end(), of_a_word);
  const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  if (word == "relaxed" || word == "plain")
    found = order::relaxed;
  else if (word == "acquire" || word == "consume")
    found = order::acquire;
  else if (word == "release")
    found = order::release;
  else if (word == "acq_rel")
    found = order::acq_rel;
  else if (word == "seq_cst")
    found = order::seq_cst;
  else
    return false;
  text = trimmed(text.substr(word.size()));
  return true;
}

/// The tag a comment is, if it is one; a plain tag has no name.
std::optional<edge_tag> read_tag(std::string_view comment) {
  edge_tag tag;
  if (comment.starts_with("plain") && (comment.size() == 5 || !of_a_word(comment[5]))) return tag;
  if (!comment.starts_with("edge") || comment.size() == 4 || blanks.find(comment[4]) == std::string_view::npos)
    return std::nullopt;
  take(comment, "edge");
  const auto end = std::find_if_not(comment.begin(), comment.end(), [](char c) { return of_a_word(c) || c == '.'; });
  tag.name = std::string(comment.begin(), end);
  comment = trimmed(comment.substr(tag.name.size()));
  if (tag.name.empty() || !take(comment, ":") || !take_order(comment, tag.success)) return std::nullopt;
  tag.failure = tag.success;
  if (take(comment, "/")) take_order(comment, tag.failure);
  return tag;
}

/// Whether a statement cannot go on below a line with this code.
bool ends_statement(std::string_view code) {
  if (code.empty() || code.front() == '#') return true;
  if (code.back() == ':') {  // a label, case or access specifier
    const std::string_view label = trimmed(code.substr(0, code.size() - 1));
    return label.starts_with("case ") || std::all_of(label.begin(), label.end(), of_a_word);
  }
  return code.back() == ';' || code.back() == '{' || code.back() == '}';
}

}  // namespace

std::vector<edge_tag> tags_at(const std::vector<std::string>& lines, int line) {
  const int count = static_cast<int>(lines.size());
  if (line < 1 || line > count) return {};
  const auto at = [&](int number) { return split(lines[static_cast<std::size_t>(number - 1)]); };

  int first = line;  // of the statement
  for (int above = line - 1; above >= 1; --above) {
    const parts here = at(above);
    if (here.only_comment()) continue;
    if (ends_statement(here.code)) break;
    first = above;
  }
  while (first > 1 && at(first - 1).only_comment()) --first;
  int last = line;
  while (last < count && (at(last).only_comment() || !ends_statement(at(last).code))) ++last;

  // Tags stand above the line of their operation, or behind it: of several groups in a statement the nearest.
  std::vector<edge_tag> nearest;
  std::vector<edge_tag> group;
  bool found = false;
  for (int number = first; number <= last; ++number) {
    const parts here = at(number);
    if (here.comment) {
      if (std::optional<edge_tag> tag = read_tag(*here.comment)) group.push_back(*std::move(tag));
    }
    if (here.only_comment() || group.empty()) continue;
    if (number > line && found) break;
    nearest = std::move(group);
    group.clear();
    found = true;
  }
  std::erase_if(nearest, [](const edge_tag& tag) { return tag.name.empty(); });
  return nearest;
}

}  // namespace acqrel::model
