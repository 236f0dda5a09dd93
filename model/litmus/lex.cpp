// SPDX-License-Identifier: Apache-2.0
#include "lex.hpp"

#include <array>
#include <cctype>
#include <charconv>

#include "parse.hpp"

namespace acqrel::model::litmus {
namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }
bool in_name(char c) { return begins_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

class reader {
 public:
  reader(const source& s, std::size_t begin) : source_(s), text_(s.text()) {
    while (at_ < begin) step();
  }

  bool done() const { return at_ >= text_.size(); }
  char here() const { return text_[at_]; }
  bool follows(std::string_view s) const { return text_.substr(at_, s.size()) == s; }
  place where() const { return {line_, column_}; }
  std::size_t offset() const { return at_; }
  void step(std::size_t n = 1) {
    for (; n > 0 && !done(); --n, ++at_) {
      if (here() == '\n') {
        ++line_;
        column_ = 1;
      } else {
        ++column_;
      }
    }
  }
  std::string_view take(std::size_t n) {
    const std::string_view taken = text_.substr(at_, n);
    step(n);
    return taken;
  }
  std::string_view line() { return take(std::min(text_.find('\n', at_), text_.size()) - at_); }

  /// Blanks and comments; `body`: (* may be a parenthesis and a star.
  void skip(bool body) {
    for (;;) {
      while (!done() && is_space(here())) step();
      if (follows("//")) {
        line();
      } else if (follows("/*")) {
        comment("*/");
      } else if (follows("(*") && (!body || looks_like_comment())) {
        comment("*)");
      } else {
        return;
      }
    }
  }

  std::string quoted() {
    const place start = where();
    step();
    const std::size_t end = text_.find('"', at_);
    if (end == std::string_view::npos) source_.fail(start, "this quotation has no end");
    const std::string text(take(end - at_));
    step();
    return text;
  }

 private:
  void comment(std::string_view end) {
    const place start = where();
    const char opening = here();
    step(2);
    // OCaml's comments nest, C's do not.
    for (int depth = 1; depth > 0;) {
      if (done()) source_.fail(start, "this comment has no end: expected " + std::string(end));
      if (follows(end)) {
        --depth;
        step(2);
      } else if (opening == '(' && follows("(*")) {
        ++depth;
        step(2);
      } else {
        step();
      }
    }
  }
  // In a body "(*x)" reads x; nobody writes a blank there, and a comment has its end.
  bool looks_like_comment() const {
    return at_ + 2 < text_.size() && (is_space(text_[at_ + 2]) || text_[at_ + 2] == '*') &&
           text_.find("*)", at_ + 2) != std::string_view::npos;
  }

  const source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1, column_ = 1;
};

// Longest first.
constexpr std::array<std::string_view, 26> long_marks = {
    "<<=", ">>=", "/\\", "\\/", "=>", "==", "!=", "<>", "<=", ">=", "<<", ">>", "&&",
    "||",  "->",  "::",  "++",  "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="};

token next(reader& in, const source& from) {
  token t;
  t.at = in.where();
  if (in.done()) return t;
  const char c = in.here();
  if (c == '"') {
    t.what = token::kind::quotation;
    t.text = in.quoted();
  } else if (begins_name(c)) {
    t.what = token::kind::word;
    while (!in.done() && in_name(in.here())) t.text += in.take(1);
  } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
    t.what = token::kind::numeral;
    while (!in.done() && in_name(in.here())) t.text += in.take(1);
    std::string_view digits = t.text;
    while (digits.size() > 1 && std::string_view("uUlL").find(digits.back()) != std::string_view::npos)
      digits.remove_suffix(1);
    const bool hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
    if (hexadecimal) digits.remove_prefix(2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), t.value, hexadecimal ? 16 : 10);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      from.fail(t.at, "`" + t.text + "` is not a number this can read (decimal or 0x, up to 63 bits)");
    }
  } else {
    t.what = token::kind::mark;
    for (std::string_view mark : long_marks) {
      if (in.follows(mark)) {
        t.text = in.take(mark.size());
        return t;
      }
    }
    t.text = in.take(1);
  }
  return t;
}

}  // namespace

std::string source::where(place at) const {
  return file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

void source::fail(place at, const std::string& what) const {
  std::string message = where(at) + ": " + what;
  std::size_t begin = 0;
  for (int line = 1; line < at.line && begin < text_.size(); ++line) begin = text_.find('\n', begin) + 1;
  std::string_view line = text_.substr(begin, std::min(text_.find('\n', begin), text_.size()) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  message += "\n  ";
  message += line;
  message += "\n  ";
  for (int column = 1; column < at.column; ++column) {
    const auto i = static_cast<std::size_t>(column - 1);
    message += i < line.size() && line[i] == '\t' ? '\t' : ' ';
  }
  throw syntax_error(message + "^");
}

heading read_heading(const source& from) {
  heading h;
  reader in(from, 0);
  in.skip(false);
  if (!in.follows("C") || in.offset() + 1 >= from.text().size() || !is_space(from.text()[in.offset() + 1])) {
    std::string_view first = in.done() ? std::string_view() : trimmed(in.line());
    const auto architecture = first.substr(0, first.find_first_of(" \t"));
    from.fail({1, 1}, "expected `C NAME` on the first line, as in herd's C litmus tests" +
                          (architecture.empty() || architecture.size() > 12
                               ? std::string()
                               : "; this one begins with `" + std::string(architecture) +
                                     "` (tests in the assembly of a machine can not be read)"));
  }
  in.step();
  while (!in.done() && is_space(in.here()) && in.here() != '\n') in.step();
  while (!in.done() && !is_space(in.here()) && in.here() != '{') h.name += in.take(1);
  if (h.name.empty()) from.fail(in.where(), "expected the test's name after `C`");
  while (!in.done() && (in.here() == ' ' || in.here() == '\t')) in.step();
  if (!in.done() && in_name(in.here())) in.line();  // more words: not part of the name
  for (;;) {
    in.skip(false);
    if (in.done()) from.fail(in.where(), "expected `{`, where the initial values are");
    if (in.here() == '{') break;
    if (in.here() == '"') {
      h.description = in.quoted();
      continue;
    }
    const place start = in.where();
    const std::string_view line = in.line();
    const auto equals = line.find('=');
    const std::string_view key = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || key.find_first_of("([{;,") != std::string_view::npos) {
      from.fail(start, "expected a description in quotes, a line `key=value`, or `{` with the initial values");
    }
    h.info.emplace_back(key, trimmed(line.substr(equals + 1)));
  }
  h.end = in.offset();
  return h;
}

std::vector<token> tokens(const source& from, std::size_t begin) {
  std::vector<token> all;
  reader in(from, begin);
  int depth = 0;
  bool initial = true;  // the first braces hold the initial values
  for (;;) {
    in.skip(!initial && depth > 0);
    all.push_back(next(in, from));
    if (all.back().what == token::kind::end) return all;
    if (all.back().is("{")) ++depth;
    if (all.back().is("}") && --depth == 0) initial = false;
  }
}

void token_stream::expected(std::string_view what) const {
  const token& t = peek();
  source_.fail(t.at, "expected " + std::string(what) + ", found " +
                         (t.what == token::kind::end ? std::string("the end of the file") : "`" + t.text + "`"));
}

void token_stream::expect(std::string_view t, std::string_view why) {
  if (!accept(t)) expected("`" + std::string(t) + "` " + std::string(why));
}

std::string token_stream::expect_name(std::string_view what) {
  if (peek().what != token::kind::word) expected(what);
  return take().text;
}

}  // namespace acqrel::model::litmus
