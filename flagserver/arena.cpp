// SPDX-License-Identifier: Apache-2.0
#include "arena.hpp"

#include <algorithm>

namespace flagserver {

void arena::refill(std::size_t bytes) {
  if (next_ != nullptr) {
    used_ += blocks_[block_].size;
    ++block_;
  }
  // a kept block that is too small for this one request is passed over until the next reset
  while (block_ < blocks_.size() && blocks_[block_].size < bytes) {
    used_ += blocks_[block_].size;
    ++block_;
  }
  if (used_ > limit_ || bytes > limit_ - used_) throw limit_exceeded{"too much memory"};
  if (block_ == blocks_.size()) {
    const std::size_t twice = blocks_.empty() ? first_block : 2 * blocks_.back().size;
    const std::size_t size = std::max(bytes, std::min(twice, std::size_t{1} << 20));
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  }
  next_ = blocks_[block_].bytes.get();
  left_ = blocks_[block_].size;
}

}  // namespace flagserver
