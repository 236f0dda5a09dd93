// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "json_text.hpp"
#include "number_text.hpp"

namespace flagserver {

namespace {

// rules can nest what they compute deeper than any text that was read
constexpr std::size_t max_written_depth = 1024;

void write(const value& v, std::string& out, std::size_t depth) {
  if (depth > max_written_depth) throw limit_exceeded{"nested too deep"};
  switch (v.type) {
    case kind::missing:
    case kind::null: out += "null"; return;
    case kind::boolean: out += v.boolean ? "true" : "false"; return;
    case kind::string: write_json_string(v.string(), out); return;
    case kind::real:
      if (!std::isfinite(v.real)) {
        out += "null";
        return;
      }
      [[fallthrough]];
    case kind::integer:
    case kind::natural: {
      number_buffer buffer;
      out += number_text(v, buffer);
      return;
    }
    case kind::array: {
      char before = '[';
      if (v.size == 0) out += before;
      for (const value& item : v) {
        out += before;
        write(item, out, depth + 1);
        before = ',';
      }
      out += ']';
      return;
    }
    case kind::object: {
      char before = '{';
      if (v.size == 0) out += before;
      for (const member* m = v.members; m != v.members + v.size; ++m) {
        out += before;
        write_json_string(m->key, out);
        out += ':';
        write(m->content, out, depth + 1);
        before = ',';
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

void write_json(const value& v, std::string& out) { write(v, out, 0); }

void write_json_string(std::string_view text, std::string& out) {
  constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // where the run without escapes begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    switch (c) {
      case '"': out += '"'; break;
      case '\\': out += '\\'; break;
      case '\b': out += 'b'; break;
      case '\f': out += 'f'; break;
      case '\n': out += 'n'; break;
      case '\r': out += 'r'; break;
      case '\t': out += 't'; break;
      default:
        out += "u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

}  // namespace flagserver
