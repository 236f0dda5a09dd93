// SPDX-License-Identifier: Apache-2.0
// The real flagserver as a child process, and a blocking HTTP client for it.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

/// `flagserver serve` on a free port; its log goes to this process's stderr. Killed if it is not stopped.
class server_child {
 public:
  server_child(const std::string& binary, const std::string& flags) {
    std::array<int, 2> out{};
    if (::pipe(out.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      ::close(out[1]);
      ::execl(binary.c_str(), binary.c_str(), "serve", "--flags", flags.c_str(), "--port", "0", "--management-port",
              "0", "--threads", "2", nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    constexpr std::string_view before = "http://127.0.0.1:";
    const std::size_t at = line.find(before);
    if (at == std::string::npos) throw std::runtime_error(binary + " did not say where it serves: " + line);
    const char* digits = line.data() + at + before.size();
    std::from_chars(digits, line.data() + line.size(), port_);
  }
  ~server_child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  server_child(const server_child&) = delete;
  server_child& operator=(const server_child&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  /// Sends SIGTERM and returns the exit status; 128 and the signal's number if a signal ended it.
  int stop() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

/// One keep-alive connection. Every failure is an exception with a text.
class http_client {
 public:
  explicit http_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval hang{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &hang, sizeof hang);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::system_error(errno, std::generic_category(), "connect");
  }
  ~http_client() { ::close(socket_); }
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// The body of a 200 answer; valid until the next call.
  std::string_view post(std::string_view path, std::string_view body) {
    request_ = "POST ";
    request_ += path;
    request_ += " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ";
    request_ += std::to_string(body.size());
    request_ += "\r\n\r\n";
    request_ += body;
    for (std::string_view rest = request_; !rest.empty();) {
      const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0) throw std::system_error(errno, std::generic_category(), "send");
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return read_answer();
  }

 private:
  std::string_view read_answer() {
    answer_.clear();
    std::size_t header_end = std::string::npos;
    while ((header_end = answer_.find("\r\n\r\n")) == std::string::npos) receive();
    if (!answer_.starts_with("HTTP/1.1 200 ")) throw std::runtime_error("not 200: " + answer_);
    constexpr std::string_view field = "\r\nContent-Length: ";
    const std::size_t at = answer_.find(field);
    std::size_t length = 0;
    if (at == std::string::npos) throw std::runtime_error("no length: " + answer_);
    std::from_chars(answer_.data() + at + field.size(), answer_.data() + header_end, length);
    while (answer_.size() < header_end + 4 + length) receive();
    return std::string_view(answer_).substr(header_end + 4, length);
  }

  void receive() {
    std::array<char, 16'384> bytes;
    const ssize_t received = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (received < 0) throw std::system_error(errno, std::generic_category(), "recv");
    if (received == 0) throw std::runtime_error("the server closed the connection");
    answer_.append(bytes.data(), static_cast<std::size_t>(received));
  }

  int socket_;
  std::string request_, answer_;
};
