// SPDX-License-Identifier: Apache-2.0
// flagserver/http_server.hpp - listens on one port with one event loop per thread.
//
//   http_server server({.address = "127.0.0.1", .port = 8016, .threads = 2});  // bound; clients may connect and wait
//   server.start(make_handler);
//   ...
//   server.stop(std::chrono::seconds(10));  // drains
//
// Every thread has its own listening socket on the same port (SO_REUSEPORT), its own connections and its own handler,
// so that threads share nothing on the way of a request.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http_limits.hpp"
#include "http_message.hpp"

namespace flagserver {

class http_server {
 public:
  struct options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: the system picks a free one
    unsigned threads = 1;
    std::size_t connections = 10'000;  ///< open at a time, over all threads; further clients wait to be accepted
    http_limits limits = {};
  };
  using make_handler = std::function<std::unique_ptr<http_handler>()>;

  /// Binds and listens. Throws std::system_error when the address cannot be had (code address_in_use when anyone else
  /// listens there), std::invalid_argument when `address` is not an IP address.
  explicit http_server(const options& how);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// "http://127.0.0.1:8016"
  std::string url() const;

  /// Begins to answer. Calls `make` once per thread, on this thread. Once only.
  void start(const make_handler& make);
  /// Stops accepting, lets requests under way finish for at most `grace`, closes the rest, joins. Returns whether
  /// nothing had to be cut off. Further calls do nothing.
  bool stop(std::chrono::milliseconds grace);
  /// Cuts short a stop() that waits in another thread. Any thread.
  void hurry();

 private:
  class worker;
  std::string address_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace flagserver
