// SPDX-License-Identifier: Apache-2.0
#include "flagserver/number_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

namespace flagserver {
namespace {

std::string text(double d) {
  number_buffer buffer;
  return std::string(number_text(value::of(d), buffer));
}

TEST(number_text, is_what_javascript_writes) {
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(-0.0), "0");
  EXPECT_EQ(text(1), "1");
  EXPECT_EQ(text(-17), "-17");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-2.5), "-2.5");
  EXPECT_EQ(text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(text(123456.789), "123456.789");
  EXPECT_EQ(text(1e20), "100000000000000000000");
  EXPECT_EQ(text(1e21), "1e+21");
  EXPECT_EQ(text(-1.5e300), "-1.5e+300");
  EXPECT_EQ(text(0.000001), "0.000001");
  EXPECT_EQ(text(0.0000001), "1e-7");
  EXPECT_EQ(text(1.25e-7), "1.25e-7");
  EXPECT_EQ(text(5e-324), "5e-324");
  EXPECT_EQ(text(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(text(std::nan("")), "NaN");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(number_text, keeps_integers_beyond_the_reach_of_doubles) {
  number_buffer buffer;
  EXPECT_EQ(number_text(value::of(std::int64_t{9007199254740993}), buffer), "9007199254740993");
  EXPECT_EQ(number_text(value::of(std::numeric_limits<std::int64_t>::min()), buffer), "-9223372036854775808");
  EXPECT_EQ(number_text(value::of(std::numeric_limits<std::uint64_t>::max()), buffer), "18446744073709551615");
}

TEST(number_text, reads_back_as_the_same_number) {
  constexpr unsigned seed = 20261123;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random();
    double d = 0;
    std::memcpy(&d, &bits, sizeof d);
    if (!std::isfinite(d)) continue;
    ASSERT_EQ(number_from(text(d)), d) << "bits " << bits << ", seed " << seed;
  }
}

TEST(value_of_number, is_an_integer_wherever_one_is_exact) {
  EXPECT_EQ(value::of(3.0).type, kind::integer);
  EXPECT_EQ(value::of(-0.0).type, kind::integer);
  EXPECT_EQ(value::of(3.5).type, kind::real);
  EXPECT_EQ(value::of(-9223372036854775808.0).integer, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value::of(9223372036854775808.0).type, kind::natural);
  EXPECT_EQ(value::of(9223372036854775808.0).natural, std::uint64_t{1} << 63);
  EXPECT_EQ(value::of(18446744073709551616.0).type, kind::real);
  EXPECT_EQ(value::of(std::nan("")).type, kind::real);
  EXPECT_EQ(value::of(std::uint64_t{7}).type, kind::integer);
}

TEST(number_from, takes_all_of_a_text_or_nothing) {
  EXPECT_EQ(number_from(""), 0);
  EXPECT_EQ(number_from(" \t\n"), 0);
  EXPECT_EQ(number_from(" 42 "), 42);
  EXPECT_EQ(number_from("+1.5e3"), 1500);
  EXPECT_EQ(number_from(".5"), 0.5);
  EXPECT_EQ(number_from("5."), 5);
  EXPECT_EQ(number_from("0x1F"), 31);
  EXPECT_EQ(number_from("0b101"), 5);
  EXPECT_EQ(number_from("0o17"), 15);
  EXPECT_EQ(number_from("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(number_from("1e999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(number_from("1e-999"), 0);
  for (const char* nothing : {"1x", "x", "-", "+", ".", "1 2", "inf", "nan", "0x", "0xg", "-0x1", "--1", "1e"}) {
    EXPECT_TRUE(std::isnan(number_from(nothing))) << nothing;
  }
}

TEST(number_prefix, takes_what_a_text_begins_with) {
  EXPECT_EQ(number_prefix("12px"), 12);
  EXPECT_EQ(number_prefix("  -1.5 and more"), -1.5);
  EXPECT_EQ(number_prefix("1e"), 1);
  EXPECT_EQ(number_prefix("0x10"), 0);
  EXPECT_EQ(number_prefix("1,2"), 1);
  EXPECT_TRUE(std::isnan(number_prefix("")));
  EXPECT_TRUE(std::isnan(number_prefix("px12")));
}

}  // namespace
}  // namespace flagserver
