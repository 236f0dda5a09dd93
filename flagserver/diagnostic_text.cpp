// SPDX-License-Identifier: Apache-2.0
#include "diagnostic_text.hpp"

#include <algorithm>
#include <cstddef>

namespace flagserver {

namespace {

// Of a long line (a whole file in one line is common) only the surroundings of the place are shown.
constexpr std::size_t shown_before = 60;
constexpr std::size_t shown_after = 30;

std::string_view line_of(std::string_view text, std::size_t line) noexcept {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find_first_of("\r\n"));
}

/// Byte offset of the character number `index`; characters are UTF-8, columns count them.
std::size_t offset_of(std::string_view line, std::size_t index) noexcept {
  std::size_t offset = 0;
  for (; offset < line.size(); ++offset)
    if ((static_cast<unsigned char>(line[offset]) & 0xC0) != 0x80 && index-- == 0) break;
  return offset;
}

std::string position(const diagnostic& d) {
  return d.line == 0 ? std::string() : std::to_string(d.line) + ':' + std::to_string(d.column) + ": ";
}

void append_excerpt(std::string& out, const diagnostic& d, std::string_view text) {
  if (d.line == 0 || d.column == 0) return;
  const std::string_view line = line_of(text, d.line);
  const std::size_t column = d.column - 1;
  const std::size_t first = column > shown_before ? column - shown_before : 0;
  const std::size_t begin = offset_of(line, first);
  const std::size_t end = offset_of(line, column + shown_after);
  std::string shown(line.substr(begin, end - begin));
  // The line goes to terminals: one character wide each, and no escape sequences.
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';

  std::string number = std::to_string(d.line);
  number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
  const std::string_view cut_before = begin > 0 ? "..." : "";
  out += '\n' + number + " | " + std::string(cut_before) + shown + (end < line.size() ? "..." : "");
  out += '\n' + std::string(number.size(), ' ') + " | " + std::string(cut_before.size() + column - first, ' ') + '^';
}

}  // namespace

std::string describe(std::span<const diagnostic> diagnostics, std::string_view path, std::string_view text) {
  std::string out;
  for (const diagnostic& d : diagnostics) {
    if (!out.empty()) out += '\n';
    out += path;
    out += ':';
    const std::string where = position(d);
    out += where.empty() ? " " : where;
    out += d.level == diagnostic::severity::error ? "error: " : "warning: ";
    out += d.message;
    append_excerpt(out, d, text);
  }
  return out;
}

std::string first_error(std::span<const diagnostic> diagnostics) {
  const auto error = std::find_if(diagnostics.begin(), diagnostics.end(),
                                  [](const diagnostic& d) { return d.level == diagnostic::severity::error; });
  return error == diagnostics.end() ? std::string() : position(*error) + error->message;
}

}  // namespace flagserver
