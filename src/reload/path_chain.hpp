// SPDX-License-Identifier: Apache-2.0
// path_chain.hpp - every directory and symbolic link that decides which file a path names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace acqrel {

/// One step of looking a path up: `name`, found (or missed) in the directory `in`, which itself contains no link.
struct path_step {
  enum class kind : std::uint8_t { directory, link, other, missing };
  std::string in;
  std::string name;
  kind what = kind::missing;
  std::uint64_t device = 0;  // of what was found, so that two chains differ when a step was replaced by its like
  std::uint64_t inode = 0;

  [[nodiscard]] std::string path() const { return in == "/" ? in + name : in + '/' + name; }
  friend bool operator==(const path_step&, const path_step&) = default;
};

/// Walks an absolute path as the kernel does: links are followed, `..` is the parent of where a link led, and more than
/// 40 links end the walk. Ends with the file, or with the first step that is missing or is in the way.
[[nodiscard]] std::vector<path_step> follow_path(const std::string& absolute);

}  // namespace acqrel
