// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/bloom_set.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <iostream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using acqrel::bloom_set;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t fewer = 10;
#else
constexpr std::uint64_t fewer = 1;
#endif

// What a constructor says of what it is given; empty if it takes it.
template <class... Given>
std::string refusal(const Given&... given) {
  try {
    bloom_set set(given...);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}
::testing::AssertionResult says(const std::string& message, std::string_view what) {
  if (message.starts_with("acqrel: bloom_set: ") && message.find(what) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << '"' << message << "\" instead of ..." << what;
}

// ---- semantics ----

TEST(bloom_set, finds_what_was_added_and_nothing_in_an_empty_one) {  // BF1
  bloom_set set(1000, 0.01);
  for (int n = -500; n != 500; ++n) EXPECT_FALSE(set.contains(n));
  EXPECT_EQ(set.false_positive_rate(), 0);
  EXPECT_TRUE(set.add(-500));
  EXPECT_FALSE(set.add(-500)) << "the second time";
  for (int n = -500; n != 500; ++n) set.add(n);
  for (int n = -500; n != 500; ++n) EXPECT_TRUE(set.contains(n));
  bloom_set texts(1000, 0.01);
  for (std::size_t length = 0; length != 100; ++length) {
    EXPECT_FALSE(texts.contains(std::string(length, 'a'))) << length;
    EXPECT_TRUE(texts.add(std::string(length, 'a')));
    EXPECT_TRUE(texts.contains(std::string(length, 'a')));
  }
  EXPECT_FALSE(texts.contains(std::string("a\0", 2))) << "a zero byte counts";
  EXPECT_FALSE(texts.contains(std::string_view("\0", 1)));
}

TEST(bloom_set, finds_all_when_it_is_overfull_though_it_finds_too_many) {
  bloom_set set(10, 0.01);
  for (int n = 0; n != 10'000; ++n) set.add(n);
  for (int n = 0; n != 10'000; ++n) EXPECT_TRUE(set.contains(n));
  EXPECT_EQ(set.false_positive_rate(), 1);
}

TEST(bloom_set, takes_a_number_for_the_same_key_whatever_its_type) {
  bloom_set set(10, 1e-9);
  set.add(static_cast<short>(7));
  EXPECT_TRUE(set.contains(7ULL));
  set.add(-1);
  EXPECT_TRUE(set.contains(std::int8_t{-1}));
  EXPECT_TRUE(set.contains(UINT64_MAX));
  EXPECT_FALSE(set.contains(UINT32_MAX));
  set.add("7");
  EXPECT_TRUE(set.contains(std::string("7")));
  EXPECT_FALSE(set.contains(8));
}

// BF4
TEST(bloom_set, refuses_what_would_be_no_set) {
  const auto shaped = [](std::uint64_t bits, std::uint32_t hashes) {
    return refusal(bloom_set::shape{.bits = bits, .hashes = hashes});
  };
  EXPECT_TRUE(says(shaped(0, 7), "no bits"));
  EXPECT_TRUE(says(shaped(64, 0), "no hashes"));
  EXPECT_TRUE(says(shaped(64, 1025), "hashes"));
  EXPECT_TRUE(says(shaped(UINT64_MAX, 7), "bits"));
  EXPECT_EQ(shaped(1, 1), "");
  EXPECT_EQ(bloom_set(bloom_set::shape{.bits = 65, .hashes = 1}).its_shape().bits, 128U);
  EXPECT_TRUE(says(refusal(0U, 0.01), "no keys"));
  for (const double rate :
       {0.0, 1.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    EXPECT_TRUE(says(refusal(1000U, rate), "a rate of")) << rate;
  EXPECT_TRUE(says(refusal(UINT64_MAX, 0.01), "fewer keys"));
}

TEST(bloom_set, is_as_small_as_its_rate_allows) {
  for (const std::uint64_t keys : {1U, 2U, 10U, 1000U, 50'000U, 10'000'000U}) {
    for (const double rate : {0.9, 0.5, 0.1, 0.01, 0.001, 1e-6, 1e-12}) {
      const auto of = bloom_set::shape_for(keys, rate);
      const double planned = static_cast<double>(keys);
      EXPECT_LE(bloom_set::rate_of(of, planned), rate * (1 + 1e-9)) << keys << ", " << rate;
      const double least = -std::log(rate) / std::log(2) / std::log(2) * planned;  // with hashes in fractions
      if (rate <= 0.1) {
        EXPECT_LE(static_cast<double>(of.bits), least * 1.02 + 64) << keys << ", " << rate;
      }
    }
  }
  EXPECT_EQ(bloom_set::shape_for(1'000'000, 0.01).hashes, 7U);
  EXPECT_NEAR(static_cast<double>(bloom_set::shape_for(1'000'000, 0.01).bits), 9.585e6, 0.01e6);
}

// ---- how often it is wrong ----
// Keys are added by number, then asked for others, by higher numbers, which were never added. The rate found is compared with
// (1 - e^(-kn/m))^k. Enough are asked that three standard deviations of the sample are far less than the ten percent; a
// small set is made several times, as its own bits deviate.

struct sample {
  bloom_set::shape of;
  std::uint64_t keys, asked, sets = 1;
};

template <class Set, class KeyOf>
double measured(const sample& what, KeyOf key) {
  std::uint64_t wrong = 0;
  const std::uint64_t asked = what.asked / fewer / what.sets;
  for (std::uint64_t set = 0; set != what.sets; ++set) {
    auto of = what.of;
    of.seed += set * 0x1234567;
    Set one(of);
    for (std::uint64_t n = 0; n != what.keys; ++n) one.add(key(n));
    for (std::uint64_t n = 0; n != asked; ++n) wrong += one.contains(key(what.keys + n));
  }
  return static_cast<double>(wrong) / static_cast<double>(asked * what.sets);
}

std::uint64_t in_a_row(std::uint64_t n) { return n; }
std::uint64_t far_apart(std::uint64_t n) { return n << 32; }
// Of another family than the set's own hash: xorshift64*, after a few steps.
std::uint64_t at_random(std::uint64_t n) {
  n = (n + 1) * 0x2545F4914F6CDD1D;
  for (int i = 0; i != 8; ++i) {
    n ^= n >> 12;
    n ^= n << 25;
    n ^= n >> 27;
  }
  return n * 0x2545F4914F6CDD1D;
}
std::string text(std::uint64_t n) { return "user/" + std::to_string(n) + "/profile"; }

template <class KeyOf>
void has_the_rate(const char* what, const sample& of, KeyOf key) {
  const double theory = bloom_set::rate_of(of.of, static_cast<double>(of.keys)), found = measured<bloom_set>(of, key);
  const double three_sigma = 3 * std::sqrt(theory / static_cast<double>(of.asked / fewer));
  std::cout << what << ": " << found << ", theory " << theory << ", x " << found / theory << '\n';
  EXPECT_NEAR(found, theory, 0.1 * theory + (fewer == 1 ? 0 : three_sigma)) << what;
  if (fewer == 1) {
    EXPECT_LT(three_sigma, 0.1 * theory) << what << ": ask more";
  }
}

// BF2, BF3, BF6: m is a power of two, and the keys stand in a row.
constexpr sample documents{.of = {.bits = 524'288, .hashes = 7, .seed = 1}, .keys = 50'000, .asked = 2'000'000};

TEST(bloom_set, is_wrong_as_often_as_theory_says) {
  has_the_rate("in a row", documents, in_a_row);
  has_the_rate("multiples of 2^32", documents, far_apart);
  has_the_rate("text", documents, text);
  auto other = documents;
  other.of.bits = 500'032;
  has_the_rate("bits no power of two", other, in_a_row);
  other = documents;
  other.of.seed = 0;
  has_the_rate("at random", other, at_random);
  for (const std::uint32_t hashes : {1U, 4U, 10U}) {
    other = documents;
    other.of.hashes = hashes;
    has_the_rate("other numbers of hashes", other, in_a_row);
  }
}

TEST(bloom_set, is_wrong_as_often_as_it_was_made_for) {
  for (const double rate : {0.1, 0.01, 0.001})
    has_the_rate("large", {bloom_set::shape_for(100'000, rate), 100'000, 2'000'000}, in_a_row);
  for (const double rate : {0.01, 0.0005})
    has_the_rate("small", {bloom_set::shape_for(1000, rate), 1000, 4'000'000, 40}, in_a_row);
  bloom_set set(100'000, 0.01);
  for (int n = 0; n != 100'000; ++n) set.add(n);
  EXPECT_NEAR(set.false_positive_rate(), bloom_set::rate_of(set.its_shape(), 100'000), 0.0004);
}

// The measurement tells a bad set: double hashing whose step is given, after the source document.
template <std::uint64_t (*Start)(std::uint64_t), std::uint64_t (*Step)(std::uint64_t)>
struct documents_set {
  explicit documents_set(const bloom_set::shape& given) : of(given), bits(given.bits) {}
  template <class F>
  bool each(std::uint64_t key, F f) {
    std::uint64_t at = Start(key);
    for (std::uint32_t i = 0; i != of.hashes; ++i, at += Step(key))
      if (!f(at % of.bits)) return false;
    return true;
  }
  void add(std::uint64_t key) {
    each(key, [&](std::uint64_t bit) { return bits[bit] = true; });
  }
  bool contains(std::uint64_t key) {
    return each(key, [&](std::uint64_t bit) { return bool(bits[bit]); });
  }
  const bloom_set::shape of;
  std::vector<bool> bits;
};
std::uint64_t mixed(std::uint64_t n) { return at_random(n); }
std::uint64_t itself(std::uint64_t n) { return std::hash<std::uint64_t>{}(n); }
std::uint64_t zero(std::uint64_t) { return 0; }
std::uint64_t multiple_of_4096(std::uint64_t n) { return mixed(n + 1'000'000'000) << 12; }

TEST(bloom_set, is_measured_by_what_finds_a_bad_one) {  // BF3
  auto less = documents;
  less.asked = 200'000 * fewer;
  const double theory = bloom_set::rate_of(less.of, 50'000);
  EXPECT_GT((measured<documents_set<mixed, zero>>(less, in_a_row)), 5 * theory);
  EXPECT_GT((measured<documents_set<mixed, mixed>>(less, in_a_row)), 5 * theory);
  EXPECT_GT((measured<documents_set<mixed, multiple_of_4096>>(less, in_a_row)), 2 * theory);
  EXPECT_LT((measured<documents_set<itself, itself>>(less, in_a_row)), theory / 2)
      << "std::hash<int>, the number itself";
}

// ---- merging, and the bytes ----

TEST(bloom_set, merges_into_what_both_had) {
  bloom_set one(2000, 0.01), two(2000, 0.01), all(2000, 0.01);
  for (int n = 0; n != 1000; ++n) one.add(n), all.add(n);
  for (int n = 500; n != 2000; ++n) two.add(n), all.add(n);
  one.merge(two);
  EXPECT_EQ(one.to_bytes(), all.to_bytes());
  one.merge(one);
  EXPECT_EQ(one.to_bytes(), all.to_bytes());
  for (const auto& other :
       {bloom_set::shape_for(3000, 0.01), bloom_set::shape_for(2000, 0.02), bloom_set::shape_for(2000, 0.01, 1)}) {
    try {
      one.merge(bloom_set(other));
      ADD_FAILURE() << "another shape";
    } catch (const std::invalid_argument& error) {
      EXPECT_TRUE(says(error.what(), "one shape"));
    }
  }
  EXPECT_EQ(one.to_bytes(), all.to_bytes());
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte each : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned>(each) / 16];
    text += "0123456789abcdef"[static_cast<unsigned>(each) % 16];
  }
  return text;
}

// What these keys come to was computed by a program of its own, in another language, from the description in the header and in
// the source. If it changes, nobody can read what was kept: then it is another version.
TEST(bloom_set, has_the_same_bytes_everywhere_and_for_ever) {
  bloom_set set(bloom_set::shape{.bits = 128, .hashes = 5, .seed = 7});
  set.add(1);
  set.add(-1);
  set.add("");
  set.add("ada");
  set.add("a longer string of bytes \xff");
  EXPECT_EQ(hex(set.to_bytes()),
            "616371626c6f6f6d0100000005000000800000000000000007000000000000"
            "0086da06413fea82cb040001158040000060a00550004245a8");
}

TEST(bloom_set, is_the_same_after_bytes) {
  for (const std::uint64_t keys : {1U, 100U, 5000U}) {
    bloom_set set(keys, 0.01, 42);
    for (std::uint64_t n = 0; n != keys; ++n) set.add(n);
    const auto bytes = set.to_bytes();
    const bloom_set again(bytes);
    EXPECT_EQ(again.its_shape(), set.its_shape());
    EXPECT_EQ(again.to_bytes(), bytes);
    for (std::uint64_t n = 0; n != 3 * keys; ++n) EXPECT_EQ(again.contains(n), set.contains(n));
  }
}

TEST(bloom_set, refuses_bytes_of_which_one_bit_is_another) {
  bloom_set set(20, 0.01);
  for (int n = 0; n != 20; ++n) set.add(n);
  const auto right = set.to_bytes();
  ASSERT_EQ(refusal(std::span(right)), "");
  for (std::size_t at = 0; at != right.size(); ++at) {
    for (unsigned bit = 0; bit != 8; ++bit) {
      auto wrong = right;
      wrong[at] ^= std::byte{1} << bit;
      EXPECT_TRUE(says(refusal(std::span(wrong)), "the bytes are")) << at << ", " << bit;
    }
  }
  auto wrong = right;
  wrong[0] = std::byte{'A'};
  EXPECT_TRUE(says(refusal(std::span(wrong)), "do not begin with"));
  wrong = right;
  wrong[8] = std::byte{2};
  EXPECT_TRUE(says(refusal(std::span(wrong)), "version 2"));
}

TEST(bloom_set, refuses_bytes_that_are_too_few_or_too_many) {
  bloom_set set(20, 0.01);
  const auto right = set.to_bytes();
  for (std::size_t length = 0; length != right.size(); ++length)
    EXPECT_TRUE(says(refusal(std::span(right).first(length)), "was it cut off?")) << length;
  auto more = right;
  more.resize(right.size() + 8);
  EXPECT_TRUE(says(refusal(std::span(more)), "the checksum"));
  // A head that promises more than there is, of a size that wraps: nothing is allocated for it.
  auto huge = right;
  huge[23] = std::byte{0xff};
  EXPECT_TRUE(says(refusal(std::span(huge)), "the checksum"));
  std::mt19937 random(1);
  for (int i = 0; i != 1000; ++i) {
    std::vector<std::byte> any(random() % 200);
    for (auto& each : any) each = static_cast<std::byte>(random());
    EXPECT_TRUE(says(refusal(std::span<const std::byte>(any)), "the bytes are no set"));
  }
}

// ---- stress ----

// BF5. All add their part of the same keys, some of them at once; one merges. The bits are those of one who adds all.
TEST(bloom_set_stress, is_after_many_adders_what_it_is_after_one) {
  const std::uint64_t keys = 100'000 / fewer;
  bloom_set alone(keys, 0.01);
  for (std::uint64_t n = 0; n != keys; ++n) alone.add(n);
  for (const std::uint64_t threads : {1U, 4U}) {
    for (int round = 0; round != 5; ++round) {
      bloom_set set(keys, 0.01), apart(keys, 0.01);
      for (std::uint64_t n = 0; n < keys; n += 3) apart.add(n);
      std::vector<std::thread> adders;
      for (std::uint64_t adder = 0; adder != threads; ++adder) {
        adders.emplace_back([&, adder] {
          if (adder == 1) set.merge(apart);
          for (std::uint64_t n = 0; n != keys; ++n)
            if (n % threads == adder || n % 8 == 0) set.add(n);
        });
      }
      for (auto& adder : adders) adder.join();
      EXPECT_EQ(set.to_bytes(), alone.to_bytes());
    }
  }
}

// BF1. One adds numbers in a row and says how far it is; the others find all that it has said.
TEST(bloom_set_stress, finds_what_its_adder_has_told_of) {
  const std::uint64_t keys = 200'000 / fewer;
  for (const int readers : {0, 2}) {
    bloom_set set(keys, 0.001);
    std::atomic<std::uint64_t> added{0};
    std::vector<std::thread> all;
    for (int reader = 0; reader != readers; ++reader) {
      all.emplace_back([&, reader] {
        std::minstd_rand random(static_cast<unsigned>(reader + 1));
        for (std::uint64_t until = 0; until != keys;) {
          until = added.load(std::memory_order_acquire);
          for (int i = 0; i != 10 && until != 0; ++i) ASSERT_TRUE(set.contains(until - 1 - random() % until));
        }
      });
    }
    for (std::uint64_t n = 0; n != keys; ++n) {
      set.add(n);
      added.store(n + 1, std::memory_order_release);
    }
    for (auto& each : all) each.join();
    for (std::uint64_t n = 0; n != keys; ++n) ASSERT_TRUE(set.contains(n));
  }
}

}  // namespace
