// What `acqrel litmus` is asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/litmus/enumerate.hpp"

namespace acqrel::tools {

struct litmus_options {
  std::vector<std::string> inputs;
  model::litmus::memory_model model = model::litmus::memory_model::cxx20;
  bool json = false;
  enum class picture : std::uint8_t { none, text, svg } show = picture::none;
  std::string explain;
  bool list = false;
  bool print = false;
  bool check = false;
  bool help = false;
  unsigned unroll = 4;
  std::uint64_t most_executions = 10'000'000;
};

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws usage_error.
litmus_options parse_litmus_options(const std::vector<std::string>& arguments);
extern const char* const litmus_help;

}  // namespace acqrel::tools
