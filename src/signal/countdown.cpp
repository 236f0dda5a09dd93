// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/countdown.hpp>

#include <stdexcept>
#include <string>

namespace acqrel {

std::uint64_t countdown::refuse(std::uint64_t count) {
  throw std::invalid_argument("acqrel::countdown: a count of " + std::to_string(count) + " (" +
                              std::to_string(static_cast<std::int64_t>(count)) + " if it was signed) is above " +
                              std::to_string(max) + "; count in larger steps");
}

}  // namespace acqrel
