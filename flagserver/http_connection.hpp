// SPDX-License-Identifier: Apache-2.0
// flagserver/http_connection.hpp - one client's connection: reads requests, writes answers, keeps the deadlines.
//
// Lives on one worker's thread and is touched by no other. Requests that arrive together are answered in order and
// written together. Each state has one deadline, checked by the worker's sweep, so that no request arms a timer.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "http_limits.hpp"
#include "http_message.hpp"
#include "http_reader.hpp"

namespace flagserver {

class http_connection : public std::enable_shared_from_this<http_connection> {
 public:
  using clock = std::chrono::steady_clock;
  using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

  /// What a connection needs from its worker.
  class owner {
   public:
    virtual http_handler& handler() noexcept = 0;
    virtual const http_limits& limits() const noexcept = 0;
    virtual bool draining() const noexcept = 0;
    /// The connection is closed; the owner drops it.
    virtual void closed(http_connection& connection) = 0;

   protected:
    ~owner() = default;
  };

  http_connection(socket client, owner& worker);

  void start();
  /// Acts when the deadline of the present state has passed: answers 408, or closes.
  void sweep(clock::time_point now);
  /// The server stops: an idle connection closes now, another after the answer it owes.
  void drain();
  /// Closes at once, whatever is under way.
  void close();

  std::size_t place = 0;  ///< index in the worker's list, kept by the worker

 private:
  enum class state : unsigned char {
    idle,       // no byte of the next request has come
    receiving,  // part of a request has come
    sending,    // an answer is being written; nothing is read meanwhile
    lingering,  // the last answer is written; what the client still sends is thrown away until it closes
    gone
  };

  void enter(state next);
  void read();
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  void process();
  void respond(const http_response& response, bool keep_alive);
  void write();
  void on_written(const boost::system::error_code& error);
  void linger();

  socket socket_;
  owner& worker_;
  http_reader reader_;
  http_response response_;
  std::vector<char> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::string output_;
  clock::time_point deadline_;
  state state_ = state::idle;
  bool close_after_write_ = false;
  bool timed_out_ = false;
  bool continued_ = false;
  bool fresh_ = true;  // nothing has been answered yet: during a drain its first request may still be on the way
};

}  // namespace flagserver
