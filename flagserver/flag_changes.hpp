// SPDX-License-Identifier: Apache-2.0
// flagserver/flag_changes.hpp - what a reload changed, in words for the log.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "flag_set.hpp"

namespace flagserver {

/// A digest of each flag, by flag set and key. Small, and independent of the life of the flag_set.
using flag_digests = std::map<std::pair<std::string, std::string>, std::uint64_t>;

flag_digests digest(const flag_set& flags);

/// "1 added (a), 2 changed (b, c)", or "no flag changed". Names a few of each kind and counts the rest.
std::string describe_changes(const flag_digests& before, const flag_digests& after);

}  // namespace flagserver
