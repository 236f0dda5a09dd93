// SPDX-License-Identifier: Apache-2.0
// file_state.hpp - what a file is at one moment, and its whole content, read without mixing two versions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace acqrel {

/// Everything by which a change of a file can be noticed. Two equal states may differ in nothing but an access time.
struct file_state {
  int error = 0;  // errno, when there is no regular file to read; EFBIG is none: the hash is left out instead
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0;  // ns
  std::int64_t changed = 0;   // ns; moves also when somebody sets `modified` back
  std::uint64_t hash = 0;     // of the content: catches two writes within one tick of the file system's clock

  friend bool operator==(const file_state&, const file_state&) = default;
};

/// The state of the file behind `path`, links followed. Files above 64 MiB are told apart by the rest alone.
[[nodiscard]] file_state look_at(const std::string& path) noexcept;

struct file_content {
  std::string text;
  std::string problem;  // empty: `text` is the whole file as it was at one moment
};

/// Reads a file of at most `limit` bytes, again if it was written to meanwhile.
[[nodiscard]] file_content read_file(const std::string& path, std::size_t limit);

/// FNV-1a, 64 bits, continued from `hash`. Tells contents apart; protects from nobody who wants them to collide.
[[nodiscard]] constexpr std::uint64_t hash_bytes(std::string_view bytes,
                                                 std::uint64_t hash = 0xCBF29CE484222325U) noexcept {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
  return hash;
}

}  // namespace acqrel
