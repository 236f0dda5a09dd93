// SPDX-License-Identifier: Apache-2.0
#include "hash.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace flagserver {

namespace {

std::uint32_t little_endian_32(const unsigned char* p) noexcept {
  return static_cast<std::uint32_t>(p[0]) | static_cast<std::uint32_t>(p[1]) << 8 |
         static_cast<std::uint32_t>(p[2]) << 16 | static_cast<std::uint32_t>(p[3]) << 24;
}

std::uint64_t little_endian_64(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return std::endian::native == std::endian::big ? __builtin_bswap64(word) : word;
}

std::uint32_t scrambled(std::uint32_t k) noexcept { return std::rotl(k * 0xCC9E2D51u, 15) * 0x1B873593u; }

std::uint32_t mixed_in(std::uint32_t hash, std::uint32_t block) noexcept {
  return std::rotl(hash ^ scrambled(block), 13) * 5 + 0xE6546B64u;
}

/// Both halves of the 128-bit product, folded: each bit of either factor reaches half of the result.
std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using wide = unsigned __int128;
  const wide product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint32_t murmur3(std::string_view head, std::string_view tail) noexcept {
  std::uint32_t hash = 0;
  unsigned char rest[4] = {};  // bytes that do not fill a block yet
  std::size_t waiting = 0;
  for (const std::string_view part : {head, tail}) {
    const auto* p = reinterpret_cast<const unsigned char*>(part.data());
    std::size_t left = part.size();
    while (waiting != 0 && left != 0) {
      rest[waiting++] = *p++;
      --left;
      if (waiting == 4) {
        hash = mixed_in(hash, little_endian_32(rest));
        waiting = 0;
      }
    }
    for (; left >= 4; p += 4, left -= 4) hash = mixed_in(hash, little_endian_32(p));
    for (; left != 0; --left) rest[waiting++] = *p++;
  }
  if (waiting != 0) {
    for (std::size_t i = waiting; i < 4; ++i) rest[i] = 0;
    hash ^= scrambled(little_endian_32(rest));
  }
  hash ^= static_cast<std::uint32_t>(head.size() + tail.size());
  hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
  return hash ^ hash >> 16;
}

content_hash& content_hash::add(std::uint64_t number) noexcept {
  state_ = folded_product(state_ ^ number ^ 0xA0761D6478BD642Fu, 0xE7037ED1A0B428DBu) + std::rotl(number, 32);
  return *this;
}

content_hash& content_hash::add(std::string_view text) noexcept {
  add(std::uint64_t{text.size()});
  const char* p = text.data();
  std::size_t left = text.size();
  for (; left >= 8; p += 8, left -= 8) add(little_endian_64(p));
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < left; ++i) rest |= std::uint64_t{static_cast<unsigned char>(p[i])} << 8 * i;
  return left != 0 ? add(rest) : *this;
}

std::uint64_t content_hash::result() const noexcept {
  return folded_product(state_ ^ state_ >> 32, 0x8EBC6AF09C88C6E3u);
}

}  // namespace flagserver
