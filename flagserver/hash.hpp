// SPDX-License-Identifier: Apache-2.0
// flagserver/hash.hpp - murmur3, which decides who gets which variant, and a 64-bit hash of content.
#pragma once

#include <cstdint>
#include <string_view>

namespace flagserver {

/// MurmurHash3_x86_32, seed 0, of the bytes of `head` followed by those of `tail`.
std::uint32_t murmur3(std::string_view head, std::string_view tail = {}) noexcept;

/// A 64-bit hash of a sequence of texts and numbers. Not for secrets; it does not withstand a forger.
class content_hash {
 public:
  content_hash& add(std::uint64_t number) noexcept;
  /// The text's length is part of what is hashed, so that "ab","c" differs from "a","bc".
  content_hash& add(std::string_view text) noexcept;
  std::uint64_t result() const noexcept;

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15u;
};

}  // namespace flagserver
