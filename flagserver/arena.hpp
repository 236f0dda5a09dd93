// SPDX-License-Identifier: Apache-2.0
// flagserver/arena.hpp - memory that is handed out bump by bump and taken back all at once.
//
// An evaluation needs a little memory whose life ends with its answer. The arena keeps its blocks when it is
// reset, so that from the second request of a size on, nothing comes from the heap. Not for several threads at once.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace flagserver {

/// Thrown when something asks for more than its bound: memory, nesting or steps. `what` is a literal.
struct limit_exceeded {
  const char* what;
};

class arena {
 public:
  static constexpr std::size_t first_block = 4096;

  /// At most `limit` bytes are handed out between two resets.
  explicit arena(std::size_t limit) noexcept : limit_(limit) {}
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  /// Uninitialised storage for `count` objects. Throws limit_exceeded.
  template <class T>
  T* make(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));
    if (count > limit_ / sizeof(T)) throw limit_exceeded{"too much memory"};
    return static_cast<T*>(take(count * sizeof(T)));
  }

  /// A copy of `text` that lives until the next reset.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = make<char>(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  /// Everything handed out so far ends; the blocks stay for what comes next.
  void reset() noexcept {
    used_ = 0;
    block_ = 0;
    next_ = blocks_.empty() ? nullptr : blocks_[0].bytes.get();
    left_ = blocks_.empty() ? 0 : blocks_[0].size;
  }

  /// Resets, and gives back to the heap what one unusually large use has left behind.
  void trim(std::size_t keep) noexcept {
    std::size_t kept = 0, count = 0;
    while (count < blocks_.size() && kept + blocks_[count].size <= keep) kept += blocks_[count++].size;
    while (blocks_.size() > count) blocks_.pop_back();
    reset();
  }

 private:
  struct block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };

  void* take(std::size_t bytes) {
    bytes = (bytes + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    if (bytes > left_) refill(bytes);
    void* result = next_;
    next_ += bytes;
    left_ -= bytes;
    return result;
  }

  [[gnu::cold, gnu::noinline]] void refill(std::size_t bytes);

  std::vector<block> blocks_;
  std::size_t block_ = 0;      // the block in use; those after it are empty
  std::byte* next_ = nullptr;  // the first free byte of that block
  std::size_t left_ = 0;       // and how many follow
  std::size_t used_ = 0;       // bytes of the blocks before it
  std::size_t limit_;
};

}  // namespace flagserver
