// SPDX-License-Identifier: Apache-2.0
// flagserver/http_reader.hpp - turns bytes from a connection into one request after the other.
//
// Boost.Beast's parser does the grammar; this class adds what a server must refuse on top of it (RFC 9112: a missing
// or doubled Host, a transfer coding other than chunked, a header without end) and says for every failure which
// answer the client should get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http_message.hpp"

namespace flagserver {

class http_reader {
 public:
  enum class state : unsigned char { empty, partial, complete, failed };

  /// A request whose header fields exceed `header_limit` bytes, or whose body exceeds `body_limit`, fails.
  http_reader(std::size_t header_limit, std::uint64_t body_limit);
  ~http_reader();
  http_reader(const http_reader&) = delete;
  http_reader& operator=(const http_reader&) = delete;

  /// Takes bytes from the front of `bytes` until the request is complete or failed, or more are needed; returns how
  /// many it took. The rest must be offered again, with more behind it. Requires state empty or partial.
  std::size_t feed(std::string_view bytes);
  /// Forgets the request and starts the next.
  void next();

  state current() const noexcept { return state_; }
  const http_request& request() const noexcept { return request_; }

  bool keep_alive() const;
  bool http_1_0() const noexcept;
  /// The header is read, the body has not begun, and the client waits for "100 Continue" before it sends it.
  bool wants_continue() const;

  /// Requires state failed: the answer to give before closing.
  const http_response& failure() const noexcept { return failure_; }
  /// Fails the request from outside, for a reason that the bytes do not show.
  void fail(unsigned status, std::string_view code, std::string_view details);

 private:
  class parser;
  void fail_parse(int beast_error, std::string_view text);

  std::size_t header_limit_;
  std::uint64_t body_limit_;
  std::unique_ptr<parser> parser_;
  http_request request_;
  http_response failure_;
  state state_ = state::empty;
  bool body_begun_ = false;
};

}  // namespace flagserver
