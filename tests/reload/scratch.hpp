// SPDX-License-Identifier: Apache-2.0
// scratch.hpp - what the reload tests do to real files, and how they wait.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace scratch {

namespace fs = std::filesystem;

/// No test waits this long unless it fails.
inline constexpr std::chrono::seconds patience{30};

/// A fresh directory, gone at the end.
class directory {
 public:
  directory() {
    std::string name = (fs::temp_directory_path() / "acqrel-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    path_ = fs::canonical(name);
  }
  ~directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;

  fs::path operator/(std::string_view name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline std::string read(const fs::path& path) {
  std::error_code missing;
  if (!fs::is_regular_file(path, missing)) return "(none)";
  std::ifstream file(path, std::ios::binary);
  if (!file) return "(none)";
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline void set_modified(const fs::path& path, std::time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    throw std::system_error(errno, std::generic_category(), path.string());
}

inline std::time_t modified(const fs::path& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) throw std::system_error(errno, std::generic_category(), path.string());
  return found.st_mtime;
}

/// Writes a new file and renames it over `path`; `stamp` 0 leaves the time of writing.
inline void replace(const fs::path& path, std::string_view text, std::time_t stamp = 0) {
  const fs::path next = path.string() + ".next";
  write(next, text);
  if (stamp != 0) set_modified(next, stamp);
  fs::rename(next, path);
}

/// Points a symbolic link elsewhere in one step.
inline void relink(const fs::path& link, const fs::path& target) {
  const fs::path next = link.string() + ".next";
  fs::create_symlink(target, next);
  fs::rename(next, link);
}

inline long entries_of(const char* directory) {
  return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
}
inline long threads_now() { return entries_of("/proc/self/task"); }
inline long descriptors_now() { return entries_of("/proc/self/fd"); }

/// Something another thread changes and this one waits for.
template <class State>
class observed {
 public:
  template <class Change>
  void change(Change&& change) {
    const std::lock_guard lock(mutex_);
    change(state_);
    changed_.notify_all();  // under the lock: whoever sees the change may destroy this next
  }
  State get() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  /// Whether `holds` came true before patience ran out.
  template <class Condition>
  [[nodiscard]] bool wait_until(Condition&& holds) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, std::chrono::steady_clock::now() + patience, [&] { return holds(state_); });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  State state_{};
};

}  // namespace scratch
