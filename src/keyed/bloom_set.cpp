// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/bloom_set.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

namespace acqrel {
namespace {

// The format: all numbers little endian.
//    0  "acqbloom"
//    8  version, 1            4 bytes
//   12  hashes                4
//   16  bits                  8
//   24  seed                  8
//   32  checksum             8: the hash of the bytes from 40 on, its seed the hash of 0 to 31 with the seed 0
//   40  bits / 64 words       8 each; bit n of the set is bit n % 64 of word n / 64
constexpr std::string_view magic = "acqbloom";
constexpr std::uint32_t version = 1;
constexpr std::size_t head = 40;
constexpr std::uint64_t most_bits = std::uint64_t{1} << 48;
constexpr std::uint32_t most_hashes = 1024;

template <class Number>
Number read(const std::byte* from) noexcept {
  Number all = 0;
  for (std::size_t i = 0; i != sizeof(Number); ++i) all |= static_cast<Number>(static_cast<Number>(from[i]) << 8 * i);
  return all;
}
template <class Number>
void write(std::byte* to, Number what) noexcept {
  for (std::size_t i = 0; i != sizeof(Number); ++i) to[i] = static_cast<std::byte>(what >> 8 * i);
}

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument("acqrel: bloom_set: " + why); }

bloom_set::shape whole(bloom_set::shape of) {
  if (of.bits == 0) refuse("no bits, which would hold no key; give 64 or more");
  if (of.hashes == 0) refuse("no hashes, so that every key would be found; give 1 or more");
  if (of.bits > most_bits) refuse(std::to_string(of.bits) + " bits; 2^48 is the most, 32 TiB");
  if (of.hashes > most_hashes) refuse(std::to_string(of.hashes) + " hashes; 1024 is the most, and 7 to 20 are usual");
  of.bits = (of.bits + 63) / 64 * 64;
  return of;
}

}  // namespace

std::uint64_t bloom_set::hash(std::string_view key, std::uint64_t seed) noexcept {
  std::uint64_t all = mix(seed ^ key.size());
  const auto* const bytes = reinterpret_cast<const std::byte*>(key.data());
  std::size_t at = 0;
  for (; key.size() - at >= 8; at += 8) all = mix(all ^ read<std::uint64_t>(bytes + at));
  if (at != key.size()) {
    std::uint64_t last = 0;
    for (std::size_t i = 0; at + i != key.size(); ++i) last |= static_cast<std::uint64_t>(bytes[at + i]) << 8 * i;
    all = mix(all ^ last);
  }
  return mix(~all);
}

bloom_set::bloom_set(const shape& exactly)
    : shape_(whole(exactly)), words_(std::make_unique<std::atomic<std::uint64_t>[]>(words())) {}

bloom_set::shape bloom_set::shape_in(std::span<const std::byte> bytes) {
  const std::string size = std::to_string(bytes.size());
  if (bytes.size() < head)
    refuse("the bytes are no set: " + size + " of them, and the head alone has 40; was it cut off?");
  if (!std::equal(magic.begin(), magic.end(), bytes.begin(), [](char a, std::byte b) { return std::byte(a) == b; }))
    refuse("the bytes are no set: they do not begin with \"acqbloom\"");
  if (const auto given = read<std::uint32_t>(&bytes[8]); given != version)
    refuse("the bytes are of version " + std::to_string(given) + ", and this library reads version 1");
  if (checksum(bytes) != read<std::uint64_t>(&bytes[32]))
    refuse("the bytes are not those that were written: the checksum of these " + size + " is another; was it cut off?");
  const shape found{.bits = read<std::uint64_t>(&bytes[16]),
                    .hashes = read<std::uint32_t>(&bytes[12]),
                    .seed = read<std::uint64_t>(&bytes[24])};
  if (found.bits % 64 != 0 || found.bits / 8 != bytes.size() - head)
    refuse("the bytes are no set: " + std::to_string(found.bits) + " bits do not fit in these " + size);
  return whole(found);
}

std::uint64_t bloom_set::checksum(std::span<const std::byte> bytes) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return hash(text.substr(head), hash(text.substr(0, 32), 0));
}

bloom_set::bloom_set(std::span<const std::byte> bytes) : bloom_set(shape_in(bytes)) {
  for (std::size_t i = 0; i != words(); ++i) {
    // plain: nobody else has the set yet
    words_[i].store(read<std::uint64_t>(&bytes[head + 8 * i]), std::memory_order_relaxed);
  }
}

std::vector<std::byte> bloom_set::to_bytes() const {
  std::vector<std::byte> bytes(head + 8 * words());
  std::transform(magic.begin(), magic.end(), bytes.begin(), [](char c) { return std::byte(c); });
  write(&bytes[8], version);
  write(&bytes[12], shape_.hashes);
  write(&bytes[16], shape_.bits);
  write(&bytes[24], shape_.seed);
  for (std::size_t i = 0; i != words(); ++i) {
    // plain: as in test()
    write(&bytes[head + 8 * i], words_[i].load(std::memory_order_relaxed));
  }
  write(&bytes[32], checksum(bytes));
  return bytes;
}

void bloom_set::merge(const bloom_set& other) {
  if (!(shape_ == other.shape_)) {
    const auto say = [](const shape& of) {
      return std::to_string(of.bits) + " bits, " + std::to_string(of.hashes) + " hashes, seed " +
             std::to_string(of.seed);
    };
    refuse("only sets of one shape can be merged, and these have " + say(shape_) + "; " + say(other.shape_));
  }
  for (std::size_t i = 0; i != words(); ++i) {
    // plain: as in test()
    const std::uint64_t more = other.words_[i].load(std::memory_order_relaxed);
    // plain: as in set()
    if (more != 0) words_[i].fetch_or(more, std::memory_order_relaxed);
  }
}

double bloom_set::false_positive_rate() const noexcept {
  std::uint64_t ones = 0;
  for (std::size_t i = 0; i != words(); ++i) {
    // plain: as in test()
    ones += static_cast<std::uint64_t>(std::popcount(words_[i].load(std::memory_order_relaxed)));
  }
  return std::pow(static_cast<double>(ones) / static_cast<double>(shape_.bits), shape_.hashes);
}

double bloom_set::rate_of(const shape& of, double keys) noexcept {
  return std::pow(-std::expm1(-(of.hashes * keys / static_cast<double>(of.bits))), of.hashes);
}

// With k hashes and n keys, m bits give the rate (1 - e^(-kn/m))^k: solved for m, with the two whole k about the best.
bloom_set::shape bloom_set::shape_for(std::uint64_t keys, double rate, std::uint64_t seed) {
  if (keys == 0) refuse("made for no keys; give the number that will be added, or more");
  if (!(rate > 0 && rate < 1)) refuse("a rate of " + std::to_string(rate) + "; give one between 0 and 1, such as 0.01");
  const double best = -std::log2(rate);
  const auto bits_with = [&](double hashes) {
    return -hashes * static_cast<double>(keys) / std::log1p(-std::exp(std::log(rate) / hashes));
  };
  const double fewer = std::max(1.0, std::floor(best)), more = std::ceil(best);
  const double hashes = more > fewer && bits_with(more) < bits_with(fewer) ? more : fewer,
               bits = std::ceil(bits_with(hashes));
  if (!(bits <= static_cast<double>(most_bits)))
    refuse("more than 2^48 bits, 32 TiB; give fewer keys or a higher rate");
  return whole({.bits = static_cast<std::uint64_t>(bits), .hashes = static_cast<std::uint32_t>(hashes), .seed = seed});
}

}  // namespace acqrel
