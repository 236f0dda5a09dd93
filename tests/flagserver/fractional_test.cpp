// SPDX-License-Identifier: Apache-2.0
#include "flagserver/fractional.hpp"

#include <cmath>
#include <map>

#include "flagserver/hash.hpp"
#include "rules.hpp"

namespace flagserver {
namespace {

constexpr auto v2 = fractional_version::v2;
constexpr auto v3 = fractional_version::v3;

std::string rollout_flags(int percent) {
  return R"({"flags":{"rollout":{"state":"ENABLED","variants":{"on":true,"off":false},"targeting":{"fractional":[["on",)" +
         std::to_string(percent) + R"(],["off",)" + std::to_string(100 - percent) + "]]}}}}";
}

std::vector<bool> who_is_on(int percent, int users, fractional_version version) {
  const auto flags = sound_flags(rollout_flags(percent), version);
  std::vector<bool> on;
  for (int user = 0; user < users; ++user) {
    const answered a = ask(*flags, "rollout", R"({"targetingKey":"user-)" + std::to_string(user) + "\"}");
    EXPECT_EQ(a.status, 200);
    on.push_back(a.body.find("\"value\":true") != std::string::npos);
  }
  return on;
}

// F11
TEST(fractional, gives_the_same_user_the_same_variant_every_time) {
  EXPECT_EQ(who_is_on(30, 500, v2), who_is_on(30, 500, v2));
  EXPECT_EQ(who_is_on(30, 500, v3), who_is_on(30, 500, v3));
}

// F11
TEST(fractional, only_adds_users_when_the_percentage_grows) {
  for (const auto version : {v2, v3}) {
    std::vector<bool> before = who_is_on(0, 300, version);
    EXPECT_EQ(std::count(before.begin(), before.end(), true), 0);
    for (int percent = 5; percent <= 100; percent += 5) {
      const std::vector<bool> now = who_is_on(percent, 300, version);
      for (std::size_t user = 0; user < now.size(); ++user)
        ASSERT_LE(before[user], now[user]) << percent << "%, user " << user;
      before = now;
    }
    EXPECT_EQ(std::count(before.begin(), before.end(), true), 300);
  }
}

TEST(fractional, spreads_users_as_the_weights_say) {
  const value names[] = {value::of(std::string_view("a")), value::of(std::string_view("b")),
                         value::of(std::string_view("c"))};
  const value pairs[3][2] = {{names[0], value::of(std::int64_t{50})},
                             {names[1], value::of(std::int64_t{30})},
                             {names[2], value::of(std::int64_t{20})}};
  const value distributions[] = {value::list(pairs[0], 2), value::list(pairs[1], 2), value::list(pairs[2], 2)};
  std::map<std::string_view, int> count;
  constexpr int users = 100'000;
  for (int i = 0; i < users; ++i) ++count[distribute(murmur3("user-" + std::to_string(i)), distributions).string()];
  // three standard deviations of a fair draw are at most 0.0048 here
  EXPECT_NEAR(count["a"], 0.5 * users, 0.005 * users);
  EXPECT_NEAR(count["b"], 0.3 * users, 0.005 * users);
  EXPECT_NEAR(count["c"], 0.2 * users, 0.005 * users);
}

TEST(fractional, splits_the_line_of_hashes_where_the_weights_meet) {
  const value names[] = {value::of(std::string_view("low")), value::of(std::string_view("high"))};
  const value pairs[2][1] = {{names[0]}, {names[1]}};
  const value halves[] = {value::list(pairs[0], 1), value::list(pairs[1], 1)};
  EXPECT_EQ(distribute(0, halves).string(), "low");
  EXPECT_EQ(distribute(0x7FFFFFFF, halves).string(), "low");
  EXPECT_EQ(distribute(0x80000000, halves).string(), "high");
  EXPECT_EQ(distribute(0xFFFFFFFF, halves).string(), "high");
}

TEST(fractional, works_up_to_the_largest_sum_of_weights) {
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",2147483647]]})", "{}"), "\"a\"");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",2147483646],["b",1]]})", "{}"), "\"a\"");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",2147483647],["b",1]]})", "{}"), "null");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",2147483648]]})", "{}"), "null");
}

TEST(fractional, treats_weights_as_documented) {
  EXPECT_EQ(result_of(R"({"fractional":["x",["a"]]})", "{}"), "\"a\"");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",null],["b",0]]})", "{}"), "\"a\"");  // null counts as none given: 1
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",-5],["b",1]]})", "{}"), "\"b\"");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",0],["b",0]]})", "{}"), "null");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",-1]]})", "{}"), "null");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",0.5],["b",1]]})", "{}"), "null");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a","1"]]})", "{}"), "null");
  EXPECT_EQ(result_of(R"({"fractional":["x",["a",{"-":[{"var":"n"},3]}],["b",{"var":"n"}]]})", R"({"n":3})"), "\"b\"");
}

TEST(fractional, gives_variants_of_any_simple_type_and_of_nested_rules) {
  EXPECT_EQ(result_of(R"({"fractional":["x",[true]]})", "{}"), "true");
  EXPECT_EQ(result_of(R"({"fractional":["x",[7]]})", "{}"), "7");
  EXPECT_EQ(result_of(R"({"fractional":["x",[null]]})", "{}"), "null");
  EXPECT_EQ(result_of(R"({"fractional":["x",[{"if":[{"var":"eu"},"eu","world"]}]]})", R"({"eu":true})"), "\"eu\"");
  EXPECT_EQ(result_of(R"({"fractional":["x",[{"fractional":["y",["inner"]]}]]})", "{}"), "\"inner\"");
  EXPECT_EQ(result_of(R"({"fractional":["x",[["a"]]]})", "{}"), "null");
}

TEST(fractional, gives_null_for_anything_else) {
  for (const char* wrong : {R"([])", R"([["a"]])", R"(["x","a"])", R"(["x",[]])", R"([7,["a"]])", R"([true,["a"]])",
                            "null", R"({"var":"nothing"})"}) {
    EXPECT_EQ(result_of(std::string(R"({"fractional":)") + wrong + "}", "{}"), "null") << wrong;
  }
}

TEST(fractional, takes_its_arguments_from_a_computed_array) {
  EXPECT_EQ(result_of(R"({"fractional":{"var":"split"}})", R"({"split":["x",["a",1]]})"), "\"a\"");
  EXPECT_EQ(result_of(R"({"fractional":{"merge":[["x"],[["a",1]]]}})", "{}"), "\"a\"");
}

std::string variant_of(const char* targeting, const char* context, fractional_version version) {
  const auto flags = sound_flags(
      std::string(R"({"flags":{"f":{"state":"ENABLED","variants":{"a":"a","b":"b","c":"c","d":"d"},"targeting":)") +
          targeting + "}}}",
      version);
  const answered a = ask(*flags, "f", context);
  const auto at = a.body.find("\"variant\":\"");
  return at == std::string::npos ? "none" : a.body.substr(at + 11, 1);
}

/// Which of four equal quarters a hash falls into.
std::string quarter(std::uint32_t hash) { return std::string(1, "abcd"[hash >> 30]); }

constexpr const char* quarters = R"({"fractional":[["a"],["b"],["c"],["d"]]})";
constexpr const char* quarters_by_id = R"({"fractional":[{"var":"id"},["a"],["b"],["c"],["d"]]})";

TEST(fractional_v2, hashes_the_flag_key_followed_by_the_targeting_key) {
  for (const std::string user : {"ada", "grace", "linus", "\xC3\xA9mile", "x"}) {
    EXPECT_EQ(variant_of(quarters, (R"({"targetingKey":")" + user + "\"}").c_str(), v2), quarter(murmur3("f" + user)))
        << user;
    EXPECT_EQ(variant_of(quarters_by_id, (R"({"targetingKey":"t","id":")" + user + "\"}").c_str(), v2),
              quarter(murmur3(user)))
        << user;
  }
}

TEST(fractional_v2, falls_back_to_the_targeting_key_where_the_bucketing_value_is_null) {
  EXPECT_EQ(variant_of(quarters_by_id, R"({"targetingKey":"ada"})", v2), quarter(murmur3("fada")));
}

TEST(fractional_v2, needs_a_targeting_key_that_is_a_text_and_not_empty) {
  for (const char* context : {"{}", R"({"targetingKey":""})", R"({"targetingKey":null})", R"({"targetingKey":7})"}) {
    EXPECT_EQ(variant_of(quarters, context, v2), "none") << context;
  }
}

TEST(fractional_v3, hashes_the_cbor_of_the_value_whatever_its_type) {
  const std::pair<const char*, std::string_view> encodings[] = {{"\"ada\"", "\x63\x61\x64\x61"},
                                                                {"7", "\x07"},
                                                                {"7.0", "\x07"},
                                                                {"-1", "\x20"},
                                                                {"true", "\xF5"},
                                                                {"false", "\xF4"},
                                                                {"1.5", {"\xF9\x3E\x00", 3}},
                                                                {R"({"b":1,"a":2})", "\xA2\x61\x61\x02\x61\x62\x01"}};
  for (const auto& [json, bytes] : encodings) {
    EXPECT_EQ(variant_of(quarters_by_id, (std::string(R"({"targetingKey":"t","id":)") + json + "}").c_str(), v3),
              quarter(murmur3(bytes)))
        << json;
  }
}

TEST(fractional_v3, hashes_flag_key_and_targeting_key_as_a_list) {
  using namespace std::literals;
  EXPECT_EQ(variant_of(quarters, R"({"targetingKey":"ada"})", v3), quarter(murmur3("\x82\x61\x66\x63\x61\x64\x61"sv)));
  EXPECT_EQ(variant_of(quarters, R"({"targetingKey":""})", v3), "none");
  EXPECT_EQ(variant_of(quarters, R"({"targetingKey":7})", v3), "none");
}

TEST(fractional_v3, gives_null_where_the_value_is_null_even_with_a_targeting_key) {
  EXPECT_EQ(variant_of(quarters_by_id, R"({"targetingKey":"ada"})", v3), "none");
}

}  // namespace
}  // namespace flagserver
