// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/flat_hash_map.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <unordered_map>

using acqrel::flat_hash_map;

namespace {

// ---- semantics ----

TEST(flat_hash_map, is_empty_at_first) {
  const flat_hash_map<std::string, int> map;
  EXPECT_EQ(map.size(), 0U);
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.find("a"), nullptr);
  EXPECT_TRUE(map.begin() == map.end());
}

TEST(flat_hash_map, gives_the_last_value_of_a_key) {  // F9
  flat_hash_map<std::string, int> map{{"a", 1}, {"b", 2}, {"a", 3}};
  EXPECT_EQ(map.size(), 2U);
  EXPECT_EQ(*map.find("a"), 3);
  EXPECT_FALSE(map.upsert("b", 4));
  EXPECT_TRUE(map.upsert("c", 5));
  EXPECT_EQ(*map.find("b"), 4);
  EXPECT_EQ(*map.find("c"), 5);
}

TEST(flat_hash_map, forgets_what_is_erased) {  // F4
  flat_hash_map<int, int> map{{1, 1}, {2, 2}};
  EXPECT_FALSE(map.erase(3));
  EXPECT_TRUE(map.erase(1));
  EXPECT_FALSE(map.erase(1));
  EXPECT_FALSE(map.contains(1));
  EXPECT_EQ(*map.find(2), 2);
  EXPECT_TRUE(map.erase(2));
  EXPECT_TRUE(map.empty());
  EXPECT_FALSE(map.erase(2));
}

TEST(flat_hash_map, is_asked_by_what_is_not_a_key_but_compares_with_one) {
  const flat_hash_map<std::string, int> strings{{"one", 1}};
  EXPECT_EQ(*strings.find(std::string_view("one two", 3)), 1);
  EXPECT_EQ(*strings.find(std::string("one")), 1);
  EXPECT_EQ(*strings.find({'o', 'n', 'e'}), 1);  // a std::string
  const flat_hash_map<long, int> numbers{{1L << 40, 1}};
  EXPECT_EQ(*numbers.find(1LL << 40), 1);  // converted
}

TEST(flat_hash_map, takes_values_that_only_move) {
  flat_hash_map<int, std::unique_ptr<int>> map;
  for (int n = 0; n < 100; ++n) map.upsert(n, std::make_unique<int>(n));
  EXPECT_TRUE(map.erase(7));
  flat_hash_map<int, std::unique_ptr<int>> moved = std::move(map);
  EXPECT_EQ(**moved.find(99), 99);
  EXPECT_EQ(moved.size(), 99U);
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.find(99), nullptr);
  EXPECT_TRUE(map.upsert(1, nullptr)) << "a map that was moved from is an empty one";
}

struct folding_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    return std::hash<std::string>{}(lower);
  }
};
struct folding_equal {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
  }
};

TEST(flat_hash_map, has_the_equality_that_it_is_given) {
  flat_hash_map<std::string, int, folding_hash, folding_equal> map{{"Key", 1}};
  EXPECT_FALSE(map.upsert("KEY", 2));
  EXPECT_EQ(*map.find("key"), 2);
  EXPECT_EQ(map.begin()->first, "Key");
}

// Many keys one after the other, in strides whose low bits are all the same, as addresses and packed numbers have.
TEST(flat_hash_map, spreads_numbers_whatever_bits_they_differ_in) {
  static long compared = 0;
  struct counting_equal {
    bool operator()(std::uint64_t a, std::uint64_t b) const {
      ++compared;
      return a == b;
    }
  };
  for (unsigned shift = 0; shift < 48; ++shift) {
    flat_hash_map<std::uint64_t, int, std::hash<std::uint64_t>, counting_equal> map;
    for (std::uint64_t n = 0; n < 10'000; ++n) map.upsert(n << shift, 0);
    compared = 0;
    for (std::uint64_t n = 0; n < 10'000; ++n) ASSERT_TRUE(map.contains(n << shift));
    EXPECT_LT(compared, 20'000) << "keys are multiples of 2^" << shift;
  }
}

// ---- against std::unordered_map ----
// A random sequence of upserts, erasures and copies; after each step the key is asked for, and now and then everything.

struct one_hash {
  std::size_t operator()(const std::string&) const { return 42; }
};
struct two_hashes {  // the first slot and the last: searches and gaps run across the end
  std::size_t operator()(const std::string& key) const {
    return key.size() % 2 == 0 ? 0 : 0x66C88CC300000000;  // which the map multiplies to 2^64 - 2^32
  }
};

template <class Hash>
void is_as_unordered_map(std::uint32_t seed, int steps, int keys) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  flat_hash_map<std::string, int, Hash> map;
  std::unordered_map<std::string, int> oracle;
  for (int step = 0; step < steps; ++step) {
    const std::string key = std::string(static_cast<std::size_t>(below(3)), 'x') + std::to_string(below(keys));
    const bool shrinks = step / 500 % 2 == 1;
    if (below(10) < (shrinks ? 8 : 3)) {
      ASSERT_EQ(map.erase(key), oracle.erase(key) == 1);
    } else {
      ASSERT_EQ(map.upsert(key, step), oracle.insert_or_assign(key, step).second);
    }
    ASSERT_EQ(map.size(), oracle.size());
    const auto expected = oracle.find(key);
    const int* const found = map.find(key);
    ASSERT_EQ(found != nullptr, expected != oracle.end());
    if (found != nullptr) {
      ASSERT_EQ(*found, expected->second);
    }
    if (step % 100 != 0) continue;
    if (below(2) == 0) map = flat_hash_map<std::string, int, Hash>(map, static_cast<std::size_t>(below(3)));
    for (const auto& [k, v] : oracle) {
      ASSERT_NE(map.find(k), nullptr) << k;
      ASSERT_EQ(*map.find(k), v);
    }
    std::size_t seen = 0;
    for (const auto& [k, v] : map) {
      ASSERT_EQ(oracle.at(k), v);
      ++seen;
    }
    ASSERT_EQ(seen, oracle.size());
  }
}

TEST(flat_hash_map, is_as_unordered_map_in_random_sequences) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) is_as_unordered_map<acqrel::flat_hash<std::string>>(seed, 3000, 300);
  is_as_unordered_map<acqrel::flat_hash<std::string>>(11, 3000, 3);
}
TEST(flat_hash_map, is_as_unordered_map_where_all_keys_have_one_hash) { is_as_unordered_map<one_hash>(1, 3000, 100); }
TEST(flat_hash_map, is_as_unordered_map_where_keys_meet_at_the_end_of_the_slots) {
  is_as_unordered_map<two_hashes>(1, 3000, 100);
}

// ---- what throws ----

struct fragile {
  explicit fragile(int n) : number(n) {}
  fragile(const fragile& other) : number(other.number) {
    if (copies_until_failure >= 0 && copies_until_failure-- == 0) throw std::runtime_error("no copy");
  }
  fragile& operator=(const fragile&) = default;
  fragile(fragile&&) noexcept = default;
  fragile& operator=(fragile&&) noexcept = default;
  int number;
  static inline long copies_until_failure = -1;
};

TEST(flat_hash_map, leaves_a_map_as_it_was_when_copying_it_throws) {
  flat_hash_map<int, fragile> map;
  for (int n = 0; n < 20; ++n) map.upsert(n, fragile(n));
  for (long failure = 0; failure < 20; ++failure) {
    fragile::copies_until_failure = failure;
    EXPECT_THROW((flat_hash_map<int, fragile>(map)), std::runtime_error);
  }
  fragile::copies_until_failure = -1;
  ASSERT_EQ(map.size(), 20U);
  for (int n = 0; n < 20; ++n) EXPECT_EQ(map.find(n)->number, n);
}

struct suspicious_hash {
  std::size_t operator()(int n) const {
    if (refused == n) throw std::runtime_error("no hash");
    return static_cast<std::size_t>(n);
  }
  static inline int refused = -1;
};

TEST(flat_hash_map, leaves_a_map_as_it_was_when_a_hash_throws) {
  flat_hash_map<int, int, suspicious_hash> map;
  for (int n = 0; n < 20; ++n) map.upsert(n, n);
  suspicious_hash::refused = 19;  // the last, which would move into a gap
  EXPECT_THROW(map.erase(3), std::runtime_error);
  EXPECT_THROW(map.upsert(19, 0), std::runtime_error);
  suspicious_hash::refused = -1;
  ASSERT_EQ(map.size(), 20U);
  for (int n = 0; n < 20; ++n) EXPECT_EQ(*map.find(n), n);
}

}  // namespace
