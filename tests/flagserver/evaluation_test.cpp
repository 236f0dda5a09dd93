// SPDX-License-Identifier: Apache-2.0
// The order of evaluation, the answers of OFREP, contexts as clients send them.
#include <ctime>
#include <thread>
#include <vector>

#include "rules.hpp"

namespace flagserver {
namespace {

std::unique_ptr<flag_set> one(std::string_view fields, std::string_view rest = "") {
  return sound_flags(R"({"flags":{"f":{)" + std::string(fields) + "}}" + std::string(rest) + "}");
}

constexpr std::string_view variants = R"("state":"ENABLED","variants":{"on":true,"off":false,"null":true})";

// ---- the order of evaluation ----

TEST(evaluation, answers_404_only_for_a_flag_that_is_not_there) {
  const auto [status, body] = ask(*one(variants), "a\"b");
  EXPECT_EQ(status, 404);
  EXPECT_EQ(body, R"({"key":"a\"b","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag of this key"})");
}

TEST(evaluation, gives_no_value_for_a_disabled_flag_whatever_else_it_has) {
  const auto flags =
      one(R"("state":"DISABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"frobnicate":1})");
  const auto [status, body] = ask(*flags, "f");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(body, R"({"key":"f","reason":"DISABLED"})");
}

TEST(evaluation, is_static_without_a_rule) {
  for (const char* targeting : {"", R"(,"targeting":{})"}) {
    const auto flags = one(std::string(variants) + R"(,"defaultVariant":"on")" + targeting);
    EXPECT_EQ(ask(*flags, "f").body, R"({"key":"f","reason":"STATIC","value":true,"variant":"on"})") << targeting;
  }
}

TEST(evaluation, is_the_default_without_value_where_there_is_no_rule_and_no_default_variant) {
  for (const char* named : {"", R"(,"defaultVariant":null)", R"(,"defaultVariant":"")"}) {
    EXPECT_EQ(ask(*one(std::string(variants) + named), "f").body, R"({"key":"f","reason":"DEFAULT"})") << named;
  }
}

TEST(evaluation, falls_back_to_the_default_where_the_rule_gives_null) {
  for (const char* rule : {"null", R"({"if":[false,"on"]})", R"({"var":"absent"})", R"({"sem_ver":["x","=","y"]})"}) {
    const auto with = one(std::string(variants) + R"(,"defaultVariant":"off","targeting":)" + rule);
    EXPECT_EQ(ask(*with, "f").body, R"({"key":"f","reason":"DEFAULT","value":false,"variant":"off"})") << rule;
    const auto without = one(std::string(variants) + R"(,"targeting":)" + rule);
    EXPECT_EQ(ask(*without, "f").body, R"({"key":"f","reason":"DEFAULT"})") << rule;
  }
}

TEST(evaluation, looks_results_up_as_text_without_quotes) {
  const auto flags = one(
      R"("state":"ENABLED","variants":{"true":1,"false":2,"7":3,"1.5":4,"null":5,"a b":6,"[1,x]":7,"{k:v}":8},"targeting":{"var":"r"})");
  const auto value_for = [&](const std::string& result) {
    const std::string body = ask(*flags, "f", R"({"r":)" + result + "}").body;
    const auto at = body.find("\"value\":");
    return at == std::string::npos ? body : body.substr(at + 8, 1);
  };
  EXPECT_EQ(value_for("true"), "1");
  EXPECT_EQ(value_for("\"true\""), "1");
  EXPECT_EQ(value_for("false"), "2");
  EXPECT_EQ(value_for("7.0"), "3");
  EXPECT_EQ(value_for("\"7\""), "3");
  EXPECT_EQ(value_for("1.50"), "4");
  EXPECT_EQ(value_for("\"null\""), "5");  // the text, not nothing
  EXPECT_EQ(value_for(R"("\"a\" b")"), "6");
  EXPECT_EQ(value_for(R"([1,"x"])"), "7");
  EXPECT_EQ(value_for(R"({"k":"v"})"), "8");
}

TEST(evaluation, is_a_general_error_where_the_result_is_no_variant) {
  const auto flags = one(std::string(variants) + R"(,"defaultVariant":"off","targeting":{"var":"r"})");
  const auto [status, body] = ask(*flags, "f", R"({"r":"blue"})");
  EXPECT_EQ(status, 400);
  EXPECT_EQ(
      body,
      R"({"key":"f","errorCode":"GENERAL","errorDetails":"the rule gave `blue`, which is none of the flag's variants"})");
  EXPECT_EQ(ask(*flags, "f", R"({"r":""})").status, 400);
  EXPECT_EQ(ask(*flags, "f", R"({"r":[]})").status, 400);
  const std::string longer = ask(*flags, "f", R"({"r":")" + std::string(79, 'x') + "\xC3\xA9\xC3\xA9\"}").body;
  EXPECT_NE(longer.find("x`, which is none"), std::string::npos);  // cut between characters
}

TEST(evaluation, is_a_parse_error_where_the_rule_cannot_be_evaluated_for_that_flag_only) {
  const auto flags = sound_flags(R"({"flags":{
    "bad":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"frobnicate":[1]}},
    "lost":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"if":[{"$ref":"nobody"},"on"]}},
    "nested":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"if":[{"$ref":"outer"},"on"]}},
    "unreached":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on","targeting":{"if":[true,"on",{"frobnicate":1}]}},
    "good":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}},
    "$evaluators":{"outer":{"and":[{"$ref":"inner"}]},"inner":{"==":[1,1]}}})");
  for (const char* key : {"bad", "lost", "nested"}) {
    EXPECT_EQ(ask(*flags, key).status, 400) << key;
    EXPECT_NE(ask(*flags, key).body.find(R"("errorCode":"PARSE_ERROR")"), std::string::npos) << key;
  }
  EXPECT_NE(ask(*flags, "bad").body.find("`frobnicate`"), std::string::npos);
  EXPECT_EQ(ask(*flags, "unreached").status, 200);
  EXPECT_EQ(ask(*flags, "good").status, 200);
}

TEST(evaluation, follows_references_to_evaluators) {
  const auto flags = sound_flags(R"({"$evaluators":{"staff":{"ends_with":[{"var":"email"},"@example.com"]}},"flags":{
    "a":{"state":"ENABLED","variants":{"true":1,"false":0},"targeting":{"$ref":"staff"}},
    "b":{"state":"ENABLED","variants":{"on":1,"off":0},"targeting":{"if":[{"!":{"$ref":"staff"}},"off","on"]}}}})");
  EXPECT_NE(ask(*flags, "a", R"({"email":"ada@example.com"})").body.find("\"value\":1"), std::string::npos);
  EXPECT_NE(ask(*flags, "a", R"({"email":"ada@elsewhere.com"})").body.find("\"value\":0"), std::string::npos);
  EXPECT_NE(ask(*flags, "b", R"({"email":"ada@example.com"})").body.find("\"value\":1"), std::string::npos);
}

TEST(evaluation, stops_a_rule_that_a_context_makes_endless_and_goes_on) {
  const auto flags = one(
      std::string(variants) +
      R"(,"defaultVariant":"off","targeting":{"if":[{"all":[{"var":"a"},{"all":[{"var":"b"},{"!!":{"var":""}}]}]},"on"]})");
  std::string many = "[1";
  for (int i = 0; i < 3'000; ++i) many += ",1";
  many += "]";
  // b is looked for in the items of a, so each item brings its own
  std::string items = "[";
  for (int i = 0; i < 2'000; ++i) items += (i ? ",{\"b\":" : "{\"b\":") + many + "}";
  evaluation e;
  ASSERT_TRUE(e.read_request(R"({"context":{"a":)" + items + "]}}")) << e.error();
  std::string body;
  EXPECT_EQ(e.evaluate(*flags, {}, "f", body), 400);
  EXPECT_EQ(body, R"({"key":"f","errorCode":"GENERAL","errorDetails":"the rule was stopped: too many steps"})");
  body.clear();
  ASSERT_TRUE(e.read_request(R"({"context":{"a":[{"b":[1]}]}})"));
  EXPECT_EQ(e.evaluate(*flags, {}, "f", body), 200);
}

// ---- metadata ----

TEST(evaluation, merges_metadata_and_the_flag_wins) {
  const auto flags = one(std::string(variants) + R"(,"metadata":{"owner":"flag","beta":true,"n":1.50})",
                         R"(,"metadata":{"owner":"file","version":"7"})");
  EXPECT_EQ(ask(*flags, "f").body,
            R"({"key":"f","reason":"DEFAULT","metadata":{"beta":true,"n":1.5,"owner":"flag","version":"7"}})");
  const auto failing =
      one(std::string(variants) + R"(,"targeting":{"frobnicate":1})", R"(,"metadata":{"owner":"file"})");
  EXPECT_NE(ask(*failing, "f").body.find(R"(,"metadata":{"owner":"file"}})"), std::string::npos);
}

// ---- bulk ----

TEST(evaluation_of_all, holds_every_selected_flag_in_order_failures_included) {
  const auto flags = sound_flags(R"({"flags":{
    "z":{"state":"ENABLED","variants":{"v":"x"},"defaultVariant":"v"},
    "bad":{"state":"ENABLED","variants":{"v":"x"},"targeting":{"frobnicate":1}},
    "m":{"state":"DISABLED","variants":{"v":"x"},"metadata":{"flagSetId":"mobile"}}}})");
  evaluation e;
  std::string body, error;
  EXPECT_EQ(e.evaluate_all(*flags, {}, body), 200);
  EXPECT_EQ(
      body,
      R"({"flags":[{"key":"bad","errorCode":"PARSE_ERROR","errorDetails":"the rule cannot be evaluated: unknown operator `frobnicate`"},)"
      R"({"key":"z","reason":"STATIC","value":"x","variant":"v"},{"key":"m","reason":"DISABLED","metadata":{"flagSetId":"mobile"}}],"metadata":{}})");
  body.clear();
  EXPECT_EQ(e.evaluate_all(*flags, *selector::parse("flagSetId=mobile", error), body), 200);
  EXPECT_EQ(
      body,
      R"({"flags":[{"key":"m","reason":"DISABLED","metadata":{"flagSetId":"mobile"}}],"metadata":{"flagSetId":"mobile"}})");
  body.clear();
  EXPECT_EQ(e.evaluate_all(*flags, *selector::parse("source=other,flagSetId=", error), body), 200);
  EXPECT_EQ(body, R"({"flags":[],"metadata":{"flagSetId":"","source":"other"}})");
}

// ---- what a rule can see ----

TEST(evaluation, adds_its_own_properties_and_drops_the_clients) {
  const auto flags =
      one(std::string(variants) + R"(,"targeting":{"if":[{"==":[{"var":"$flagd.flagKey"},"f"]},"on","off"]})");
  EXPECT_NE(ask(*flags, "f").body.find("\"variant\":\"on\""), std::string::npos);
  EXPECT_NE(ask(*flags, "f", R"({"$flagd":{"flagKey":"other"}})").body.find("\"variant\":\"on\""), std::string::npos);
  const auto timed =
      one(std::string(variants) + R"(,"targeting":{"if":[{"<=":[)" + std::to_string(std::time(nullptr)) +
          R"(,{"var":"$flagd.timestamp"},)" + std::to_string(std::time(nullptr) + 600) + R"(]},"on","off"]})");
  EXPECT_NE(ask(*timed, "f", R"({"$flagd":{"timestamp":1}})").body.find("\"variant\":\"on\""), std::string::npos);
}

TEST(evaluation, sees_members_on_both_sides_of_its_own_properties) {
  const auto flags =
      one(R"("state":"ENABLED","variants":{"1":1,"2":2,"3":3},"targeting":{"+":[{"var":"!a"},{"var":"z"}]})");
  EXPECT_NE(ask(*flags, "f", R"({"z":1,"!a":2,"$flagd":7,"$a":0,"$z":0})").body.find("\"value\":3"), std::string::npos);
}

TEST(evaluation, knows_which_rules_read_the_time) {
  const auto reads = [&](std::string_view targeting) {
    const auto flags = one(std::string(variants) + R"(,"targeting":)" + std::string(targeting),
                           R"(,"$evaluators":{"late":{"<":[5,{"var":"$flagd.timestamp"}]}})");
    return evaluation().reads_time(*flags, {});
  };
  EXPECT_TRUE(reads(R"({"<":[1,{"var":"$flagd.timestamp"}]})"));
  EXPECT_TRUE(reads(R"({"var":["$flagd.timestamp",0]})"));
  EXPECT_TRUE(reads(R"({"if":[{"$ref":"late"},"on"]})"));
  EXPECT_TRUE(reads(R"({"var":"$flagd"})"));
  EXPECT_TRUE(reads(R"({"var":""})"));
  EXPECT_TRUE(reads(R"({"var":{"var":"name"}})"));  // might be it
  EXPECT_FALSE(reads(R"({"var":"$flagd.flagKey"})"));
  EXPECT_FALSE(reads(R"({"var":"timestamp"})"));
  EXPECT_FALSE(reads(R"({"missing":["$flagd.timestamp"]})"));
  EXPECT_FALSE(reads(R"({"filter":[{"var":"groups"},{"==":[{"var":""},"beta"]}]})"));  // an item, not the context
  EXPECT_FALSE(reads("null"));
  const auto sets = sound_flags(
      R"({"flags":{"t":{"state":"ENABLED","variants":{"v":1},"metadata":{"flagSetId":"s"},"targeting":{"var":""}},
      "u":{"state":"ENABLED","variants":{"v":1}}}})");
  std::string error;
  EXPECT_TRUE(sets->reads_time(*selector::parse("flagSetId=s", error)));
  EXPECT_FALSE(sets->reads_time(*selector::parse("flagSetId=", error)));
}

// ---- requests ----

TEST(evaluation_request, is_read_as_leniently_as_flagd_does) {
  const auto flags = one(std::string(variants) + R"(,"defaultVariant":"off","targeting":{"if":[{"var":"x"},"on"]})");
  const auto variant_for = [&](std::string_view body) {
    evaluation e;
    EXPECT_TRUE(e.read_request(body)) << e.error();
    std::string out;
    EXPECT_EQ(e.evaluate(*flags, {}, "f", out), 200);
    return out.find("\"variant\":\"on\"") != std::string::npos;
  };
  EXPECT_TRUE(variant_for(R"({"context":{"x":true}})"));
  EXPECT_TRUE(variant_for(R"({"other":1,"context":{"x":true}})"));
  for (const char* empty : {"", " \n", "{}", "null", "[]", "7", R"({"context":null})", R"({"context":"x"})",
                            R"({"context":["x"]})", R"({"x":true})"}) {
    EXPECT_FALSE(variant_for(empty)) << empty;
  }
}

TEST(evaluation_request, that_is_no_json_is_refused_with_the_place_and_leaves_no_context) {
  const auto flags = one(std::string(variants) + R"(,"defaultVariant":"off","targeting":{"if":[{"var":"x"},"on"]})");
  evaluation e;
  ASSERT_TRUE(e.read_request(R"({"context":{"x":true}})"));
  const std::uint64_t full = e.context_hash();
  EXPECT_FALSE(e.read_request("{\"context\":\n{\"x\":}}"));
  EXPECT_EQ(e.error(), "line 2, column 6: not JSON: syntax error");
  EXPECT_NE(e.context_hash(), full);
  EXPECT_EQ(e.context_hash(), evaluation().context_hash());
  std::string out;
  e.evaluate(*flags, {}, "f", out);
  EXPECT_NE(out.find("\"variant\":\"off\""), std::string::npos);
  EXPECT_FALSE(e.read_request(R"({"context":{"x":true}} x)"));
  EXPECT_FALSE(e.read_request(R"({"context":{"x":true})"));
  EXPECT_FALSE(e.read_request("{\"context\":{\"x\":\"\xFF\"}}"));
  EXPECT_TRUE(e.read_request("{}"));
  EXPECT_EQ(e.error(), "");
}

TEST(evaluation_request, may_nest_only_so_deep) {
  evaluation e;
  const auto nested = [](int depth) {
    return R"({"context":{"x":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}}";
  };
  EXPECT_TRUE(e.read_request(nested(100)));
  EXPECT_FALSE(e.read_request(nested(200)));
  EXPECT_FALSE(e.read_request(nested(400'000)));
  EXPECT_NE(e.error().find("nested deeper than 128 levels"), std::string::npos);
}

TEST(context_hash, depends_on_the_meaning_only) {
  const auto hash = [](std::string_view context) {
    evaluation e;
    EXPECT_TRUE(e.read_request(R"({"context":)" + std::string(context) + "}"));
    return e.context_hash();
  };
  const auto base = hash(R"({"targetingKey":"u","n":1,"o":{"a":1,"b":[1,2]}})");
  EXPECT_EQ(hash(R"( { "o" : {"b":[1.0,2e0],"a":1}, "n":1.00, "targetingKey":"\u0075" } )"), base);
  EXPECT_EQ(hash(R"({"n":5,"targetingKey":"u","n":1,"o":{"a":1,"b":[1,2]},"$flagd":{"flagKey":"x"}})"), base);
  EXPECT_EQ(hash("{}"), hash("null"));
  for (const char* other :
       {R"({"targetingKey":"v","n":1,"o":{"a":1,"b":[1,2]}})", R"({"targetingKey":"u","n":2,"o":{"a":1,"b":[1,2]}})",
        R"({"targetingKey":"u","n":"1","o":{"a":1,"b":[1,2]}})", R"({"targetingKey":"u","n":1,"o":{"a":1,"b":[2,1]}})",
        R"({"targetingKey":"u","n":1,"o":{"a":1},"b":[1,2]})", R"({"targetingKey":"u","n":true,"o":{"a":1,"b":[1,2]}})",
        R"({"targetingKey":"u","n":1.5,"o":{"a":1,"b":[1,2]}})",
        R"({"targetingKey":"u","n":null,"o":{"a":1,"b":[1,2]}})"}) {
    EXPECT_NE(hash(other), base) << other;
  }
}

// ---- stress ----

// Oracle: what one thread answers for each context before the others start. A flag_set is only read, an evaluation
// belongs to one thread, so every answer of every thread must be the same text.
TEST(evaluation_stress, threads_that_share_a_flag_set_all_get_the_answers_of_one) {
  constexpr int contexts = 16, threads = 4, rounds = 200;
  const auto flags = sound_flags(R"({"$evaluators":{"staff":{"ends_with":[{"var":"email"},"@example.com"]}},"flags":{
    "a":{"state":"ENABLED","variants":{"x":1,"y":2,"z":3},"targeting":{"fractional":[{"var":"email"},["x"],["y"],["z"]]}},
    "b":{"state":"ENABLED","variants":{"x":1,"y":2},"targeting":{"if":[{"$ref":"staff"},"x",{"==":[{"var":"$flagd.flagKey"},"b"]},"y"]}},
    "c":{"state":"ENABLED","variants":{"x":1},"targeting":{"cat":[{"var":"email"},{"map":[[1,2],{"var":""}]}]}}}})");
  const auto request = [](int i) {
    return R"({"context":{"email":"user-)" + std::to_string(i) + (i % 2 ? "@example.com" : "@elsewhere.org") + "\"}}";
  };
  std::vector<std::string> expected(contexts);
  evaluation alone;
  for (int i = 0; i < contexts; ++i) {
    ASSERT_TRUE(alone.read_request(request(i)));
    alone.evaluate_all(*flags, {}, expected[static_cast<std::size_t>(i)]);
  }
  std::vector<int> wrong(threads);
  std::vector<std::thread> all;
  for (std::size_t t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      evaluation mine;
      std::string body;
      for (int i = 0; i < rounds; ++i) {
        const int which = (i + static_cast<int>(t)) % contexts;
        body.clear();
        if (mine.read_request(request(which))) mine.evaluate_all(*flags, {}, body);
        wrong[t] += body != expected[static_cast<std::size_t>(which)];
      }
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_EQ(wrong, std::vector<int>(threads));
}

}  // namespace
}  // namespace flagserver
