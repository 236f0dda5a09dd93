// SPDX-License-Identifier: Apache-2.0
// flagserver/serve.hpp - the subcommand `serve`: a flag file over OFREP until a signal says stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "flag_set.hpp"
#include "http_limits.hpp"

namespace flagserver {

struct serve_options {
  std::string flags;
  std::string bind = "127.0.0.1";
  std::uint16_t port = 8016;
  std::uint16_t management_port = 8014;
  fractional_version fractional = fractional_version::v2;
  unsigned threads = 0;  ///< 0: one for each core
  http_limits limits = {};
  std::chrono::milliseconds drain{10'000};
};

/// Runs until SIGTERM or SIGINT; returns the exit status of the process. Changes the signal mask and the limit of open
/// files of the whole process.
int serve(const serve_options& options);

}  // namespace flagserver
