// SPDX-License-Identifier: Apache-2.0
// The demo flags are what people see first: they must be sound, and show what there is.
#include <fstream>
#include <iterator>

#include "flagserver/rule.hpp"
#include "rules.hpp"

namespace flagserver {
namespace {

std::string demo_text() {
  std::ifstream file(DEMO_FLAGS);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(demo_flags, have_no_complaint) { EXPECT_EQ(complaints(demo_text()), ""); }

TEST(demo_flags, use_every_operator) {
  std::string text = demo_text();
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  constexpr const char* operators[] = {
#define FLAGSERVER_OPERATOR(name, written) written,
      FLAGSERVER_OPERATORS(FLAGSERVER_OPERATOR)
#undef FLAGSERVER_OPERATOR
  };
  for (const std::string written : operators) {
    if (written == "log") continue;  // it has no effect to show
    const bool on_list = text.find("{\"" + written + "\":[") != std::string::npos;
    const bool on_value = text.find("{\"" + written + "\":{\"var\"") != std::string::npos;
    EXPECT_TRUE(on_list || on_value) << written;
  }
}

TEST(demo_flags, show_every_kind_of_answer) {
  const auto flags = sound_flags(demo_text());
  EXPECT_NE(ask(*flags, "maintenance-banner").body.find("\"reason\":\"STATIC\",\"value\":false"), std::string::npos);
  EXPECT_NE(ask(*flags, "legacy-search").body.find("\"reason\":\"DISABLED\""), std::string::npos);
  EXPECT_EQ(ask(*flags, "beta-program").body.find("\"value\""), std::string::npos);
  EXPECT_NE(ask(*flags, "cart-discount").body.find("\"value\":{\"label\":null,\"percent\":0}"), std::string::npos);
  EXPECT_NE(ask(*flags, "new-checkout", R"({"targetingKey":"ada"})").body.find("TARGETING_MATCH"), std::string::npos);
  EXPECT_NE(ask(*flags, "free-shipping-from", R"({"customer":{"tier":"gold"}})").body.find("\"value\":0"),
            std::string::npos);
  std::string error;
  const auto mobile = selector::parse("flagSetId=mobile", error);
  ASSERT_TRUE(mobile) << error;
  EXPECT_EQ(ask(*flags, "maintenance-banner", "{}", *mobile).status, 404);
  EXPECT_EQ(ask(*flags, "offline-mode", "{}", *mobile).status, 200);
}

}  // namespace
}  // namespace flagserver
