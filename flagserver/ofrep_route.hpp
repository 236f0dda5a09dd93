// SPDX-License-Identifier: Apache-2.0
// flagserver/ofrep_route.hpp - what a request target of OFREP means.
#pragma once

#include <string>
#include <string_view>

namespace flagserver {

/// The path of a request target: without scheme and authority, query and fragment. Not decoded.
std::string_view path_of(std::string_view target) noexcept;

struct ofrep_route {
  enum class kind : unsigned char { none, single, bulk };
  kind what = kind::none;
  std::string key;  ///< for single: everything behind /flags/, percent escapes decoded
};

/// Routes /ofrep/v1/evaluate/flags[/[key]]. Older clients put the key into the path as it is, so slashes belong to the
/// key, and a '%' that begins no escape stands for itself.
ofrep_route route_ofrep(std::string_view path);

}  // namespace flagserver
