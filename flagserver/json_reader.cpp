// SPDX-License-Identifier: Apache-2.0
// Boost.JSON says what the text means, in a stream of events that leaves out where. Each event stands for one token,
// in order, so a cursor that steps over one token for each event always knows the place.
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <span>

#include "json_text.hpp"

namespace flagserver {

namespace {

using boost::json::error_code;
using text_view = boost::json::string_view;

std::string_view plain(text_view s) noexcept { return {s.data(), s.size()}; }

class cursor {
 public:
  explicit cursor(std::string_view text) noexcept : text_(text) {}

  /// The place of the next token, which is stepped over. Only called where a parser has seen a token.
  place next() noexcept {
    while (at_ < text_.size() && is_between(text_[at_])) step();
    const place here{line_, column_};
    if (at_ == text_.size()) return here;
    if (text_[at_] == '"') {
      for (step(); at_ < text_.size() && text_[at_] != '"'; step()) {
        if (text_[at_] == '\\') step();
      }
      step();
    } else if (is_bracket(text_[at_])) {
      step();
    } else {
      while (at_ < text_.size() && !is_between(text_[at_]) && !is_bracket(text_[at_])) step();
    }
    return here;
  }

  place at_offset(std::size_t offset) noexcept {
    while (at_ < text_.size() && at_ < offset) step();
    return {line_, column_};
  }

 private:
  static bool is_between(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':';
  }
  static bool is_bracket(char c) noexcept { return c == '{' || c == '}' || c == '[' || c == ']'; }

  void step() noexcept {
    if (at_ >= text_.size()) return;
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if (at_ == text_.size() || (static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
      ++column_;  // at the last byte of a character
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1, column_ = 1;
};

}  // namespace

class json_reader::handler {
 public:
  constexpr static std::size_t max_object_size = 1u << 31;
  constexpr static std::size_t max_array_size = 1u << 31;
  constexpr static std::size_t max_key_size = 1u << 31;
  constexpr static std::size_t max_string_size = 1u << 31;

  handler(json_reader& reader, std::string_view text, arena& memory, source_map* places)
      : reader_(reader), memory_(memory), places_(places), cursor_(text) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) { return open(); }
  bool on_array_begin(error_code&) { return open(); }

  bool on_object_end(std::size_t, error_code&) {
    const std::size_t start = close();
    auto& open = reader_.open_;
    const value whole = make_object(std::span(open).subspan(start), memory_, places_);
    open.resize(start);
    open.back().entry.content = whole;
    return true;
  }

  bool on_array_end(std::size_t, error_code&) {
    const std::size_t start = close();
    auto& open = reader_.open_;
    const value whole = make_array(std::span(open).subspan(start), memory_, places_);
    open.resize(start);
    open.back().entry.content = whole;
    return true;
  }

  bool on_key_part(text_view s, std::size_t, error_code&) { return part(s); }
  bool on_key(text_view s, std::size_t, error_code&) {
    const std::string_view key = whole(s);
    const auto siblings = static_cast<std::uint32_t>(reader_.open_.size() - reader_.starts_.back());
    reader_.open_.push_back({{key, {}}, siblings, places_ ? cursor_.next() : place{}, {}});
    keyed_ = true;
    return true;
  }

  bool on_string_part(text_view s, std::size_t, error_code&) { return part(s); }
  bool on_string(text_view s, std::size_t, error_code&) { return scalar(value::of(whole(s))); }

  bool on_number_part(text_view s, error_code&) {
    if (number_.empty())
      number_ = plain(s);
    else
      number_ = {number_.data(), number_.size() + s.size()};  // one buffer, so parts lie in a row
    return true;
  }
  bool on_int64(std::int64_t i, text_view, error_code&) { return scalar(value::of(i)); }
  bool on_uint64(std::uint64_t u, text_view, error_code&) { return scalar(value::of(u)); }
  bool on_double(double rough, text_view s, error_code& ec) {
    // Boost 1.81 may be a unit in the last place off
    std::string_view text = plain(s);
    if (!number_.empty()) text = {number_.data(), number_.size() + s.size()};
    double exact = rough;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
    if (error == std::errc::result_out_of_range) {
      exact = rough;
      if (exact > 1 || exact < -1) {
        ec = boost::json::error::exponent_overflow;
        return false;
      }
    }
    return scalar(value::of(exact));
  }
  bool on_bool(bool b, error_code&) { return scalar(value::of(b)); }
  bool on_null(error_code&) { return scalar({}); }
  bool on_comment_part(text_view, error_code&) { return true; }
  bool on_comment(text_view, error_code&) { return true; }

 private:
  /// The entry that the next value belongs to: its key's, or a new one in an array or at the top.
  loose_entry& slot() {
    if (keyed_)
      keyed_ = false;
    else
      reader_.open_.push_back({});
    loose_entry& entry = reader_.open_.back();
    if (places_) entry.value_at = cursor_.next();
    number_ = {};
    return entry;
  }
  bool scalar(value v) {
    slot().entry.content = v;
    return true;
  }
  bool open() {
    slot();
    reader_.starts_.push_back(reader_.open_.size());
    return true;
  }
  std::size_t close() {
    if (places_) cursor_.next();
    const std::size_t start = reader_.starts_.back();
    reader_.starts_.pop_back();
    return start;
  }
  bool part(text_view s) {
    reader_.part_.append(s.data(), s.size());
    return true;
  }
  std::string_view whole(text_view last) {
    if (reader_.part_.empty()) return memory_.copy(plain(last));
    part(last);
    const std::string_view text = memory_.copy(reader_.part_);
    reader_.part_.clear();
    return text;
  }

  json_reader& reader_;
  arena& memory_;
  source_map* places_;
  cursor cursor_;
  std::string_view number_;  // of a number that comes in parts
  bool keyed_ = false;       // a key waits for its value
};

bool json_reader::fail(std::string why, std::string_view text, std::size_t offset) {
  error_ = std::move(why);
  error_at_ = cursor(text).at_offset(offset);
  return false;
}

bool json_reader::read(std::string_view text, arena& memory, std::size_t max_depth, value& out, source_map* places) {
  constexpr std::size_t kept_entries = 4096;
  if (open_.capacity() > kept_entries) open_ = {};  // one large text is no reason to hold on to its size
  open_.clear();
  starts_.clear();
  part_.clear();
  error_.clear();
  error_at_ = {};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return fail("empty: there is no JSON value", text, text.size());

  boost::json::parse_options options;
  options.max_depth = max_depth;
  boost::json::basic_parser<handler> parser(options, *this, text, memory, places);
  error_code ec;
  std::size_t used = 0;
  try {
    used = parser.write_some(false, text.data(), text.size(), ec);
  } catch (const limit_exceeded& limit) {
    return fail(limit.what, text, 0);
  }
  using boost::json::error;
  if (ec == error::incomplete) return fail("the text ends before the JSON value does", text, text.size());
  if (ec == error::too_deep) return fail("nested deeper than " + std::to_string(max_depth) + " levels", text, used);
  if (ec == error::exponent_overflow) return fail("a number is too large", text, used);
  if (ec) return fail("not JSON: " + ec.message(), text, used);
  if (used < text.size()) return fail("not JSON: more text after the value", text, used);
  out = open_.front().entry.content;
  if (places) places->put_value(&out, open_.front().value_at);
  return true;
}

}  // namespace flagserver
