// SPDX-License-Identifier: Apache-2.0
#include <flagserver/diagnostic_text.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace {

using namespace flagserver;
using enum diagnostic::severity;

std::string describe_one(const diagnostic& d, std::string_view text) { return describe(std::array{d}, "f.json", text); }

TEST(diagnostic_text, points_at_the_place_in_its_line) {
  EXPECT_EQ(describe_one({error, "no such state", 2, 6}, "{\n\t\"a\": 1,\r\n}"),
            "f.json:2:6: error: no such state\n"
            "    2 |  \"a\": 1,\n"
            "      |      ^");
}

TEST(diagnostic_text, counts_columns_in_characters) {
  EXPECT_EQ(describe_one({warning, "odd", 1, 5}, "\"é→\"x"),
            "f.json:1:5: warning: odd\n"
            "    1 | \"é→\"x\n"
            "      |     ^");
}

TEST(diagnostic_text, shows_the_surroundings_in_a_long_line) {
  const std::string line = std::string(1000, 'a') + "X" + std::string(1000, 'b');
  EXPECT_EQ(describe_one({error, "here", 1, 1001}, line),
            "f.json:1:1001: error: here\n"
            "    1 | ..." +
                std::string(60, 'a') + "X" + std::string(29, 'b') +
                "...\n"
                "      | " +
                std::string(63, ' ') + "^");
}

TEST(diagnostic_text, survives_places_outside_the_text) {
  EXPECT_EQ(describe_one({error, "the file as a whole", 0, 0}, "x"), "f.json: error: the file as a whole");
  EXPECT_EQ(describe_one({error, "end", 9, 3}, "x"), "f.json:9:3: error: end\n    9 | \n      |   ^");
  EXPECT_EQ(describe_one({error, "end", 1, 2}, "x"), "f.json:1:2: error: end\n    1 | x\n      |  ^");
}

TEST(diagnostic_text, the_first_error_is_found_behind_warnings) {
  const std::array all{diagnostic{warning, "w", 1, 1}, diagnostic{error, "e", 2, 3}, diagnostic{error, "f", 4, 5}};
  EXPECT_EQ(first_error(all), "2:3: e");
  EXPECT_EQ(first_error(std::span(all).first(1)), "");
  EXPECT_EQ(describe(std::span(all).last(2), "f", "").substr(0, 14), "f:2:3: error: ");
}

}  // namespace
