// SPDX-License-Identifier: Apache-2.0
#include "file_state.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace acqrel {
namespace {

constexpr std::int64_t largest_hashed = std::int64_t{64} << 20;

class open_file {
 public:
  // Non-blocking, so that a FIFO in the file's place does not hold the watcher up.
  explicit open_file(const std::string& path) noexcept
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)),
        error_(descriptor_ < 0 ? errno : 0) {}
  ~open_file() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  // Fills in all but the hash; the error is ours to name where the system has none.
  [[nodiscard]] file_state state() const noexcept {
    file_state state;
    struct stat found;
    state.error = error_;
    if (state.error == 0 && fstat(descriptor_, &found) != 0) state.error = errno;
    if (state.error != 0) return state;
    if (S_ISDIR(found.st_mode))
      state.error = EISDIR;
    else if (!S_ISREG(found.st_mode))
      state.error = ENODEV;
    state.device = found.st_dev;
    state.inode = found.st_ino;
    state.size = found.st_size;
#if defined(__APPLE__)
    state.modified = nanoseconds(found.st_mtimespec);
    state.changed = nanoseconds(found.st_ctimespec);
#else
    state.modified = nanoseconds(found.st_mtim);
    state.changed = nanoseconds(found.st_ctim);
#endif
    return state;
  }

  // As many bytes as there are, up to `size`; -1 and errno for an error.
  [[nodiscard]] ssize_t read_at(char* to, std::size_t size, std::int64_t offset) const noexcept {
    ssize_t got;
    do got = pread(descriptor_, to, size, offset);
    while (got < 0 && errno == EINTR);
    return got;
  }

 private:
  static std::int64_t nanoseconds(const timespec& time) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    // A stamp beyond the year 2262 still has to differ from its neighbours, no more: wrapping does that.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * std::uint64_t{second} +
                                     static_cast<std::uint64_t>(time.tv_nsec));
  }

  const int descriptor_;
  const int error_;
};

std::string describe(int error) {
  switch (error) {
    case ENOENT: return "it does not exist; create it, or correct the path";
    case EACCES: return "permission denied; let this process's user read it and search the directories above it";
    case EISDIR: return "it is a directory; name a file";
    case ENODEV: return "it is not a regular file";
    case ELOOP: return "its symbolic links go round in a circle";
    default: return std::generic_category().message(error);
  }
}

}  // namespace

file_state look_at(const std::string& path) noexcept {
  const open_file file(path);
  file_state state = file.state();
  if (state.error != 0 || state.size > largest_hashed) return state;
  char buffer[16384];
  std::uint64_t hash = hash_bytes({});
  std::int64_t offset = 0;
  while (offset <= largest_hashed) {
    const ssize_t got = file.read_at(buffer, sizeof buffer, offset);
    if (got < 0) state.error = errno;
    if (got <= 0) break;
    hash = hash_bytes({buffer, static_cast<std::size_t>(got)}, hash);
    offset += got;
  }
  state.hash = hash;
  return state;
}

file_content read_file(const std::string& path, std::size_t limit) {
  // A writer that is still at it after this many full reads would be at it after more; the next change brings us back.
  constexpr int tries = 4;
  const auto fail = [&path](const std::string& why) { return file_content{{}, path + ": cannot be read: " + why}; };
  for (int attempt = 0; attempt != tries; ++attempt) {
    const open_file file(path);
    const file_state before = file.state();
    if (before.error != 0) return fail(describe(before.error));
    // One byte more than there should be, so that a file that grew is seen to have.
    std::string text(std::min(static_cast<std::size_t>(before.size), limit) + 1, '\0');
    std::size_t size = 0;
    while (size != text.size()) {
      const ssize_t got = file.read_at(text.data() + size, text.size() - size, static_cast<std::int64_t>(size));
      if (got < 0) return fail(describe(errno));
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    if (size > limit)
      return fail("it has more than " + std::to_string(limit) + " bytes; make it smaller, or raise the size limit");
    // Another look by name would see only that the file was replaced, and the replaced one is whole.
    if (file.state() == before && static_cast<std::int64_t>(size) == before.size) {
      text.resize(size);
      return {std::move(text), {}};
    }
  }
  return fail("it is being written to and does not come to rest; write a new file and rename it over this one");
}

}  // namespace acqrel
