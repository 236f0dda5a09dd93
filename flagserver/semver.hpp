// SPDX-License-Identifier: Apache-2.0
// flagserver/semver.hpp - semantic versions, compared as semver.org 2.0.0 says.
#pragma once

#include <optional>
#include <string_view>

namespace flagserver {

/// "1.2.3-rc.1+build"; a leading v or V, and a version without patch or minor ("1", "1.2"), are welcome too. Only a
/// full version may have a pre-release or a build. Holds views into the text.
struct semantic_version {
  std::string_view major, minor, patch;  // without leading zeros, so longer is larger
  std::string_view prerelease;           // empty for a release

  static std::optional<semantic_version> parse(std::string_view text) noexcept;

  /// Less than, equal to or greater than 0, as `*this` comes before, with or after `other`. Builds do not count.
  int compare(const semantic_version& other) const noexcept;
};

/// What flagd's sem_ver says of `left operation right`: = != < <= > >=, ~ (same major and minor), ^ (same major).
/// Nothing if a version or the operation is not valid.
std::optional<bool> compare_versions(std::string_view left, std::string_view operation,
                                     std::string_view right) noexcept;

}  // namespace flagserver
