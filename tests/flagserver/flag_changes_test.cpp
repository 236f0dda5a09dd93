// SPDX-License-Identifier: Apache-2.0
#include <flagserver/flag_changes.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace flagserver;

flag_digests digest_of(std::string_view flags) {
  const parse_result result =
      parse_flags("{\"flags\":{" + std::string(flags) + "}}", text_format::json, fractional_version::v2);
  EXPECT_NE(result.flags, nullptr) << flags;
  return digest(*result.flags);
}

std::string flag_text(std::string_view key, std::string_view more = {}) {
  return "\"" + std::string(key) + R"(":{"state":"ENABLED","variants":{"a":1,"b":2},"defaultVariant":"a")" +
         std::string(more) + "}";
}

TEST(flag_changes, names_what_came_what_went_and_what_is_different) {
  const flag_digests before = digest_of(flag_text("w") + "," + flag_text("x") + "," + flag_text("y"));
  const flag_digests after =
      digest_of(flag_text("y") + "," + flag_text("x", R"(,"metadata":{"m":1})") + "," + flag_text("z"));
  EXPECT_EQ(describe_changes(before, after), "1 added (z), 1 changed (x), 1 removed (w)");
  EXPECT_EQ(describe_changes(before, before), "no flag changed");
  EXPECT_EQ(describe_changes({}, before), "3 added (w, x, y)");
}

TEST(flag_changes, sees_every_part_of_a_flag) {
  const std::string plain = flag_text("x");
  const std::string rule = R"(,"targeting":{"if":[{"==":[{"var":"p"},"q"]},"a","b"]})";
  const flag_digests before = digest_of(plain);
  const flag_digests before_rule = digest_of(flag_text("x", rule));
  for (const std::string& after :
       {std::string(R"("x":{"state":"DISABLED","variants":{"a":1,"b":2},"defaultVariant":"a"})"),
        std::string(R"("x":{"state":"ENABLED","variants":{"a":1,"b":2},"defaultVariant":"b"})"),
        std::string(R"("x":{"state":"ENABLED","variants":{"a":1,"b":2}})"),
        std::string(R"("x":{"state":"ENABLED","variants":{"a":1,"b":3},"defaultVariant":"a"})"), flag_text("x", rule)})
    EXPECT_EQ(describe_changes(before, digest_of(after)), "1 changed (x)") << after;
  for (const std::string_view other : {R"(,"targeting":{"if":[{"==":[{"var":"p"},"r"]},"a","b"]})",
                                       R"(,"targeting":{"if":[{"==":[{"var":"o"},"q"]},"a","b"]})",
                                       R"(,"targeting":{"if":[{"!=":[{"var":"p"},"q"]},"a","b"]})",
                                       R"(,"targeting":{"if":[{"==":[{"var":"p"},"q"]},"b","a"]})"})
    EXPECT_EQ(describe_changes(before_rule, digest_of(flag_text("x", other))), "1 changed (x)") << other;
  EXPECT_EQ(describe_changes(before_rule, digest_of(flag_text("x", rule))), "no flag changed");
}

TEST(flag_changes, counts_what_it_does_not_name) {
  std::string many;
  for (int i = 0; i < 7; ++i) many += (i == 0 ? "" : ",") + flag_text("f" + std::to_string(i));
  EXPECT_EQ(describe_changes({}, digest_of(many)), "7 added (f0, f1, f2, f3, f4, ...)");
}

}  // namespace
