// SPDX-License-Identifier: Apache-2.0
#include "http_server.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "http_connection.hpp"

namespace flagserver {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {
// After the process ran out of descriptors, or the like: how long to wait before accepting again.
constexpr std::chrono::milliseconds accept_pause{100};
}  // namespace

/// One thread: its event loop, its listener, its connections.
class http_server::worker final : public http_connection::owner {
 public:
  worker(const http_limits& limits, std::size_t most_connections)
      : limits_(limits),
        most_connections_(most_connections),
        io_(1),
        listener_(io_),
        sweep_timer_(io_),
        pause_timer_(io_) {
    const auto shortest = std::min({limits.request, limits.idle, limits.write, limits.linger});
    sweep_every_ = std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(500));
  }

  /// Binds; `first` alone, so that it fails when any other program listens on the port, and only then shares it.
  /// (The kernel compares the flags of two sockets when the second one binds.)
  tcp::endpoint bind(const tcp::endpoint& where, bool first) {
    listener_.open(where.protocol());
    listener_.set_option(asio::socket_base::reuse_address(true));
    if (where.address().is_v6()) listener_.set_option(asio::ip::v6_only(false));
    const auto share_port = [&] {
      const int on = 1;
      if (::setsockopt(listener_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        throw std::system_error(errno, std::generic_category(), "SO_REUSEPORT");
    };
    if (!first) share_port();
    listener_.bind(where);
    if (first) share_port();
    return listener_.local_endpoint();
  }

  void listen() { listener_.listen(asio::socket_base::max_listen_connections); }

  void start(std::unique_ptr<http_handler> handler) {
    handler_ = std::move(handler);
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  void drain(http_connection::clock::time_point until) {
    asio::post(io_, [this, until] { begin_drain(until); });
  }

  void hurry() {
    asio::post(io_, [this] {
      hurried_ = true;  // begin_drain may be still to come
      if (draining_) close_all();
    });
  }

  bool join() {
    if (thread_.joinable()) thread_.join();
    return !cut_off_;
  }

  http_handler& handler() noexcept override { return *handler_; }
  const http_limits& limits() const noexcept override { return limits_; }
  bool draining() const noexcept override { return draining_; }

  void closed(http_connection& connection) override {
    const std::size_t place = connection.place;
    connections_.back()->place = place;
    std::swap(connections_[place], connections_.back());
    connections_.pop_back();  // operations under way keep the object until their handlers have run
    if (draining_ && connections_.empty()) sweep_timer_.cancel();
    if (full_ && listener_.is_open()) {
      full_ = false;
      accept();
    }
  }

 private:
  void accept() {
    listener_.async_accept(io_.get_executor(), [this](const error_code& error, http_connection::socket client) {
      if (!listener_.is_open()) return;
      if (!error) {
        admit(std::move(client));
        full_ = connections_.size() >= most_connections_;
        if (full_)
          warn("as many are open as the limit allows");
        else
          accept();
      } else if (error == asio::error::connection_aborted) {
        accept();
      } else {
        warn(error.message());
        pause_timer_.expires_after(accept_pause);
        pause_timer_.async_wait([this](const error_code&) {
          if (listener_.is_open()) accept();
        });
      }
    });
  }

  /// Once in a while: a server at its limit gets here with every client.
  void warn(const std::string& reason) {
    const auto now = http_connection::clock::now();
    if (now < quiet_until_) return;
    quiet_until_ = now + std::chrono::minutes(1);
    spdlog::warn("clients have to wait: {}; this thread has {} connections", reason, connections_.size());
  }

  void admit(http_connection::socket client) {
    auto connection = std::make_shared<http_connection>(std::move(client), *this);
    connection->place = connections_.size();
    connections_.push_back(connection);
    connection->start();
    if (!sweeping_) sweep_later();
  }

  /// The timer runs only while there are connections: an idle server does not wake up.
  void sweep_later() {
    sweeping_ = true;
    sweep_timer_.expires_after(sweep_every_);
    sweep_timer_.async_wait([this](const error_code&) {
      sweeping_ = false;
      const auto now = http_connection::clock::now();
      if (draining_ && now >= drain_until_)
        close_all();
      else
        for_each([now](http_connection& c) { c.sweep(now); });
      if (!connections_.empty()) sweep_later();
    });
  }

  void begin_drain(http_connection::clock::time_point until) {
    draining_ = true;
    drain_until_ = until;
    // Clients whose connection the kernel has already completed have been told that someone listens.
    error_code error;
    listener_.non_blocking(true, error);
    while (!error) {
      http_connection::socket client(io_.get_executor());
      listener_.accept(client, error);
      if (!error) admit(std::move(client));
    }
    listener_.close(error);
    pause_timer_.cancel();
    for_each([](http_connection& c) { c.drain(); });
    if (hurried_ || http_connection::clock::now() >= until) close_all();
    if (connections_.empty()) sweep_timer_.cancel();
  }

  void close_all() {
    if (!connections_.empty()) cut_off_ = true;
    for_each([](http_connection& c) { c.close(); });
  }

  /// Backwards: what closes is replaced by the last one, which has had its turn.
  template <class Action>
  void for_each(Action action) {
    for (std::size_t i = connections_.size(); i-- > 0;) {
      const std::shared_ptr<http_connection> kept = connections_[i];
      action(*kept);
    }
  }

  http_limits limits_;
  std::size_t most_connections_;
  std::unique_ptr<http_handler> handler_;
  asio::io_context io_;  // outlives what follows
  std::vector<std::shared_ptr<http_connection>> connections_;
  asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> listener_;
  asio::basic_waitable_timer<http_connection::clock, asio::wait_traits<http_connection::clock>,
                             asio::io_context::executor_type>
      sweep_timer_, pause_timer_;
  std::chrono::milliseconds sweep_every_{};
  http_connection::clock::time_point drain_until_, quiet_until_;
  std::thread thread_;
  bool sweeping_ = false;
  bool full_ = false;  // nothing is accepted until a connection closes
  bool draining_ = false;
  bool hurried_ = false;
  bool cut_off_ = false;  // read after the join
};

http_server::http_server(const options& how) : address_(how.address) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(how.address, error);
  if (error) throw std::invalid_argument("'" + how.address + "' is not an IP address");
  tcp::endpoint where(address, how.port);
  const unsigned threads = std::max(1U, how.threads);
  try {
    for (unsigned i = 0; i < threads; ++i) {
      workers_.push_back(std::make_unique<worker>(how.limits, std::max<std::size_t>(1, how.connections / threads)));
      where = workers_.back()->bind(where, i == 0);
    }
    for (auto& each : workers_) each->listen();
  } catch (const boost::system::system_error& failure) {
    throw std::system_error(static_cast<std::error_code>(failure.code()), "cannot listen");
  }
  port_ = where.port();
}

http_server::~http_server() { stop(std::chrono::milliseconds(0)); }

std::string http_server::url() const {
  const bool v6 = address_.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address_ + "]" : address_) + ":" + std::to_string(port_);
}

void http_server::start(const make_handler& make) {
  for (auto& each : workers_) each->start(make());
}

bool http_server::stop(std::chrono::milliseconds grace) {
  const auto until = http_connection::clock::now() + grace;
  for (auto& each : workers_) each->drain(until);
  bool whole = true;
  for (auto& each : workers_) whole = each->join() && whole;
  return whole;
}

void http_server::hurry() {
  for (auto& each : workers_) each->hurry();
}

}  // namespace flagserver
