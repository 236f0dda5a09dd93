// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/padded.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace {

using acqrel::false_sharing_range;
using acqrel::padded;

std::uintptr_t address_of(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

// ---- semantics ----

TEST(padded, puts_neighbours_on_different_lines) {  // C4
  padded<std::atomic<int>> in_an_array[3];
  for (int i = 0; i != 2; ++i) {
    EXPECT_EQ(address_of(&*in_an_array[i]) % false_sharing_range, 0U);
    EXPECT_GE(address_of(&*in_an_array[i + 1]) - address_of(&*in_an_array[i]), false_sharing_range);
  }
}

TEST(padded, keeps_its_place_on_the_heap) {
  std::vector<std::unique_ptr<padded<char>>> many;
  for (int i = 0; i != 16; ++i) many.push_back(std::make_unique<padded<char>>());
  for (const auto& one : many) EXPECT_EQ(address_of(one.get()) % false_sharing_range, 0U);
}

TEST(padded, starts_zeroed_and_builds_in_place) {
  constexpr padded<int> zero;
  static_assert(*zero == 0);
  const padded<std::string> text(std::in_place, 3U, 'x');
  EXPECT_EQ(*text, "xxx");
  EXPECT_EQ(text->size(), 3U);
  padded<std::unique_ptr<int>> move_only(std::in_place, new int(7));
  EXPECT_EQ(**move_only, 7);
  EXPECT_EQ(*move_only->get(), 7);
}

TEST(padded, leaves_nothing_else_in_its_range) {
  struct both {
    padded<char> first;
    char second = 0;
  };
  static_assert(sizeof(both) == 2 * false_sharing_range);
  const both pair;
  EXPECT_EQ(address_of(&pair.second) - address_of(&pair.first), false_sharing_range);
}

}  // namespace
