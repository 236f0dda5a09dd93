// SPDX-License-Identifier: Apache-2.0
// Values of RFC 8949, appendix A, and what deterministic encoding adds to them.
#include "flagserver/cbor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "flagserver/json_text.hpp"

namespace flagserver {
namespace {

std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string encoded(const value& v) {
  arena scratch(1 << 20);
  std::string out;
  append_cbor(v, scratch, out);
  return hex(out);
}

std::string encoded(std::string_view json) {
  arena memory(1 << 20);
  json_reader reader;
  value v;
  EXPECT_TRUE(reader.read(json, memory, 64, v)) << json << ": " << reader.error();
  return encoded(v);
}

TEST(cbor, encodes_integers_as_the_rfc_does) {
  EXPECT_EQ(encoded("0"), "00");
  EXPECT_EQ(encoded("1"), "01");
  EXPECT_EQ(encoded("10"), "0a");
  EXPECT_EQ(encoded("23"), "17");
  EXPECT_EQ(encoded("24"), "1818");
  EXPECT_EQ(encoded("100"), "1864");
  EXPECT_EQ(encoded("1000"), "1903e8");
  EXPECT_EQ(encoded("1000000"), "1a000f4240");
  EXPECT_EQ(encoded("1000000000000"), "1b000000e8d4a51000");
  EXPECT_EQ(encoded("18446744073709551615"), "1bffffffffffffffff");
  EXPECT_EQ(encoded("-1"), "20");
  EXPECT_EQ(encoded("-10"), "29");
  EXPECT_EQ(encoded("-100"), "3863");
  EXPECT_EQ(encoded("-1000"), "3903e7");
  EXPECT_EQ(encoded("-9223372036854775808"), "3b7fffffffffffffff");
}

TEST(cbor, encodes_floats_as_short_as_they_fit) {
  EXPECT_EQ(encoded("1.5"), "f93e00");
  EXPECT_EQ(encoded("1.1"), "fb3ff199999999999a");
  EXPECT_EQ(encoded("3.4028234663852886e+38"), "fa7f7fffff");
  EXPECT_EQ(encoded("1.0e+300"), "fb7e37e43c8800759c");
  EXPECT_EQ(encoded("5.960464477539063e-8"), "f90001");
  EXPECT_EQ(encoded("0.00006103515625"), "f90400");
  EXPECT_EQ(encoded("0.000060975551605224609375"), "f903ff");  // the largest half subnormal
  EXPECT_EQ(encoded("-4.1"), "fbc010666666666666");
  EXPECT_EQ(encoded("0.333251953125"), "f93555");
  EXPECT_EQ(encoded("0.100000001490116119384765625"), "fa3dcccccd");
  EXPECT_EQ(encoded("5e-324"), "fb0000000000000001");
  EXPECT_EQ(encoded(value::of(std::nan(""))), "f97e00");
  EXPECT_EQ(encoded(value::of(INFINITY)), "f97c00");
  EXPECT_EQ(encoded(value::of(-INFINITY)), "f9fc00");
}

TEST(cbor, encodes_whole_floats_as_integers) {
  EXPECT_EQ(encoded("1.0"), "01");
  EXPECT_EQ(encoded("-4.0"), "23");
  EXPECT_EQ(encoded("-0.0"), "00");
  EXPECT_EQ(encoded("1e3"), "1903e8");
  EXPECT_EQ(encoded("1e19"), "1b8ac7230489e80000");
  EXPECT_EQ(encoded("1e20"), "fb4415af1d78b58c40");  // beyond 2^64
}

TEST(cbor, encodes_texts_and_simple_values) {
  EXPECT_EQ(encoded("false"), "f4");
  EXPECT_EQ(encoded("true"), "f5");
  EXPECT_EQ(encoded("null"), "f6");
  EXPECT_EQ(encoded("\"\""), "60");
  EXPECT_EQ(encoded("\"IETF\""), "6449455446");
  EXPECT_EQ(encoded("\"\\\"\\\\\""), "62225c");
  EXPECT_EQ(encoded("\"\\u00fc\""), "62c3bc");
  EXPECT_EQ(encoded("\"\\u6c34\""), "63e6b0b4");
  EXPECT_EQ(encoded("\"\\ud800\\udd51\""), "64f0908591");
  EXPECT_EQ(encoded("\"aaaaaaaaaaaaaaaaaaaaaaaa\"").substr(0, 6), "781861");
}

TEST(cbor, encodes_arrays_and_maps) {
  EXPECT_EQ(encoded("[]"), "80");
  EXPECT_EQ(encoded("[1,[2,3],[4,5]]"), "8301820203820405");
  EXPECT_EQ(encoded("{}"), "a0");
  EXPECT_EQ(encoded(R"({"a":1,"b":[2,3]})"), "a26161016162820203");
  EXPECT_EQ(encoded("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"),
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
}

TEST(cbor, orders_map_keys_by_their_encoding_shorter_first) {
  EXPECT_EQ(encoded(R"({"aa":1,"b":2,"a":3})"), "a361610361620262616101");
  EXPECT_EQ(encoded(R"({"b":2,"a":3,"aa":1})"), encoded(R"({"aa":1,"b":2,"a":3})"));
}

TEST(cbor, refuses_what_nests_too_deep) {
  std::vector<value> levels(5000);
  for (std::size_t i = 1; i < levels.size(); ++i) levels[i] = value::list(&levels[i - 1], 1);
  EXPECT_THROW(encoded(levels.back()), limit_exceeded);
}

}  // namespace
}  // namespace flagserver
