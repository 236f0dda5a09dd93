// SPDX-License-Identifier: Apache-2.0
#include "flagserver/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace flagserver {
namespace {

TEST(murmur3, agrees_with_its_published_values) {
  EXPECT_EQ(murmur3(""), 0u);
  EXPECT_EQ(murmur3("hello"), 0x248BFA47u);
  EXPECT_EQ(murmur3("hello, world"), 0x149BBB7Fu);
  EXPECT_EQ(murmur3("The quick brown fox jumps over the lazy dog"), 0x2E4FF723u);
}

TEST(murmur3, hashes_the_bytes_of_utf_8) { EXPECT_EQ(murmur3("\xC3\xA9"), 269551495u); }

TEST(murmur3, does_not_see_where_head_ends_and_tail_begins) {
  const std::string text = "new-checkoutuser-0815@example.com";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view whole = text;
    ASSERT_EQ(murmur3(whole.substr(0, cut), whole.substr(cut)), murmur3(whole)) << cut;
  }
}

TEST(content_hash, tells_apart_what_runs_together) {
  const auto of = [](std::string_view a, std::string_view b) { return content_hash().add(a).add(b).result(); };
  EXPECT_EQ(of("ab", "c"), of("ab", "c"));
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
  EXPECT_NE(of("ab", ""), of("", "ab"));
  EXPECT_NE(of("", ""), content_hash().add("").result());
}

TEST(content_hash, has_no_collision_among_many_similar_texts) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100'000; ++i) seen.insert(content_hash().add("user-" + std::to_string(i)).result());
  EXPECT_EQ(seen.size(), 100'000u);
}

TEST(content_hash, changes_with_every_byte) {
  std::string text(37, 'x');
  const auto before = content_hash().add(text).result();
  for (char& c : text) {
    c = 'y';
    EXPECT_NE(content_hash().add(text).result(), before);
    c = 'x';
  }
}

}  // namespace
}  // namespace flagserver
