// SPDX-License-Identifier: Apache-2.0
// inotify_set.hpp - inotify on everything that decides what is behind one path.
#pragma once

#include "path_chain.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace acqrel {

/// One inotify instance that follows one path. Where the system has no inotify it never becomes active.
class inotify_set {
 public:
  inotify_set() = default;
  ~inotify_set();
  inotify_set(const inotify_set&) = delete;
  inotify_set& operator=(const inotify_set&) = delete;

  /// Watches what `path` goes through at this moment: a directory that holds a link, the file or the first missing name
  /// for entries of that name; any other directory for being moved itself, so that busy neighbours such as those in
  /// /tmp cost nothing; the file for writes. Whoever looks at the file after this returned true sees every later change
  /// announced. False: no inotify or no watch to be had; poll, and try again at the next look.
  [[nodiscard]] bool follow(const std::string& path);

  /// The file descriptor to wait for, or -1.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  struct news {
    bool relevant = false;  // something the path goes through changed; also after an overflow, when nobody knows what
    bool whole = false;     // a rename or the end of a writing: the new content is not half of one
  };
  /// Takes what has been announced.
  [[nodiscard]] news take();

 private:
  bool watch_chain(const std::vector<path_step>& chain);
  bool add(const std::string& path, std::uint32_t events, const std::string& name = {});
  void close_all() noexcept;

  struct watched {
    bool file = false;
    std::set<std::string, std::less<>> names;  // entries that matter; none: only the directory itself does
  };
  int descriptor_ = -1;
  std::map<int, watched> watches_;  // by watch descriptor
};

}  // namespace acqrel
