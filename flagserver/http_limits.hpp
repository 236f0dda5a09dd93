// SPDX-License-Identifier: Apache-2.0
// flagserver/http_limits.hpp - what one client may take up: bytes and time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace flagserver {

struct http_limits {
  std::uint64_t body = 1'000'000;             ///< bytes of one request's body
  std::size_t header = 16'384;                ///< bytes of request line and header fields
  std::chrono::milliseconds request{10'000};  ///< from the first byte of a request to its last
  std::chrono::milliseconds idle{75'000};     ///< between two requests on one connection
  std::chrono::milliseconds write{10'000};    ///< for a client to take the answers it asked for
  std::chrono::milliseconds linger{2'000};    ///< from the last answer to the client closing its side
};

}  // namespace flagserver
