// acqrel/keyed/bloom_set.hpp - a set that forgets the keys: it says "not there" for sure, and "there" with a known error.
//
//   acqrel::bloom_set seen(1'000'000, 0.01);             // of a million keys, one answer in a hundred may be wrong
//   seen.add(user);                                      // any thread; an integer, or a string
//   if (!seen.contains(user)) return unknown;            // for sure: nobody asks the database
//   const std::vector<std::byte> kept = seen.to_bytes();
//   const acqrel::bloom_set again(kept);                 // in any process, on any machine
//
// Publishes  nothing, as a "there" may be an error, and then nobody has written anything. What it stands before must publish
//            itself; ask that, not this set, whether the key is there.
// Edges      none.
// Progress   wait-free.
// Memory     -log2(rate) x 1.44 bits a key: 9.6 for 0.01, 14.4 for 0.001.
// Threads    any, but for construction and destruction. add() is seen by every contains() that it happens before.
// Errors     std::invalid_argument for a shape without bits or without hashes, a rate that is not between 0 and 1, sets of two
//            shapes to merge, or bytes that to_bytes() did not write. With more keys than planned the rate grows, see
//            false_positive_rate(); a key that was added is found, always.
// Cost       contains() of a key not there two loads on average, each a cache miss if the set is large; of one that is, as many
//            as hashes. add() loads first and writes only what is missing. Bench bloom_set/contains, bloom_set/add.
// Model      tests/keyed/bloom_set_model.cpp: no bit is lost; and the program that takes a "there" for a message fails.
// Not for    keys to be erased or listed (striped_map).
//
// Keys are hashed the same way everywhere and for ever, which to_bytes() needs, so this is a part of the format. With mix() the
// finalizer of SplitMix64, an integer is mix(its value modulo 2^64 + seed + 0x9E3779B97F4A7C15): an int and a long of one value
// are one key. Bytes are h = mix(seed ^ length), then h = mix(h ^ word) for each eight, little endian, the
// last filled with zeros, then mix(~h). Of that hash, probe i is the bit at bits x p / 2^64, where p begins as the hash and is
// next p x 0xD1342543DE82EF95 + (mix(hash) | 1). Who knows the seed can choose keys that meet: give a secret one if strangers choose.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace acqrel {

class bloom_set {
 public:
  /// How many bits, rounded up to a multiple of 64, and how many of them a key has.
  struct shape {
    std::uint64_t bits = 0;
    std::uint32_t hashes = 0;
    std::uint64_t seed = 0;
    friend bool operator==(const shape&, const shape&) = default;
  };

  /// The smallest set in which, once `keys` different ones were added, a key that was not is found with probability `rate` at most.
  bloom_set(std::uint64_t keys, double rate, std::uint64_t seed = 0) : bloom_set(shape_for(keys, rate, seed)) {}
  explicit bloom_set(const shape& exactly);
  /// What to_bytes() wrote; anything else is refused.
  explicit bloom_set(std::span<const std::byte> bytes);
  bloom_set(const bloom_set&) = delete;  // make one of the same shape, and merge
  bloom_set& operator=(const bloom_set&) = delete;

  /// False if all its bits were there: the key was, or seems to have been. True: it is new for sure, or two threads add it now.
  template <std::integral Key>
  bool add(Key key) noexcept {
    return set(hash(static_cast<std::uint64_t>(key), shape_.seed));
  }
  bool add(std::string_view key) noexcept { return set(hash(key, shape_.seed)); }
  /// False: it was never added, by nobody whose add() happens before.
  template <std::integral Key>
  [[nodiscard]] bool contains(Key key) const noexcept {
    return test(hash(static_cast<std::uint64_t>(key), shape_.seed));
  }
  [[nodiscard]] bool contains(std::string_view key) const noexcept { return test(hash(key, shape_.seed)); }

  /// Adds all keys of `other`, which has the same shape. Others may add to both meanwhile.
  void merge(const bloom_set& other);
  /// All that was added, by those whose add() happens before: 40 bytes, the bits, and a checksum.
  [[nodiscard]] std::vector<std::byte> to_bytes() const;

  [[nodiscard]] const shape& its_shape() const noexcept { return shape_; }
  /// What it is now, by the bits that are set; it grows with each key.
  [[nodiscard]] double false_positive_rate() const noexcept;
  /// What it is with `keys` keys: (1 - e^(-hashes x keys / bits)) ^ hashes.
  [[nodiscard]] static double rate_of(const shape& of, double keys) noexcept;
  [[nodiscard]] static shape shape_for(std::uint64_t keys, double rate, std::uint64_t seed = 0);

 private:
  static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
  }
  static std::uint64_t hash(std::uint64_t key, std::uint64_t seed) noexcept {
    return mix(key + seed + 0x9E3779B97F4A7C15);
  }
  static std::uint64_t hash(std::string_view key, std::uint64_t seed) noexcept;
  static std::uint64_t high_product(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ typedef unsigned __int128 wide;
    return static_cast<std::uint64_t>(wide{a} * b >> 64);
  }

  // The bits of a key, one after the other. A step by addition alone, as in double hashing, has too few pairs of start and step
  // in small sets, and none of use where the step is even or zero; the multiplication makes each bit depend on both anew.
  struct probe {
    explicit probe(std::uint64_t hash) noexcept : at(hash), step(mix(hash) | 1) {}
    void next() noexcept { at = at * 0xD1342543DE82EF95 + step; }
    std::uint64_t at;
    const std::uint64_t step;
  };
  bool test(std::uint64_t hash) const noexcept {
    probe each(hash);
    for (std::uint32_t left = shape_.hashes; left != 0; --left, each.next()) {
      const std::uint64_t bit = high_product(each.at, shape_.bits);
      // plain: a bit that was set before is seen, as it is never unset; it tells of nothing else
      if ((words_[bit / 64].load(std::memory_order_relaxed) >> bit % 64 & 1) == 0) return false;
    }
    return true;
  }
  bool set(std::uint64_t hash) noexcept {
    probe each(hash);
    bool news = false;
    for (std::uint32_t left = shape_.hashes; left != 0; --left, each.next()) {
      const std::uint64_t bit = high_product(each.at, shape_.bits), mask = std::uint64_t{1} << bit % 64;
      // plain: only asks whether there is something to write
      if ((words_[bit / 64].load(std::memory_order_relaxed) & mask) != 0) continue;
      // plain: no bit of others is lost, as it is one operation; see test()
      news |= (words_[bit / 64].fetch_or(mask, std::memory_order_relaxed) & mask) == 0;
    }
    return news;
  }
  static shape shape_in(std::span<const std::byte> bytes);  // after it has looked at all of them
  static std::uint64_t checksum(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::size_t words() const noexcept { return static_cast<std::size_t>(shape_.bits / 64); }

  const shape shape_;
  const std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
};

}  // namespace acqrel
