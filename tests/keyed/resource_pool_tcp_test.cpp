// A resource_pool of TCP connections, against servers on this machine that refuse, stall, hang up, and come back.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/resource_pool.hpp>
#include <acqrel/signal/event.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

[[noreturn]] void fail(const char* what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

class descriptor {
 public:
  explicit descriptor(int of) : of_(of) {
    if (of < 0) fail("descriptor");
  }
  descriptor(descriptor&& other) noexcept : of_(std::exchange(other.of_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(of_, other.of_);
    return *this;
  }
  ~descriptor() { reset(); }
  void reset() noexcept {
    if (of_ >= 0) ::close(std::exchange(of_, -1));
  }
  int operator*() const noexcept { return of_; }

 private:
  int of_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A port of this machine. Nobody answers there, and nobody else gets it, but a server may take it over for a while.
class port {
 public:
  explicit port(std::uint16_t number = 0) {
    const int yes = 1;
    for (const int option : {SO_REUSEADDR, SO_REUSEPORT}) {
      if (setsockopt(*socket_, SOL_SOCKET, option, &yes, sizeof(yes)) != 0) fail("setsockopt");
    }
    sockaddr_in address = loopback(number);
    socklen_t size = sizeof(address);
    if (bind(*socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) fail("bind");
    if (getsockname(*socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
    number_ = ntohs(address.sin_port);
  }
  std::uint16_t number() const noexcept { return number_; }
  int socket() const noexcept { return *socket_; }

 private:
  descriptor socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t number_ = 0;
};

// Becomes readable when stop is requested.
class stop_signal {
 public:
  explicit stop_signal(const std::stop_token& stop) : ring_(stop, rings{*bell_}) {}
  int operator*() const noexcept { return *bell_; }

 private:
  struct rings {
    void operator()() const noexcept { eventfd_write(bell, 1); }
    int bell;
  };
  descriptor bell_{eventfd(0, EFD_CLOEXEC)};
  std::stop_callback<rings> ring_;
};

// A connection over which lines of five bytes go.
class connection {
 public:
  explicit connection(descriptor socket) : socket_(std::move(socket)) {}
  // The other end has not hung up, and said nothing that nobody asked for.
  bool is_open() const {
    char byte;
    return recv(*socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  // False: the other end is gone.
  bool ask(const char* question) {
    char answer[5];
    return send(*socket_, question, 5, MSG_NOSIGNAL) == 5 && recv(*socket_, answer, 5, MSG_WAITALL) == 5 &&
           std::memcmp(answer, "reply", 5) == 0;
  }

 private:
  descriptor socket_;
};

// Connects, and waits for the server's greeting; or until stop is requested.
connection dial(std::uint16_t port, const std::stop_token& stop) {
  descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const stop_signal stopped(stop);
  const auto wait_for = [&](short what) {
    pollfd either[] = {{*socket, what, 0}, {*stopped, POLLIN, 0}};
    while (poll(either, 2, -1) < 0) {
      if (errno != EINTR) fail("poll");
    }
    if (either[1].revents != 0) fail("dial", ECANCELED);
  };
  const sockaddr_in address = loopback(port);
  if (connect(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno != EINPROGRESS) fail("connect");
    wait_for(POLLOUT);
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(*socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) fail("getsockopt");
    if (error != 0) fail("connect", error);
  }
  wait_for(POLLIN);
  char greeting;
  if (recv(*socket, &greeting, 1, 0) != 1) fail("greeting", ECONNRESET);
  if (fcntl(*socket, F_SETFL, 0) != 0) fail("fcntl");
  return connection(std::move(socket));
}

// Answers on a port until it is destroyed, one thread for all; then all its connections are gone and the port is free.
class server {
 public:
  enum class manner : std::uint8_t {
    polite,      // greets, and answers
    silent,      // takes the connection, and says nothing
    hangs_up,    // greets, and hangs up
    speechless,  // greets, and hangs up when it is asked
  };
  explicit server(manner how, std::uint16_t number = 0) : how_(how), at_(number) {
    if (listen(at_.socket(), 16) != 0) fail("listen");
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  std::uint16_t port() const noexcept { return at_.number(); }
  int accepted() const noexcept { return accepted_; }
  const acqrel::event& has_accepted() const noexcept { return has_accepted_; }

 private:
  void serve(const std::stop_token& stop) {
    const stop_signal stopped(stop);
    std::vector<descriptor> clients;
    for (;;) {
      std::vector<pollfd> all{{*stopped, POLLIN, 0}, {at_.socket(), POLLIN, 0}};
      for (const auto& client : clients) all.push_back({*client, POLLIN, 0});
      if (poll(all.data(), all.size(), -1) < 0) continue;
      if (all[0].revents != 0) return;
      for (std::size_t i = clients.size(); i-- != 0;) {
        if (all[i + 2].revents == 0) continue;
        char question[5];
        const bool asked = recv(*clients[i], question, 5, MSG_WAITALL) == 5;
        if (asked && how_ == manner::polite && send(*clients[i], "reply", 5, MSG_NOSIGNAL) == 5) continue;
        clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (all[1].revents == 0) continue;
      descriptor client(accept4(at_.socket(), nullptr, nullptr, SOCK_CLOEXEC));
      ++accepted_;
      has_accepted_.notify();
      if (how_ != manner::silent) (void)!send(*client, "!", 1, MSG_NOSIGNAL);
      if (how_ != manner::hangs_up) clients.push_back(std::move(client));
    }
  }

  const manner how_;
  const class port at_;
  std::atomic<int> accepted_{0};
  acqrel::event has_accepted_;
  std::jthread thread_;  // last: it uses the others
};

using pool_type = acqrel::resource_pool<std::uint16_t, connection>;
bool still_open(connection& link) { return link.is_open(); }
constexpr auto long_enough = 30s;  // no test waits this long unless it fails

int error_of_dialling(pool_type& pool, std::uint16_t port) {
  try {
    (void)pool.acquire_for(port, long_enough).operator bool();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

TEST(resource_pool_tcp, keeps_a_connection_for_the_next_who_asks) {  // K1
  server polite(server::manner::polite);
  pool_type pool(dial, {.healthy = still_open});
  for (int i = 0; i != 5; ++i) {
    auto link = pool.acquire_for(polite.port(), long_enough);
    ASSERT_TRUE(link);
    EXPECT_TRUE(link->ask("hello"));
  }
  EXPECT_EQ(polite.accepted(), 1);
}

// The source document's pool remembers the refusal for ever.
TEST(resource_pool_tcp, reaches_a_server_that_refused_before) {  // K7
  const port refusing;
  pool_type pool(dial, {.healthy = still_open});
  EXPECT_EQ(error_of_dialling(pool, refusing.number()), ECONNREFUSED);
  EXPECT_EQ(error_of_dialling(pool, refusing.number()), ECONNREFUSED);
  server back(server::manner::polite, refusing.number());
  auto link = pool.acquire_for(refusing.number(), long_enough);
  ASSERT_TRUE(link);
  EXPECT_TRUE(link->ask("hello"));
}

TEST(resource_pool_tcp, gives_up_on_a_server_that_says_nothing) {
  server silent(server::manner::silent);
  pool_type pool(dial);
  EXPECT_FALSE(pool.acquire_for(silent.port(), 20ms));
  std::stop_source stop;
  std::thread caller([&] { EXPECT_FALSE(pool.acquire(silent.port(), stop.get_token())); });
  silent.has_accepted().wait();
  stop.request_stop();
  caller.join();
  EXPECT_EQ(pool.count().open, 0U);
}

TEST(resource_pool_tcp, stops_a_dial_when_it_is_closed) {
  server silent(server::manner::silent);
  pool_type pool(dial);
  std::thread caller([&] { EXPECT_FALSE(pool.acquire(silent.port())); });
  silent.has_accepted().wait();
  pool.close();
  caller.join();
}

TEST(resource_pool_tcp, asks_no_other_host_to_wait_for_one_that_says_nothing) {  // K3
  server silent(server::manner::silent), polite(server::manner::polite);
  pool_type pool(dial);
  std::stop_source stop;
  std::thread caller([&] { EXPECT_FALSE(pool.acquire(silent.port(), stop.get_token())); });
  silent.has_accepted().wait();
  EXPECT_TRUE(pool.acquire_for(polite.port(), long_enough)->ask("hello"));
  stop.request_stop();
  caller.join();
}

TEST(resource_pool_tcp, finds_out_that_the_server_hung_up_and_dials_again) {  // K9
  auto polite = std::make_unique<server>(server::manner::polite);
  const port kept(polite->port());
  pool_type pool(dial, {.healthy = still_open});
  EXPECT_TRUE(pool.acquire_for(kept.number(), long_enough)->ask("hello"));
  polite.reset();  // its ends of all connections are closed now
  EXPECT_EQ(error_of_dialling(pool, kept.number()), ECONNREFUSED);
  EXPECT_EQ(pool.count().open, 0U);
  server back(server::manner::polite, kept.number());
  EXPECT_TRUE(pool.acquire_for(kept.number(), long_enough)->ask("hello"));
  EXPECT_EQ(back.accepted(), 1);
}

TEST(resource_pool_tcp, finds_out_that_the_server_hangs_up_on_everybody) {  // K9
  server rude(server::manner::hangs_up);
  pool_type pool(dial, {.most_per_key = 1, .healthy = still_open});
  for (int i = 1; i != 4; ++i) {
    auto link = pool.acquire_for(rude.port(), long_enough);
    ASSERT_TRUE(link);
    EXPECT_FALSE(link->ask("hello"));
    EXPECT_EQ(rude.accepted(), i);
  }
}

TEST(resource_pool_tcp, drops_what_its_user_found_broken) {  // K9
  server speechless(server::manner::speechless);
  pool_type pool(dial, {.most_per_key = 1});
  for (int i = 1; i != 4; ++i) {
    auto link = pool.acquire_for(speechless.port(), long_enough);
    ASSERT_TRUE(link);
    EXPECT_FALSE(link->ask("hello"));
    link.mark_broken();
    EXPECT_EQ(speechless.accepted(), i);
  }
}

// In the source document all users of a host share one socket, and get each other's answers.
TEST(resource_pool_tcp, gives_each_user_a_connection_of_his_own) {  // K10
  server polite(server::manner::polite);
  pool_type pool(dial, {.most_per_key = 2, .healthy = still_open});
  std::vector<std::thread> users;
  for (int i = 0; i != 4; ++i) {
    users.emplace_back([&] {
      for (int times = 0; times != 50; ++times) {
        auto link = pool.acquire_for(polite.port(), long_enough);
        if (!link || !link->ask("hello")) ADD_FAILURE() << "no answer";
      }
    });
  }
  for (auto& user : users) user.join();
  EXPECT_LE(polite.accepted(), 2);
}

}  // namespace
