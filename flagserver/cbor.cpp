// SPDX-License-Identifier: Apache-2.0
#include "cbor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace flagserver {

namespace {

constexpr std::size_t max_encoded_depth = 1024;

enum class major : unsigned { natural = 0, negative = 1, text = 3, array = 4, map = 5, simple = 7 };

void append_big_endian(std::uint64_t bits, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(bits >> shift & 0xFF);
}

void append_head(major type, std::uint64_t argument, std::string& out) {
  const auto lead = static_cast<unsigned>(type) << 5;
  const auto start = [&](unsigned info) { out += static_cast<char>(lead | info); };
  if (argument < 24) return start(static_cast<unsigned>(argument));
  const int bytes = argument <= 0xFF ? 1 : argument <= 0xFFFF ? 2 : argument <= 0xFFFFFFFF ? 4 : 8;
  start(static_cast<unsigned>(23 + std::countr_zero(static_cast<unsigned>(bytes)) + 1));
  append_big_endian(argument, bytes, out);
}

/// The half-precision bits of a float that fits without loss, or -1.
std::int32_t half_bits(float f) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const auto sign = static_cast<std::int32_t>(bits >> 16 & 0x8000);
  const auto fraction = bits & 0x7FFFFF;
  const int exponent = static_cast<int>(bits >> 23 & 0xFF) - 127;
  if (exponent == 128) return sign | 0x7C00;  // infinities; NaN is written elsewhere
  if (fraction == 0 && exponent == -127) return sign;
  if (exponent >= -14 && exponent <= 15 && (fraction & 0x1FFF) == 0) {
    return sign | (exponent + 15) << 10 | static_cast<std::int32_t>(fraction >> 13);
  }
  if (exponent >= -24 && exponent < -14) {  // a half subnormal: units of 2^-24
    const std::uint32_t whole = fraction | 0x800000;
    const int shift = -1 - exponent;  // 14 .. 23
    if ((whole & ((1u << shift) - 1)) == 0) return sign | static_cast<std::int32_t>(whole >> shift);
  }
  return -1;
}

void append_real(double d, std::string& out) {
  if (std::isnan(d)) {
    out.append("\xF9\x7E\x00", 3);
    return;
  }
  const auto f = static_cast<float>(d);
  if (static_cast<double>(f) != d) {
    out += '\xFB';
    append_big_endian(std::bit_cast<std::uint64_t>(d), 8, out);
  } else if (const std::int32_t half = half_bits(f); half >= 0) {
    out += '\xF9';
    append_big_endian(static_cast<std::uint64_t>(half), 2, out);
  } else {
    out += '\xFA';
    append_big_endian(std::bit_cast<std::uint32_t>(f), 4, out);
  }
}

void encode(const value& v, arena& scratch, std::string& out, std::size_t depth) {
  if (depth > max_encoded_depth) throw limit_exceeded{"nested too deep"};
  switch (v.type) {
    case kind::missing:
    case kind::null: out += '\xF6'; return;
    case kind::boolean: out += v.boolean ? '\xF5' : '\xF4'; return;
    case kind::integer:
      if (v.integer >= 0)
        append_head(major::natural, static_cast<std::uint64_t>(v.integer), out);
      else
        append_head(major::negative, ~static_cast<std::uint64_t>(v.integer), out);  // -1 - n
      return;
    case kind::natural: append_head(major::natural, v.natural, out); return;
    case kind::real: append_real(v.real, out); return;
    case kind::string: append_cbor_text(v.string(), out); return;
    case kind::array:
      append_head(major::array, v.size, out);
      for (const value& item : v) encode(item, scratch, out, depth + 1);
      return;
    case kind::object: {
      append_head(major::map, v.size, out);
      // the encoding of a text begins with its length, so shorter keys come first
      const member** order = scratch.make<const member*>(v.size);
      for (std::uint32_t i = 0; i < v.size; ++i) order[i] = v.members + i;
      std::sort(order, order + v.size, [](const member* a, const member* b) {
        return a->key.size() != b->key.size() ? a->key.size() < b->key.size() : a->key < b->key;
      });
      for (std::uint32_t i = 0; i < v.size; ++i) {
        append_cbor_text(order[i]->key, out);
        encode(order[i]->content, scratch, out, depth + 1);
      }
      return;
    }
  }
}

}  // namespace

void append_cbor(const value& v, arena& scratch, std::string& out) { encode(v, scratch, out, 0); }

void append_cbor_text(std::string_view text, std::string& out) {
  append_head(major::text, text.size(), out);
  out += text;
}

void append_cbor_array(std::size_t count, std::string& out) { append_head(major::array, count, out); }

}  // namespace flagserver
