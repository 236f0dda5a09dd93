// SPDX-License-Identifier: Apache-2.0
// What is accepted, what is refused, and where a complaint points.
#include <algorithm>

#include "flagserver/flag.hpp"
#include "rules.hpp"

namespace flagserver {
namespace {

std::string file_with(std::string_view flag) { return R"({"flags":{"f":)" + std::string(flag) + "}}"; }

constexpr std::string_view sound = R"({"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"})";

/// A file in which everything that a file can hold occurs.
constexpr std::string_view complete = R"({
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "metadata": {"owner": "team", "level": 1.5, "flagSetId": "shop"},
  "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}},
  "flags": {
    "plain": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
    "ruled": {
      "state": "ENABLED",
      "variants": {"one": {"n": 1, "list": [1, null, "\u00e9"]}, "two": {}},
      "defaultVariant": null,
      "targeting": {"if": [{"$ref": "staff"}, "one", {"fractional": [["one", 10], ["two", 90]]}]},
      "metadata": {"flagSetId": "", "beta": true}
    },
    "gone": {"state": "DISABLED", "variants": {"a": -1.5e3}}
  }
})";

// H5
TEST(flag_file, without_flags_or_of_another_type_is_refused) {
  EXPECT_EQ(complaints("{}"), "1:1 error: there is no `flags`: a flag file needs it, be it empty\n");
  EXPECT_EQ(complaints("null"), "1:1 error: a flag file is an object with `flags`, this is null\n");
  EXPECT_EQ(complaints(" [1]"), "1:2 error: a flag file is an object with `flags`, this is an array\n");
  EXPECT_EQ(complaints("\"flags\""), "1:1 error: a flag file is an object with `flags`, this is a string\n");
  EXPECT_EQ(complaints(""), "1:1 error: empty: there is no JSON value\n");
  EXPECT_EQ(complaints("", text_format::yaml), "1:1 error: empty: there is no YAML document\n");
  EXPECT_EQ(complaints("# only a comment\n", text_format::yaml).substr(4, 6), "error:");
  EXPECT_EQ(complaints(R"({"flags":null})"), "1:10 error: `flags` is an object or an array, this is null\n");
  EXPECT_EQ(complaints(R"({"flags":7})"), "1:10 error: `flags` is an object or an array, this is a number\n");
  EXPECT_EQ(complaints(R"({"flags":{}})"), "");
}

// H5
TEST(flag_file, with_an_unknown_field_is_accepted_with_a_warning_at_the_field) {
  EXPECT_EQ(complaints("{\"flags\":{},\n \"flag\":{}}"),
            "2:2 warning: a flag file has no field `flag`: it is ignored\n");
  EXPECT_EQ(complaints("{\"flags\":{\"f\":{\"state\":\"ENABLED\",\n  \"variants\":{\"a\":1},\n  \"default\":\"a\"}}}"),
            "3:3 warning: flag `f` has no field `default`: it is ignored\n");
  EXPECT_EQ(complaints(R"({"flags":{"f":{"key":"f","state":"ENABLED","variants":{"a":1}}}})"),
            "1:16 warning: flag `f` has no field `key`: it is ignored\n");
}

// H5
TEST(flag_file, with_a_flag_that_lacks_something_is_refused) {
  EXPECT_EQ(complaints(file_with("{}")),
            "1:11 error: flag `f` has no `state`: ENABLED or DISABLED\n1:11 error: flag `f` has no `variants`\n");
  EXPECT_EQ(complaints(file_with("null")), "1:15 error: flag `f` must be an object, this is null\n");
  EXPECT_EQ(complaints(file_with("[]")), "1:15 error: flag `f` must be an object, this is an array\n");
  EXPECT_EQ(complaints(file_with(R"({"state":"ENABLED","variants":{}})")),
            "1:45 error: flag `f` needs at least one variant\n");
  EXPECT_EQ(complaints(R"({"flags":{"":{"state":"ENABLED","variants":{"a":1}}}})"),
            "1:11 error: a flag needs a key that is not empty\n");
}

// H5
TEST(flag_file, with_a_field_of_the_wrong_type_is_refused) {
  const auto with = [](std::string_view field) {
    return complaints(file_with(R"({"state":"ENABLED","variants":{"a":1},)" + std::string(field) + "}"));
  };
  EXPECT_EQ(with(R"("targeting":"a")"),
            "1:65 error: `targeting` is a rule, an object with an operator; this is a string\n");
  EXPECT_EQ(with(R"("targeting":[])"),
            "1:65 error: `targeting` is a rule, an object with an operator; this is an array\n");
  EXPECT_EQ(with(R"("targeting":null)"), "");
  EXPECT_EQ(with(R"("targeting":{})"), "");
  EXPECT_EQ(with(R"("defaultVariant":1)"), "1:70 error: `defaultVariant` is a string or null, this is a number\n");
  EXPECT_EQ(with(R"("defaultVariant":"b")"),
            "1:70 error: `defaultVariant` `b` is not among the variants of flag `f`\n");
  EXPECT_EQ(with(R"("defaultVariant":"")"), "1:70 warning: an empty `defaultVariant` counts as none\n");
  EXPECT_EQ(with(R"("metadata":[])"), "1:64 error: `metadata` is an object, this is an array\n");
  EXPECT_EQ(with(R"("metadata":{"a":{}})"),
            "1:69 error: metadata holds booleans, strings and numbers, `a` is an object\n");
  EXPECT_EQ(with(R"("metadata":{"flagSetId":1})"), "1:77 error: `flagSetId` is a string, this is a number\n");
  EXPECT_EQ(complaints(file_with(R"({"state":"enabled","variants":{"a":1}})")),
            "1:24 error: `state` is \"ENABLED\" or \"DISABLED\"\n");
  EXPECT_EQ(complaints(file_with(R"({"state":true,"variants":{"a":1}})")),
            "1:24 error: `state` is \"ENABLED\" or \"DISABLED\"\n");
  EXPECT_EQ(complaints(file_with(R"({"state":"ENABLED","variants":["a"]})")),
            "1:45 error: `variants` is an object of named values, this is an array\n");
  EXPECT_EQ(complaints(R"({"flags":{},"metadata":1})"), "1:24 error: `metadata` is an object, this is a number\n");
}

// H5
TEST(flag_file, with_variants_of_several_types_is_refused_at_the_first_that_differs) {
  const auto with = [](std::string_view variants) {
    return complaints(file_with(R"({"state":"ENABLED","variants":)" + std::string(variants) + "}"));
  };
  EXPECT_EQ(with(R"({"b":true,"a":"x"})"),
            "1:59 error: variant `a` is a string, but `b` is a boolean: all variants of a flag have one type\n");
  EXPECT_EQ(with(R"({"a":1,"b":2.5,"c":18446744073709551615})"), "");
  EXPECT_EQ(with(R"({"a":{},"b":{"x":null}})"), "");
  EXPECT_EQ(with(R"({"a":null})"),
            "1:50 error: variant `a` is null: a variant is a boolean, a string, a number or an object\n");
  EXPECT_EQ(with(R"({"a":[1]})"),
            "1:50 error: variant `a` is an array: a variant is a boolean, a string, a number or an object\n");
}

TEST(flag_file, with_an_evaluator_that_is_no_rule_is_refused) {
  EXPECT_EQ(complaints(R"({"flags":{},"$evaluators":{"e":{}}})"),
            "1:32 error: the evaluator `e` must be a rule, an object with an operator\n");
  EXPECT_EQ(complaints(R"({"flags":{},"$evaluators":{"e":"x"}})"),
            "1:32 error: the evaluator `e` must be a rule, an object with an operator\n");
  EXPECT_EQ(complaints(R"({"flags":{},"$evaluators":[]})"),
            "1:27 error: `$evaluators` is an object of named rules, this is an array\n");
}

TEST(flag_file, complains_about_everything_at_once_in_the_order_of_the_file) {
  EXPECT_EQ(complaints("{\"x\":1,\n\"flags\":{\"b\":{\"state\":\"ON\",\"variants\":{\"v\":1}},\n\"a\":1,\n\"c\":{"
                       "\"state\":\"ENABLED\",\"variants\":{}}}}"),
            "1:2 warning: a flag file has no field `x`: it is ignored\n"
            "2:23 error: `state` is \"ENABLED\" or \"DISABLED\"\n"
            "3:5 error: flag `a` must be an object, this is a number\n"
            "4:35 error: flag `c` needs at least one variant\n");
}

TEST(flag_file, warns_of_rules_that_will_fail) {
  const auto with = [](std::string_view targeting) {
    return complaints(file_with(R"({"state":"ENABLED","variants":{"a":1,"true":1,"false":2},"targeting":)" +
                                std::string(targeting) + "}"));
  };
  EXPECT_EQ(with(R"({"if":[true,"a","b"]})"),
            "1:84 warning: the rule of flag `f` can give `b`, which is not among its variants: that answers GENERAL\n");
  EXPECT_EQ(with(R"({"fractional":[["a",1],["z",1]]})").find("1:84 warning: the rule of flag `f` can give `z`"), 0u);
  EXPECT_EQ(with(R"({"fractional":[["a",1],[{"var":"x"},1]]})"), "");
  EXPECT_EQ(with(R"({"==":[1,2]})"), "");
  EXPECT_EQ(with(R"({"if":[true,"a"],"or":[]})")
                .find("1:84 warning: an object of several members is a value: its `if` is not run"),
            0u);
  EXPECT_EQ(with(R"({"frobnicate":[1]})").find("1:98 warning: unknown operator `frobnicate`"), 0u);
  EXPECT_EQ(with(R"({"$ref":"nobody"})").find("1:92 warning: there is no evaluator `nobody` in $evaluators"), 0u);
  EXPECT_EQ(with(R"({"sem_ver":[{"var":"v"},"=>","1.0.0"]})").find("1:108 warning: sem_ver knows the operators"), 0u);
  EXPECT_EQ(with(R"({"sem_ver":[{"var":"v"},">","1.0.0.0"]})").find("1:112 warning: `1.0.0.0` is no semantic version"),
            0u);
  EXPECT_EQ(with(R"({"ends_with":[{"var":"v"}]})").find("1:97 warning: this takes two strings"), 0u);
  EXPECT_EQ(with(R"({"fractional":[["a",-1]]})").find("1:104 warning: a negative weight counts as 0"), 0u);
  EXPECT_EQ(with(R"({"fractional":[["a",0.5]]})").find("1:104 warning: a weight is a whole number"), 0u);
}

TEST(flag_file, points_into_yaml_too) {
  EXPECT_EQ(complaints("flags:\n  f:\n    state: ENABLD\n    variants:\n      a: 1\n      b: x\n    colour: red\n",
                       text_format::yaml),
            "3:12 error: `state` is \"ENABLED\" or \"DISABLED\"\n"
            "6:10 error: variant `b` is a string, but `a` is a number: all variants of a flag have one type\n"
            "7:5 warning: flag `f` has no field `colour`: it is ignored\n");
  EXPECT_EQ(complaints("flags: [", text_format::yaml).find("error: not YAML: "), 4u);
}

TEST(flag_file, in_yaml_means_the_same_as_in_json) {
  const auto json = sound_flags(
      R"({"metadata":{"n":1},"flags":{"f":{"state":"ENABLED","variants":{"on":{"a":1.5},"off":{"a":"1.5"}},"defaultVariant":"off",
      "targeting":{"if":[{"in":[{"var":"c"},["DE","NO"]]},"on",null]}}}})");
  const auto yaml = sound_flags(R"(
metadata: {n: 1}
flags:
  f:
    state: ENABLED
    variants:
      on: {a: 1.5}
      off: {a: "1.5"}
    defaultVariant: off
    targeting:
      if: [{in: [{var: c}, [DE, NO]]}, on, null]
)",
                                fractional_version::v2, text_format::yaml);
  for (const char* context : {R"({"c":"NO"})", R"({"c":"FR"})"}) {
    EXPECT_EQ(ask(*yaml, "f", context).body, ask(*json, "f", context).body);
    EXPECT_EQ(ask(*yaml, "f", context).status, 200);
  }
}

// F10, H10
TEST(flag_file, is_refused_at_every_strict_prefix) {
  ASSERT_EQ(complaints(complete), "");
  for (std::size_t n = 0; n < complete.size(); ++n) {
    const auto [flags, diagnostics] = parse_flags(complete.substr(0, n), text_format::json, fractional_version::v2);
    ASSERT_FALSE(flags) << complete.substr(0, n);
    ASSERT_FALSE(diagnostics.empty());
    EXPECT_GT(diagnostics[0].line, 0u);
  }
}

TEST(flag_file, survives_any_change_of_one_byte) {
  std::string text(complete);
  for (char& c : text) {
    const char before = c;
    for (const char other : {'"', '{', ']', ',', '0', 'x', '\\', '\n', '\xFF', '\0'}) {
      c = other;
      const auto [flags, diagnostics] = parse_flags(text, text_format::json, fractional_version::v2);
      EXPECT_TRUE(flags || !diagnostics.empty());
    }
    c = before;
  }
}

TEST(flag_file, that_nests_without_end_is_refused) {
  const std::string open(100'000, '[');
  EXPECT_NE(complaints(open).find("nested deeper than 512 levels"), std::string::npos);
  std::string rule;
  for (int i = 0; i < 50'000; ++i) rule += R"({"!":[)";
  EXPECT_NE(complaints(file_with(R"({"targeting":)" + rule)).find("nested deeper"), std::string::npos);
  EXPECT_NE(complaints("flags: " + open, text_format::yaml).find("error"), std::string::npos);
}

// F9
TEST(flag_file, takes_the_last_of_flags_and_keys_given_again_and_warns) {
  const std::string flag_twice = R"({"flags":{"f":)" + std::string(sound) +
                                 ",\n\"f\":" + R"({"state":"ENABLED","variants":{"x":9},"defaultVariant":"x"})" + "}}";
  EXPECT_EQ(complaints(flag_twice), "2:1 warning: the key `f` is given again: the last one counts\n");
  EXPECT_NE(ask(*sound_flags(flag_twice), "f").body.find("\"value\":9"), std::string::npos);

  const std::string in_array =
      "{\"flags\":[{\"key\":\"f\",\"state\":\"DISABLED\",\"variants\":{\"a\":1}},\n"
      " {\"key\":\"f\",\"state\":\"ENABLED\",\"variants\":{\"a\":1},\"defaultVariant\":\"a\"}]}";
  EXPECT_EQ(complaints(in_array), "2:9 warning: the flag `f` is given again: the last one counts\n");
  const auto flags = sound_flags(in_array);
  EXPECT_EQ(flags->size(), 1u);
  EXPECT_NE(ask(*flags, "f").body.find("STATIC"), std::string::npos);
}

TEST(flag_file, may_hold_flags_in_an_array_with_keys) {
  EXPECT_EQ(complaints(R"({"flags":[{"key":"a","state":"ENABLED","variants":{"v":1}}]})"), "");
  EXPECT_EQ(complaints(R"({"flags":[{"state":"ENABLED","variants":{"v":1}}]})"),
            "1:11 error: a flag in an array needs a `key`, a string that is not empty\n");
  EXPECT_EQ(complaints(R"({"flags":[{"key":7},5]})"),
            "1:18 error: a flag in an array needs a `key`, a string that is not empty\n"
            "1:21 error: a flag in an array needs a `key`, a string that is not empty\n");
}

// ---- the set ----

TEST(flag_set, has_a_revision_of_its_text_and_options) {
  const auto a = sound_flags(complete), b = sound_flags(complete), v3 = sound_flags(complete, fractional_version::v3);
  EXPECT_EQ(a->revision(), b->revision());
  EXPECT_EQ(a->revision().size(), 16u);
  EXPECT_EQ(a->revision().find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a->revision(), v3->revision());
  EXPECT_NE(a->revision(), sound_flags(std::string(complete) + " ")->revision());
}

// F7
TEST(flag_set, does_not_need_the_text_it_was_made_from) {
  std::string text(complete);
  const auto flags = sound_flags(text);
  const std::string before = ask(*flags, "ruled", R"({"email":"a@example.com"})").body;
  std::fill(text.begin(), text.end(), '#');
  EXPECT_EQ(ask(*flags, "ruled", R"({"email":"a@example.com"})").body, before);
  EXPECT_NE(before.find("\"variant\":\"one\""), std::string::npos);
}

// F1-F4: one flag_set is one update, seen whole; what it has is as it was, what it lacks is not there
TEST(flag_set, answers_from_one_text_for_all_its_life) {
  const auto old_flags = sound_flags(
      R"({"flags":{"a":{"state":"ENABLED","variants":{"v":1},"defaultVariant":"v"},"b":{"state":"ENABLED","variants":{"v":1},"defaultVariant":"v"}}})");
  const auto new_flags = sound_flags(
      R"({"flags":{"b":{"state":"ENABLED","variants":{"v":2},"defaultVariant":"v"},"c":{"state":"ENABLED","variants":{"v":2},"defaultVariant":"v"}}})");
  evaluation e;
  std::string all_old, all_new;
  e.evaluate_all(*old_flags, {}, all_old);
  e.evaluate_all(*new_flags, {}, all_new);
  EXPECT_EQ(all_old.find("\"value\":2"), std::string::npos);
  EXPECT_EQ(all_new.find("\"value\":1"), std::string::npos);
  EXPECT_EQ(ask(*old_flags, "a").status, 200);  // F8: still there for who holds the old one
  EXPECT_EQ(ask(*new_flags, "a").status, 404);  // F4
  EXPECT_EQ(ask(*new_flags, "c").status, 200);
  for (int i = 0; i < 3; ++i) EXPECT_NE(ask(*old_flags, "b").body.find("\"value\":1"), std::string::npos);  // F2
}

TEST(flag_set, orders_flags_by_set_then_key_and_finds_each) {
  std::string text = R"({"flags":[)";
  for (const char* flag : {R"("key":"z","metadata":{"flagSetId":"one"})", R"("key":"a","metadata":{"flagSetId":"two"})",
                           R"("key":"m")", R"("key":"a")", R"("key":"a","metadata":{"flagSetId":"one"})"}) {
    text += std::string(text.ends_with('[') ? "{" : ",{") + flag + R"(,"state":"ENABLED","variants":{"v":1}})";
  }
  const auto flags = sound_flags(text + "]}");
  std::string order;
  for (const flag& f : flags->flags()) order += std::string(f.set_id) + "/" + std::string(f.key) + " ";
  EXPECT_EQ(order, "/a /m one/a one/z two/a ");

  std::string error;
  const auto pick = [&](const char* header, const char* key) {
    const flag* found = flags->find(key, *selector::parse(header, error));
    return found ? std::string(found->set_id) : std::string("nothing");
  };
  EXPECT_EQ(pick("", "a"), "one");  // the last in the file
  EXPECT_EQ(pick("flagSetId=two", "a"), "two");
  EXPECT_EQ(pick("flagSetId=one", "a"), "one");
  EXPECT_EQ(pick("flagSetId=", "a"), "");
  EXPECT_EQ(pick("flagSetId=two", "z"), "nothing");
  EXPECT_EQ(pick("flagSetId=three", "a"), "nothing");
  EXPECT_EQ(pick("source=flags.json", "a"), "one");
  EXPECT_EQ(pick("flags.json", "z"), "one");
  EXPECT_EQ(pick("source=flags.json,flagSetId=two", "a"), "two");
  EXPECT_EQ(pick("source=other.json", "a"), "nothing");
}

TEST(flag_set, holds_very_many_flags) {
  std::string text = R"({"flags":{)";
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    text += (i ? ",\"flag-" : "\"flag-") + std::to_string(i) + R"(":{"state":"ENABLED","variants":{"v":)" +
            std::to_string(i) + R"(},"defaultVariant":"v"})";
  }
  const auto flags = sound_flags(text + "}}");
  ASSERT_EQ(flags->size(), static_cast<std::size_t>(count));
  for (const int i : {0, 1, 777, count - 1}) {
    EXPECT_NE(ask(*flags, "flag-" + std::to_string(i)).body.find("\"value\":" + std::to_string(i) + ","),
              std::string::npos);
  }
}

// ---- selector ----

TEST(selector, reads_the_header_of_flagd) {
  std::string error;
  const auto parsed = [&](std::string_view header) { return selector::parse(header, error); };
  EXPECT_TRUE(parsed("")->selects_all());
  EXPECT_TRUE(parsed("  ")->selects_all());
  EXPECT_EQ(parsed("flagSetId=x")->flag_set_id(), "x");
  EXPECT_EQ(parsed("flagSetId=")->flag_set_id(), "");
  EXPECT_EQ(parsed("source=a/b.json")->source(), "a/b.json");
  EXPECT_EQ(parsed("a/b.json")->source(), "a/b.json");
  EXPECT_EQ(parsed(" source = y , flagSetId = x ")->source(), "y");
  EXPECT_EQ(parsed("flagSetId=a=b")->flag_set_id(), "a=b");
  EXPECT_EQ(error, "");
}

TEST(selector, says_what_it_does_not_know) {
  std::string error;
  EXPECT_FALSE(selector::parse("colour=red", error));
  EXPECT_EQ(error, "Flagd-Selector: `colour=red` is neither flagSetId=... nor source=...");
  EXPECT_FALSE(selector::parse("flagSetId=x,", error));
  EXPECT_FALSE(selector::parse("flagSetId=x,source", error));
  EXPECT_FALSE(selector::parse("FlagSetId=x", error));
  EXPECT_FALSE(selector::parse("flagSetId=x,flagSetId=y", error));
  EXPECT_EQ(error, "Flagd-Selector: flagSetId is given twice");
}

}  // namespace
}  // namespace flagserver
