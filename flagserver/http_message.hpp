// SPDX-License-Identifier: Apache-2.0
// flagserver/http_message.hpp - an HTTP request and its answer, apart from any socket.
//
// Protocol code (ofrep, health) sees only these types, so that it is tested without a network, and the socket code
// (http_connection) never looks into a path or a body. Every object is meant to be reused: clear() keeps the storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flagserver {

/// True when a and b are the same but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Header fields in the order received, kept in one buffer.
class header_list {
 public:
  void add(std::string_view name, std::string_view value);
  void clear() noexcept;
  /// The field's value; values of repeated fields are joined by ", " as RFC 9110 5.3 allows.
  std::optional<std::string> get(std::string_view name) const;
  /// The value of the first field of that name, empty when there is none. No copy.
  std::string_view first(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;

 private:
  struct field {
    std::size_t name, value, end;  // offsets into text_
  };
  std::string_view name_of(const field& f) const noexcept {
    return std::string_view(text_).substr(f.name, f.value - f.name);
  }
  std::string_view value_of(const field& f) const noexcept {
    return std::string_view(text_).substr(f.value, f.end - f.value);
  }

  std::string text_;
  std::vector<field> fields_;
};

struct http_request {
  std::string method;
  std::string target;  ///< as sent: path and query, not decoded
  header_list headers;
  std::string body;

  void clear() noexcept;
};

struct http_response {
  unsigned status = 200;
  std::string body;                  ///< JSON, or empty: then no content type is sent
  std::string entity_tag;            ///< value of ETag with its quotes, or empty
  std::string_view allow;            ///< value of Allow, a literal, or empty
  unsigned retry_after_seconds = 0;  ///< 0: no Retry-After

  void clear() noexcept;
};

/// "Not Found" for 404, and so on; "Unknown" for a status this server never sends.
std::string_view reason_phrase(unsigned status) noexcept;

/// Appends the whole answer as it goes over the wire. `head` leaves out the body but says its length; `now` becomes
/// the Date field; HTTP/1.0 clients need `keep_alive` said aloud, so `http_1_0` adds it.
void append_http(std::string& out, const http_response& response, bool head, bool keep_alive, bool http_1_0,
                 std::int64_t now);

bool is_utf8(std::string_view text) noexcept;

/// Appends `text` as the inside of a JSON string; bytes that are not UTF-8 become U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

/// Sets status and a body of the form {"errorCode":...,"errorDetails":...}; an empty code leaves the field out.
void set_error(http_response& response, unsigned status, std::string_view code, std::string_view details);

/// What answers requests. One per thread; called for one request at a time.
class http_handler {
 public:
  virtual ~http_handler() = default;
  /// Fills `response`, which comes cleared. An exception becomes a 500.
  virtual void answer(const http_request& request, http_response& response) = 0;
};

}  // namespace flagserver
