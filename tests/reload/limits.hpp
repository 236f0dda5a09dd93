// SPDX-License-Identifier: Apache-2.0
// limits.hpp - the configuration the reloader tests load, and a strict parser for it.
#pragma once

#include <charconv>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

/// Whole if `mirror` is the complement of `size`: a mix of two versions shows.
struct limits {
  int size = 0;
  int mirror = ~0;
  int seconds = 1;

  bool whole() const { return mirror == ~size; }
};

inline std::string limits_text(int size, int seconds = 1) {
  return "{\"size\": " + std::to_string(size) + ", \"timeout\": \"" + std::to_string(seconds) + "s\"}\n";
}

/// An object of the two known members, both there, in range and with a unit, and nothing after it but white space.
class limits_parser {
 public:
  static std::unique_ptr<limits> parse(std::string_view text) { return limits_parser(text).object(); }

 private:
  explicit limits_parser(std::string_view text) : text_(text) {}

  std::unique_ptr<limits> object() {
    auto made = std::make_unique<limits>();
    std::set<std::string> known{"size", "timeout"};
    expect('{');
    while (!known.empty()) {
      const std::string name = quoted();
      if (known.erase(name) == 0) fail("unknown or repeated member '" + name + "'");
      expect(':');
      if (name == "size")
        made->size = number("", 0, 1'000'000'000);
      else
        made->seconds = duration();
      if (!known.empty()) expect(',');
    }
    expect('}');
    skip_space();
    if (at_ != text_.size()) fail("more after the object");
    made->mirror = ~made->size;
    return made;
  }

  int duration() {
    const std::string text = quoted();
    limits_parser inner(text);
    const int seconds = inner.number("s", 1, 3600);
    if (inner.at_ != text.size()) fail("more after the duration");
    return seconds;
  }
  int number(std::string_view unit, int least, int most) {
    skip_space();
    int value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) fail("no number");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (value < least || value > most) fail(std::to_string(value) + " is out of range");
    if (text_.substr(at_, unit.size()) != unit) fail("no unit; write '" + std::string(unit) + "' after the number");
    at_ += unit.size();
    return value;
  }
  std::string quoted() {
    expect('"');
    const auto end = text_.find('"', at_);
    if (end == text_.npos) fail("an open string");
    std::string found(text_.substr(at_, end - at_));
    at_ = end + 1;
    return found;
  }
  void expect(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) fail(std::string("no '") + wanted + '\'');
    ++at_;
  }
  void skip_space() {
    while (at_ != text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error("offset " + std::to_string(at_) + ": " + why);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};
