// SPDX-License-Identifier: Apache-2.0
#include "http_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/optional.hpp>

namespace flagserver {

namespace http = boost::beast::http;
using boost::beast::error_code;
using beast_view = boost::beast::string_view;

/// Copies what Beast finds into the request. One object per message: Beast's parsers cannot start again.
class http_reader::parser final : public http::basic_parser<true> {
 public:
  parser(http_request& request, std::size_t header_limit, std::uint64_t body_limit)
      : request_(request), header_left_(header_limit), body_room_(body_limit) {
    this->header_limit(static_cast<std::uint32_t>(header_limit));
    this->body_limit(body_limit);
    this->eager(true);
  }

  unsigned refused_status() const noexcept { return refused_status_; }
  std::string_view refused_because() const noexcept { return refused_because_; }
  bool http_1_0() const noexcept { return http_1_0_; }

 private:
  void refuse(unsigned status, std::string_view because, error_code& ec) {
    refused_status_ = status;
    refused_because_ = because;
    ec = http::error::bad_value;
  }

  /// Beast's own limit holds for one call of put(); a client that sends field after field slowly would pass it.
  void count_header(std::size_t bytes, error_code& ec) {
    if (bytes > header_left_)
      ec = http::error::header_limit;
    else
      header_left_ -= bytes;
  }

  void on_request_impl(http::verb, beast_view method, beast_view target, int version, error_code& ec) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    http_1_0_ = version == 10;
    count_header(method.size() + target.size() + 12, ec);
  }

  void on_field_impl(http::field name, beast_view text, beast_view value, error_code& ec) override {
    if (header_done_) return;  // a trailer: it must not add to, or replace, what was already decided by
    count_header(text.size() + value.size() + 4, ec);
    if (ec) return;
    if (name == http::field::transfer_encoding) {
      if (http_1_0_) return refuse(400, "HTTP/1.0 has no Transfer-Encoding; send a Content-Length", ec);
      if (!equal_ignoring_case({value.data(), value.size()}, "chunked"))
        return refuse(501, "the only Transfer-Encoding supported is chunked", ec);
    }
    request_.headers.add({text.data(), text.size()}, {value.data(), value.size()});
  }

  void on_header_impl(error_code& ec) override {
    header_done_ = true;
    const std::size_t hosts = request_.headers.count("Host");
    if (hosts > 1 || (hosts == 0 && !http_1_0_)) refuse(400, "the request needs exactly one Host header", ec);
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast_view bytes, error_code& ec) override { return take_body(bytes, ec); }
  std::size_t on_chunk_body_impl(std::uint64_t, beast_view bytes, error_code& ec) override {
    return take_body(bytes, ec);
  }
  void on_chunk_header_impl(std::uint64_t, beast_view, error_code&) override {}
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, beast_view, int, error_code&) override {}

  std::size_t take_body(beast_view bytes, error_code& ec) {
    if (bytes.size() > body_room_ - request_.body.size()) {
      ec = http::error::body_limit;
      return 0;
    }
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  http_request& request_;
  std::size_t header_left_;
  std::uint64_t body_room_;
  std::string_view refused_because_;
  unsigned refused_status_ = 0;
  bool http_1_0_ = false;
  bool header_done_ = false;
};

http_reader::http_reader(std::size_t header_limit, std::uint64_t body_limit)
    : header_limit_(header_limit), body_limit_(body_limit) {
  next();
}

http_reader::~http_reader() = default;

void http_reader::next() {
  request_.clear();
  failure_.clear();
  state_ = state::empty;
  body_begun_ = false;
  parser_ = std::make_unique<parser>(request_, header_limit_, body_limit_);
}

std::size_t http_reader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  // RFC 9112 2.2: empty lines before a request line are ignored.
  if (state_ == state::empty)
    while (taken < bytes.size() && (bytes[taken] == '\r' || bytes[taken] == '\n')) ++taken;
  bytes.remove_prefix(taken);
  if (bytes.empty()) return taken;

  state_ = state::partial;
  error_code ec;
  // A call of put() stops where it wants to see more before going on, so it is called until it takes nothing.
  while (!bytes.empty() && !parser_->is_done()) {
    const std::size_t used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    taken += used;
    bytes.remove_prefix(used);
    body_begun_ = parser_->is_header_done() && !bytes.empty();
    if (ec || used == 0) break;
  }
  if (ec && ec != http::error::need_more)
    fail_parse(ec.value(), ec.message());
  else if (parser_->is_done())
    state_ = state::complete;
  else if (bytes.size() >= header_limit_)
    fail_parse(static_cast<int>(http::error::header_limit), {});  // a chunk header or trailer without end
  return taken;
}

bool http_reader::keep_alive() const { return state_ == state::complete && parser_->keep_alive(); }

bool http_reader::http_1_0() const noexcept { return parser_->http_1_0(); }

bool http_reader::wants_continue() const {
  return state_ == state::partial && parser_->is_header_done() && !body_begun_ && request_.body.empty() &&
         !parser_->http_1_0() && equal_ignoring_case(request_.headers.first("Expect"), "100-continue");
}

void http_reader::fail(unsigned status, std::string_view code, std::string_view details) {
  state_ = state::failed;
  failure_.clear();
  set_error(failure_, status, code, details);
}

void http_reader::fail_parse(int beast_error, std::string_view text) {
  if (parser_->refused_status() != 0) return fail(parser_->refused_status(), "GENERAL", parser_->refused_because());
  switch (static_cast<http::error>(beast_error)) {
    case http::error::body_limit:
      return fail(413, {}, "request body too large: the limit is " + std::to_string(body_limit_) + " bytes");
    case http::error::header_limit:
      return fail(431, "GENERAL",
                  "request line and header fields too large: the limit is " + std::to_string(header_limit_) + " bytes");
    case http::error::bad_version: return fail(505, "GENERAL", "this server speaks HTTP/1.1 and HTTP/1.0");
    default: return fail(400, "GENERAL", "not an HTTP/1.1 request: " + std::string(text));
  }
}

}  // namespace flagserver
