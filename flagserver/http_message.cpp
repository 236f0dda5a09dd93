// SPDX-License-Identifier: Apache-2.0
#include "http_message.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace flagserver {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

void append_number(std::string& out, std::uint64_t n) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

/// IMF-fixdate of RFC 9110 5.6.7. The text is built once a second per thread.
std::string_view http_date(std::int64_t now) {
  struct cached {
    std::int64_t second = -1;
    std::array<char, 32> text;
    std::size_t size = 0;
  };
  static thread_local constinit cached last{};
  if (last.second != now) {
    static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = static_cast<std::time_t>(now);
    std::tm t{};
    ::gmtime_r(&seconds, &t);
    std::string format = days[static_cast<std::size_t>(t.tm_wday)];
    format += ", %d ";
    format += months[static_cast<std::size_t>(t.tm_mon)];
    format += " %Y %H:%M:%S GMT";
    last.size = std::strftime(last.text.data(), last.text.size(), format.c_str(), &t);
    last.second = now;
  }
  return {last.text.data(), last.size};
}

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629: no overlong form,
/// no surrogate, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

void header_list::add(std::string_view name, std::string_view value) {
  field f{};
  f.name = text_.size();
  text_ += name;
  f.value = text_.size();
  text_ += value;
  f.end = text_.size();
  fields_.push_back(f);
}

void header_list::clear() noexcept {
  text_.clear();
  fields_.clear();
}

std::optional<std::string> header_list::get(std::string_view name) const {
  std::optional<std::string> joined;
  for (const field& f : fields_) {
    if (!equal_ignoring_case(name_of(f), name)) continue;
    if (joined) {
      *joined += ", ";
      *joined += value_of(f);
    } else {
      joined = std::string(value_of(f));
    }
  }
  return joined;
}

std::string_view header_list::first(std::string_view name) const noexcept {
  for (const field& f : fields_)
    if (equal_ignoring_case(name_of(f), name)) return value_of(f);
  return {};
}

std::size_t header_list::count(std::string_view name) const noexcept {
  std::size_t n = 0;
  for (const field& f : fields_) n += equal_ignoring_case(name_of(f), name);
  return n;
}

void http_request::clear() noexcept {
  method.clear();
  target.clear();
  headers.clear();
  body.clear();
}

void http_response::clear() noexcept {
  status = 200;
  body.clear();
  entity_tag.clear();
  allow = {};
  retry_after_seconds = 0;
}

std::string_view reason_phrase(unsigned status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

void append_http(std::string& out, const http_response& response, bool head, bool keep_alive, bool http_1_0,
                 std::int64_t now) {
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\nDate: ";
  out += http_date(now);
  if (!response.body.empty()) out += "\r\nContent-Type: application/json";
  if (!response.entity_tag.empty()) {
    out += "\r\nETag: ";
    out += response.entity_tag;
  }
  if (!response.allow.empty()) {
    out += "\r\nAllow: ";
    out += response.allow;
  }
  if (response.retry_after_seconds != 0) {
    out += "\r\nRetry-After: ";
    append_number(out, response.retry_after_seconds);
  }
  // RFC 9110 8.6: a 204 carries no Content-Length, and a 304 would have to name the length of the 200 it stands for.
  if (response.status != 204 && response.status != 304) {
    out += "\r\nContent-Length: ";
    append_number(out, response.body.size());
  }
  if (!keep_alive)
    out += "\r\nConnection: close";
  else if (http_1_0)
    out += "\r\nConnection: keep-alive";
  out += "\r\n\r\n";
  if (!head) out += response.body;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_json_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c < 0x20) {
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
}

void set_error(http_response& response, unsigned status, std::string_view code, std::string_view details) {
  response.status = status;
  response.body = "{";
  if (!code.empty()) {
    response.body += "\"errorCode\":\"";
    response.body += code;
    response.body += "\",";
  }
  response.body += "\"errorDetails\":\"";
  append_json_escaped(response.body, details);
  response.body += "\"}";
}

}  // namespace flagserver
