// The words of a litmus file, with their places, and how an error shows one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"

namespace acqrel::model::litmus {

struct token {
  enum class kind : std::uint8_t { word, numeral, quotation, mark, end };
  kind what = kind::end;
  std::string text;
  number value = 0;
  place at;

  bool is(std::string_view t) const { return (what == kind::word || what == kind::mark) && text == t; }
};

/// A file as read, for messages.
class source {
 public:
  source(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}
  std::string_view text() const { return text_; }
  const std::string& file() const { return file_; }
  /// Throws syntax_error.
  [[noreturn]] void fail(place, const std::string& what) const;
  std::string where(place) const;  ///< "SB.litmus:7:12"

 private:
  std::string_view text_;
  std::string file_;
};

/// What stands before the first brace: `C name`, a description in quotes, key=value lines.
struct heading {
  std::string name, description;
  std::vector<std::pair<std::string, std::string>> info;
  std::size_t end = 0;  ///< where the first brace is
};
heading read_heading(const source&);

/// All tokens from `begin` on; the last is `end`. (* *) is a comment outside of thread bodies; // and /* */ are everywhere.
std::vector<token> tokens(const source&, std::size_t begin);

/// The tokens, and how far they are read.
class token_stream {
 public:
  token_stream(const source& from, std::size_t begin) : source_(from), tokens_(tokens(from, begin)) {}

  const token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool next_is(std::string_view t) const { return peek().is(t); }
  token take() {
    const token t = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return t;
  }
  bool accept(std::string_view t) {
    if (!next_is(t)) return false;
    take();
    return true;
  }
  void expect(std::string_view t, std::string_view why);
  std::string expect_name(std::string_view what);
  /// "expected X, found Y" at the next token.
  [[noreturn]] void expected(std::string_view what) const;
  const source& from() const { return source_; }
  std::size_t position() const { return at_; }
  void rewind(std::size_t position) { at_ = position; }

 private:
  const source& source_;
  std::vector<token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace acqrel::model::litmus
