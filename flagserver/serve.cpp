// SPDX-License-Identifier: Apache-2.0
#include "serve.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "flag_file.hpp"
#include "health.hpp"
#include "http_server.hpp"
#include "ofrep.hpp"

namespace flagserver {

namespace {

/// The main port: OFREP, and health for those who can reach only this port.
class evaluation_handler final : public http_handler {
 public:
  evaluation_handler(const acqrel::snapshot_source<flag_set>& source, const health& state)
      : source_(source), state_(state) {}

  void answer(const http_request& request, http_response& response) override {
    // One guard for the whole answer, so that it comes from one version; it ends before anything waits.
    const auto flags = source_.read();
    if (!state_.answer(request, flags.get(), response)) protocol_.answer(request, flags.get(), response);
  }

 private:
  const acqrel::snapshot_source<flag_set>& source_;
  const health& state_;
  ofrep protocol_;
};

class management_handler final : public http_handler {
 public:
  management_handler(const acqrel::snapshot_source<flag_set>& source, const health& state)
      : source_(source), state_(state) {}

  void answer(const http_request& request, http_response& response) override {
    const auto flags = source_.read();
    if (!state_.answer(request, flags.get(), response))
      set_error(response, 404, {}, "nothing is served at this path; this port has /healthz and /readyz");
  }

 private:
  const acqrel::snapshot_source<flag_set>& source_;
  const health& state_;
};

/// Listens, or says on stderr which option names the port that cannot be had.
std::unique_ptr<http_server> listen(const serve_options& options, std::uint16_t port, unsigned threads,
                                    std::size_t connections, const char* option) {
  try {
    return std::make_unique<http_server>(http_server::options{.address = options.bind,
                                                              .port = port,
                                                              .threads = threads,
                                                              .connections = connections,
                                                              .limits = options.limits});
  } catch (const std::system_error& failure) {
    if (failure.code() == std::errc::address_in_use)
      std::fprintf(
          stderr,
          "flagserver: port %u on %s is in use by another program; choose another with %s PORT (0: any free one)\n",
          unsigned{port}, options.bind.c_str(), option);
    else
      std::fprintf(stderr, "flagserver: cannot listen on port %u of %s: %s; see --bind and %s\n", unsigned{port},
                   options.bind.c_str(), failure.code().message().c_str(), option);
  } catch (const std::invalid_argument& failure) {
    std::fprintf(stderr, "flagserver: --bind: %s; give one of this machine's, such as 127.0.0.1, or 0.0.0.0 for all\n",
                 failure.what());
  }
  return nullptr;
}

/// The signals that main waits for. Blocked before the first thread starts, so that no other thread gets them.
sigset_t block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

constexpr std::size_t management_connections = 32;

/// How many connections the limit of open files leaves room for. It is raised as far as it goes: the usual soft limit
/// of 1,024 is for programs that use select(). Something is kept back, since without a descriptor no file is read again.
std::size_t room_for_connections(unsigned threads) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'000;
  if (limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::size_t kept = 64 + management_connections + std::size_t{5} * threads;
  return limit.rlim_cur > kept ? limit.rlim_cur - kept : 1;
}

void log_to_stderr() {
  auto log = spdlog::stderr_color_mt("flagserver");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
}

void announce(const serve_options& options, const http_server& server, const flag_file& file) {
  std::string state;
  if (const auto flags = file.flags().read())
    state = std::to_string(flags->size()) + " flags, revision " + flags->revision();
  else
    state = "not ready: " + file.problem();
  std::printf("flagserver: serving %s on %s (%s)\n", options.flags.c_str(), server.url().c_str(), state.c_str());
  std::fflush(stdout);
}

/// Stops `server`, which may wait for requests under way; another signal cuts that short.
bool drain(http_server& server, std::chrono::milliseconds grace, const sigset_t& signals) {
  auto stopped = std::async(std::launch::async, [&] { return server.stop(grace); });
  while (stopped.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    const timespec moment{.tv_sec = 0, .tv_nsec = 20'000'000};
    const int signal = ::sigtimedwait(&signals, nullptr, &moment);
    if (signal == SIGTERM || signal == SIGINT) server.hurry();
  }
  return stopped.get();
}

}  // namespace

int serve(const serve_options& options) {
  const sigset_t signals = block_signals();
  const unsigned threads = options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());

  // First the ports, so that a server that cannot have them says so and nothing else.
  const auto main_server = listen(options, options.port, threads, room_for_connections(threads), "--port");
  if (!main_server) return 1;
  const auto management_server =
      listen(options, options.management_port, 1, management_connections, "--management-port");
  if (!management_server) return 1;

  log_to_stderr();
  flag_file file(options.flags, options.fractional);
  health state([&file] { return file.problem(); });
  management_server->start([&] { return std::make_unique<management_handler>(file.flags(), state); });
  main_server->start([&] { return std::make_unique<evaluation_handler>(file.flags(), state); });
  spdlog::info("health on {0}/healthz and {0}/readyz", management_server->url());
  announce(options, *main_server, file);

  for (;;) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    spdlog::info("SIGHUP: reading {} again", options.flags);
    file.request_reload();
  }
  spdlog::info("stopping: finishing requests under way, for at most {} s",
               std::chrono::duration<double>(options.drain).count());
  state.set_stopping();
  file.stop();
  if (!drain(*main_server, options.drain, signals)) spdlog::warn("stopped with requests under way");
  management_server->stop(std::chrono::milliseconds(0));
  spdlog::info("stopped");
  return 0;
}

}  // namespace flagserver
