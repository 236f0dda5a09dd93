// SPDX-License-Identifier: Apache-2.0
#include "http_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <ctime>
#include <exception>
#include <utility>

namespace flagserver {

namespace {
constexpr std::size_t first_input = 4096;
// Pipelined requests are answered together up to this much, then the client has to take some before more is read.
constexpr std::size_t output_enough = 256 * 1024;
constexpr std::size_t output_kept = 64 * 1024;
}  // namespace

http_connection::http_connection(socket client, owner& worker)
    : socket_(std::move(client)),
      worker_(worker),
      reader_(worker.limits().header, worker.limits().body),
      input_(first_input) {}

void http_connection::start() {
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  enter(state::idle);
  read();
}

void http_connection::enter(state next) {
  state_ = next;
  const http_limits& limits = worker_.limits();
  const auto allowed = next == state::idle        ? (worker_.draining() ? limits.linger : limits.idle)
                       : next == state::receiving ? limits.request
                       : next == state::sending   ? limits.write
                                                  : limits.linger;
  deadline_ = clock::now() + allowed;
}

void http_connection::read() {
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
  } else if (input_end_ == input_.size()) {
    if (input_begin_ != 0) {
      std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
      input_end_ -= input_begin_;
      input_begin_ = 0;
    } else {
      input_.resize(input_.size() * 2);  // bounded: http_reader refuses a header that outgrows the limit
    }
  }
  socket_.async_read_some(boost::asio::buffer(input_.data() + input_end_, input_.size() - input_end_),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
                            self->on_read(error, bytes);
                          });
}

void http_connection::on_read(const boost::system::error_code& error, std::size_t bytes) {
  if (state_ == state::gone) return;
  if (state_ == state::lingering) {
    if (error) return close();
    return read();  // the bytes are overwritten
  }
  if (timed_out_) {
    reader_.fail(408, "GENERAL", "the request did not arrive in time");
    respond(reader_.failure(), false);
    return write();
  }
  if (error == boost::asio::error::eof && reader_.current() == http_reader::state::partial) {
    // Only the client's sending half is closed; it may still read why nothing more comes.
    reader_.fail(400, "GENERAL", "the connection was closed in the middle of the request");
    respond(reader_.failure(), false);
    return write();
  }
  if (error) return close();
  input_end_ += bytes;
  process();
}

void http_connection::process() {
  while (input_begin_ != input_end_ && !close_after_write_ && output_.size() < output_enough) {
    input_begin_ += reader_.feed({input_.data() + input_begin_, input_end_ - input_begin_});
    if (reader_.current() == http_reader::state::failed) {
      respond(reader_.failure(), false);
    } else if (reader_.current() == http_reader::state::complete) {
      response_.clear();
      try {
        worker_.handler().answer(reader_.request(), response_);
      } catch (const std::exception& failure) {
        response_.clear();
        set_error(response_, 500, {}, std::string("the request could not be answered: ") + failure.what());
      }
      const bool last = worker_.draining() && input_begin_ == input_end_;
      respond(response_, reader_.keep_alive() && !last);
      fresh_ = false;
      continued_ = false;
      reader_.next();
    } else {
      break;
    }
  }
  if (!continued_ && !close_after_write_ && reader_.wants_continue()) {
    continued_ = true;
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  if (!output_.empty()) return write();
  if (reader_.current() == http_reader::state::partial) {
    if (state_ != state::receiving) enter(state::receiving);
  } else if (state_ != state::idle) {
    enter(state::idle);
  }
  read();
}

void http_connection::respond(const http_response& response, bool keep_alive) {
  const bool head = reader_.request().method == "HEAD";
  append_http(output_, response, head, keep_alive, reader_.http_1_0(), std::time(nullptr));
  close_after_write_ = !keep_alive;
}

void http_connection::write() {
  enter(state::sending);
  boost::asio::async_write(
      socket_, boost::asio::buffer(output_),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) { self->on_written(error); });
}

void http_connection::on_written(const boost::system::error_code& error) {
  if (state_ == state::gone) return;
  if (error) return close();
  if (output_.capacity() > output_kept)
    output_ = {};
  else
    output_.clear();
  if (close_after_write_) return linger();
  if (worker_.draining() && reader_.current() == http_reader::state::empty && input_begin_ == input_end_)
    return linger();
  enter(reader_.current() == http_reader::state::partial ? state::receiving : state::idle);
  if (input_begin_ != input_end_) return process();
  read();
}

void http_connection::linger() {
  // Closing with unread bytes in the receive buffer makes the kernel send a reset, which can destroy the answer before
  // the client has read it. So only the sending half is closed, and the rest is read and dropped for a while.
  enter(state::lingering);
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  input_begin_ = input_end_ = 0;
  read();
}

void http_connection::sweep(clock::time_point now) {
  if (now < deadline_) return;
  if (state_ != state::receiving) return close();
  timed_out_ = true;  // on_read answers; a second deadline, now of the answer, follows
  enter(state::sending);
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void http_connection::drain() {
  if (state_ != state::idle) return;
  boost::system::error_code ignored;
  if (!fresh_ && socket_.available(ignored) == 0) return close();
  enter(state::idle);  // a request is, or may be, on its way: a short time for it, and its answer says close
}

void http_connection::close() {
  if (state_ == state::gone) return;
  state_ = state::gone;
  boost::system::error_code ignored;
  socket_.close(ignored);
  worker_.closed(*this);
}

}  // namespace flagserver
