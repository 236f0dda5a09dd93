// SPDX-License-Identifier: Apache-2.0
#include "flagserver/semver.hpp"

#include <gtest/gtest.h>

namespace flagserver {
namespace {

std::optional<bool> holds(std::string_view a, std::string_view operation, std::string_view b) {
  return compare_versions(a, operation, b);
}

TEST(semver, orders_versions_as_semver_org_does) {
  const std::string_view ascending[] = {"0.0.1",
                                        "0.0.2",
                                        "0.1.0",
                                        "1.0.0-alpha",
                                        "1.0.0-alpha.1",
                                        "1.0.0-alpha.beta",
                                        "1.0.0-beta",
                                        "1.0.0-beta.2",
                                        "1.0.0-beta.11",
                                        "1.0.0-rc.1",
                                        "1.0.0",
                                        "1.0.1",
                                        "1.2.0",
                                        "1.10.0",
                                        "2.0.0",
                                        "10.0.0",
                                        "100000000000000000000.0.0"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      SCOPED_TRACE(std::string(ascending[i]) + " and " + std::string(ascending[j]));
      EXPECT_EQ(holds(ascending[i], "<", ascending[j]), i < j);
      EXPECT_EQ(holds(ascending[i], "<=", ascending[j]), i <= j);
      EXPECT_EQ(holds(ascending[i], ">", ascending[j]), i > j);
      EXPECT_EQ(holds(ascending[i], ">=", ascending[j]), i >= j);
      EXPECT_EQ(holds(ascending[i], "=", ascending[j]), i == j);
      EXPECT_EQ(holds(ascending[i], "!=", ascending[j]), i != j);
    }
  }
}

TEST(semver, does_not_count_builds_and_a_leading_v) {
  EXPECT_EQ(holds("1.0.0+linux", "=", "1.0.0+windows.7"), true);
  EXPECT_EQ(holds("v1.2.3", "=", "1.2.3"), true);
  EXPECT_EQ(holds("V1.2.3", "=", "v1.2.3"), true);
  EXPECT_EQ(holds("1.0.0-rc.1+exp.sha", "<", "1.0.0"), true);
}

TEST(semver, fills_up_short_versions) {
  EXPECT_EQ(holds("1", "=", "1.0.0"), true);
  EXPECT_EQ(holds("1.2", "=", "1.2.0"), true);
  EXPECT_EQ(holds("v1", "<", "1.0.1"), true);
}

TEST(semver, caret_is_the_same_major_and_tilde_the_same_minor) {
  EXPECT_EQ(holds("1.2.3", "^", "1.9.0"), true);
  EXPECT_EQ(holds("1.9.0", "^", "1.2.3"), true);  // unlike npm's, which asks for at least
  EXPECT_EQ(holds("0.2.3", "^", "0.9.0"), true);
  EXPECT_EQ(holds("2.0.0", "^", "1.9.0"), false);
  EXPECT_EQ(holds("1.2.9", "~", "1.2.0"), true);
  EXPECT_EQ(holds("1.3.0", "~", "1.2.0"), false);
  EXPECT_EQ(holds("2.2.0", "~", "1.2.0"), false);
}

TEST(semver, refuses_what_is_no_version) {
  for (const char* wrong :
       {"",       "v",         "vv1",   "1.",     "1.2.",      ".1",      "1..2",       "1.2.3.4",  "2.0.0.0",
        "01.0.0", "1.00.0",    "a.b.c", "1.2.x",  "1.2.3-",    "1.2.3-.", "1.2.3-a..b", "1.2.3-01", "1.2.3-a_b",
        "1.2.3+", "1.2.3+a+b", "1-rc",  "1.2-rc", "1.2+build", " 1.2.3",  "1.2.3 ",     "-1.0.0",   "1,0,0"}) {
    EXPECT_EQ(holds(wrong, "=", "1.0.0"), std::nullopt) << wrong;
    EXPECT_EQ(holds("1.0.0", "!=", wrong), std::nullopt) << wrong;
  }
}

TEST(semver, allows_what_looks_odd_and_is_a_version) {
  for (const char* right : {"1.2.3-0", "1.2.3--", "1.2.3-a-b.0a", "1.2.3+01", "1.2.3-x.7.z.92+build.001", "0.0.0"}) {
    EXPECT_EQ(holds(right, "=", right), true) << right;
  }
}

TEST(semver, refuses_operators_it_does_not_know) {
  for (const char* wrong : {"", "==", "===", "=>", "<>", "^^", " =", "less"}) {
    EXPECT_EQ(holds("1.0.0", wrong, "1.0.0"), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace flagserver
