// SPDX-License-Identifier: Apache-2.0
#include "labels.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace acqrel::model {
namespace {

constexpr std::size_t longest = 18;  // of a label; more would crowd the column

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The last `name` in backquotes.
std::string quoted(const std::string& full) {
  const auto end = full.rfind('`');
  if (end == std::string::npos || end == 0) return {};
  const auto begin = full.rfind('`', end - 1);
  return begin == std::string::npos ? std::string() : full.substr(begin + 1, end - begin - 1);
}

std::string letter(std::size_t n) {
  std::string out(1, static_cast<char>('A' + n % 26));
  return n < 26 ? out : out + std::to_string(n / 26);
}

}  // namespace

std::string named_in(std::string_view line) {
  static constexpr std::string_view calls[] = {"load(",
                                               "store(",
                                               "exchange(",
                                               "compare_exchange_weak(",
                                               "compare_exchange_strong(",
                                               "fetch_add(",
                                               "fetch_sub(",
                                               "fetch_and(",
                                               "fetch_or(",
                                               "fetch_xor(",
                                               "test_and_set(",
                                               "clear(",
                                               "test(",
                                               "wait("};
  std::string found;
  for (const std::string_view call : calls) {
    for (std::size_t at = line.find(call); at != std::string_view::npos; at = line.find(call, at + 1)) {
      std::size_t end = at;
      if (end >= 1 && line[end - 1] == '.')
        end -= 1;
      else if (end >= 2 && line.substr(end - 2, 2) == "->")
        end -= 2;
      else
        continue;
      std::size_t begin = end;
      if (begin > 0 && line[begin - 1] == ']') {
        while (begin > 0 && line[begin - 1] != '[') --begin;
        if (begin > 0) --begin;
      }
      while (begin > 0 && is_word(line[begin - 1])) --begin;
      if (begin == end) continue;
      if (!found.empty()) return {};
      found = line.substr(begin, end - begin);
    }
  }
  return found;
}

labels::labels(const graph& g, const telling& how) : short_(g.objects().size()), full_(g.objects().size()) {
  std::size_t letters = 0;
  for (std::uint16_t i = 0; i < short_.size(); ++i) {
    if (how.object) full_[i] = how.object(g.objects()[i].where);
    std::string name = quoted(full_[i]);
    for (thread_id t = 0; t < g.threads() && name.empty() && how.where; ++t) {
      for (const event& it : g.of(t)) {
        if ((it.what != kind::read && it.what != kind::write) || it.object != i || it.site == nullptr ||
            is_word(g.objects()[i].where))
          continue;
        name = named_in(how.where(it.site).text);
        if (!name.empty()) break;
      }
    }
    if (name.empty() || name.size() > longest) name = letter(letters++);
    std::string unique = name;
    const auto taken = [&] { return std::find(short_.begin(), short_.begin() + i, unique) != short_.begin() + i; };
    for (unsigned n = 2; taken(); ++n) unique = name + "#" + std::to_string(n);
    short_[i] = unique;
  }
}

const char* order_text(order o) {
  switch (o) {
    case order::relaxed: return "relaxed";
    case order::acquire: return "acquire";
    case order::release: return "release";
    case order::acq_rel: return "acq_rel";
    case order::seq_cst: return "seq_cst";
  }
  return "";
}

const char* update_text(update u) {
  switch (u) {
    case update::none: return "load";
    case update::exchange: return "exchange";
    case update::add: return "fetch_add";
    case update::subtract: return "fetch_sub";
    case update::bit_and: return "fetch_and";
    case update::bit_or: return "fetch_or";
    case update::bit_xor: return "fetch_xor";
    case update::bit_nand: return "fetch_nand";
    case update::compare_exchange: return "compare_exchange";
    case update::add_below: return "add_below";
  }
  return "";
}

std::string value_text(value v) {
  if (v < 100'000) return std::to_string(static_cast<unsigned>(v));
  char digits[40];
  const auto high = static_cast<unsigned long long>(v >> 64), low = static_cast<unsigned long long>(v);
  if (high != 0)
    std::snprintf(digits, sizeof digits, "0x%llx'%016llx", high, low);
  else
    std::snprintf(digits, sizeof digits, "0x%llx", low);
  return digits;
}

std::string padded(std::string text, unsigned width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> wrapped(const std::string& text, unsigned width) {
  std::vector<std::string> lines;
  std::string rest = text;
  while (rest.size() > width) {
    std::size_t cut = rest.rfind(' ', width);
    if (cut == std::string::npos || cut <= 2) cut = rest.rfind('(', width - 1) + 1;
    if (cut <= 2) cut = width;
    lines.push_back(trimmed(rest.substr(0, cut)));
    rest = "  " + rest.substr(rest[cut] == ' ' ? cut + 1 : cut);
  }
  lines.push_back(rest);
  return lines;
}

}  // namespace acqrel::model
