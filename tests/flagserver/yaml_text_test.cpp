// SPDX-License-Identifier: Apache-2.0
#include "flagserver/yaml_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flagserver/json_text.hpp"

namespace flagserver {
namespace {

struct yaml_text : testing::Test {
  std::string as_json(std::string_view text, std::size_t max_depth = 64) {
    memory.reset();
    places = {};
    failure = read_yaml(text, memory, max_depth, root, places);
    if (!failure.message.empty()) return where(failure.at) + " " + failure.message;
    std::string out;
    write_json(root, out);
    return out;
  }
  static std::string where(place at) { return std::to_string(at.line) + ":" + std::to_string(at.column); }

  arena memory{64 << 20};
  source_map places;
  value root;
  text_error failure;
};

TEST_F(yaml_text, reads_plain_scalars_as_go_does) {
  EXPECT_EQ(as_json("[true, True, TRUE, false, yes, no, on, off, y]"),
            R"([true,true,true,false,"yes","no","on","off","y"])");
  EXPECT_EQ(as_json("[null, ~, Null, NULL, nil, '']"), R"([null,null,null,null,"nil",""])");
  EXPECT_EQ(as_json("[0, 7, -7, +7, 0x1F, 0o17, 017, 0b101, 1_000, -0x10]"), "[0,7,-7,7,31,15,15,5,1000,-16]");
  EXPECT_EQ(as_json("[1.5, -2.5e3, .5, 1., 1e2, 18446744073709551615, -9223372036854775808]"),
            "[1.5,-2500,0.5,1,100,18446744073709551615,-9223372036854775808]");
  EXPECT_EQ(as_json("[1.2.3, 1-2, 12:30, 2026-11-23, 0x, 0xfg, -, +, ., e5, 1e, inf, nan]"),
            R"(["1.2.3","1-2","12:30","2026-11-23","0x","0xfg","-","+",".","e5","1e","inf","nan"])");
}

TEST_F(yaml_text, leaves_quoted_and_tagged_texts_alone) {
  EXPECT_EQ(as_json("['true', \"1\", !!str 1.5, 'null', \"a\\nb\"]"), R"(["true","1","1.5","null","a\nb"])");
  EXPECT_EQ(as_json("a: |\n  one\n  two\nb: >\n  one\n  two\n"), R"({"a":"one\ntwo\n","b":"one two\n"})");
  EXPECT_EQ(as_json("[!!int '7', !!float '1.5', !!bool 'true']"), "[7,1.5,true]");
}

TEST_F(yaml_text, has_texts_for_keys_whatever_they_look_like) {
  EXPECT_EQ(as_json("1: a\ntrue: b\n~: c\n'x': d"), R"({"1":"a","null":"c","true":"b","x":"d"})");
}

TEST_F(yaml_text, follows_aliases_and_merges) {
  EXPECT_EQ(as_json("a: &x {k: 1}\nb: *x"), R"({"a":{"k":1},"b":{"k":1}})");
  EXPECT_EQ(as_json("base: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3"), R"({"b":{"k":1,"l":3},"base":{"k":1,"l":2}})");
  EXPECT_EQ(as_json("x: &x {k: 1}\ny: &y {k: 2, l: 2}\nb: {<<: [*x, *y]}"),
            R"({"b":{"k":1,"l":2},"x":{"k":1},"y":{"k":2,"l":2}})");
  EXPECT_EQ(as_json("a: {'<<': 1}"), R"({"a":{"<<":1}})");
  EXPECT_NE(as_json("a: {<<: 1}").find("<< merges"), std::string::npos);
}

TEST_F(yaml_text, knows_the_place_of_values_and_keys) {
  ASSERT_EQ(as_json("# comment\na:\n  - 1\n  - \xC3\xA9: x\n    y: [p, q]\n").substr(0, 1), "{");
  EXPECT_EQ(where(places.of_key(root.members[0])), "2:1");
  const value& a = root.members[0].content;
  EXPECT_EQ(where(places.of_value(a)), "3:3");
  EXPECT_EQ(where(places.of_value(a.items[0])), "3:5");
  EXPECT_EQ(where(places.of_value(a.items[1])), "4:5");
  EXPECT_EQ(where(places.of_value(*a.items[1].find("\xC3\xA9"))), "4:8");
  EXPECT_EQ(where(places.of_value(a.items[1].find("y")->items[1])), "5:12");
}

// F9
TEST_F(yaml_text, takes_the_last_of_repeated_keys_and_reports_it) {
  EXPECT_EQ(as_json("a: 1\nb: 2\na: 3"), R"({"a":3,"b":2})");
  ASSERT_EQ(places.repeated().size(), 1u);
  EXPECT_EQ(where(places.repeated()[0].at), "3:1");
}

TEST_F(yaml_text, says_what_is_wrong_and_where) {
  EXPECT_EQ(as_json(""), "1:1 empty: there is no YAML document");
  EXPECT_EQ(as_json("a: [1, 2").substr(0, 2), "1:");
  EXPECT_NE(as_json("a: [1, 2").find("not YAML"), std::string::npos);
  EXPECT_EQ(as_json("a: 1\n b: 2").substr(0, 2), "2:");
  EXPECT_EQ(as_json("a: *nobody").substr(0, 2), "1:");
  EXPECT_EQ(as_json("a: 1\n---\nb: 2"), "2:1 more than one YAML document");
  EXPECT_EQ(as_json("a: .inf"), "1:4 infinities and .nan have no JSON form");
  EXPECT_EQ(as_json("{[1, 2]: x}"), "1:2 a key must be a scalar");
}

TEST_F(yaml_text, may_be_framed_as_a_document) {
  EXPECT_EQ(as_json("---\na: 1\n...\n"), R"({"a":1})");
  EXPECT_EQ(as_json("%YAML 1.2\n---\na: 1\n"), R"({"a":1})");
  EXPECT_NE(as_json("a: 1\n}").find("2:"), std::string::npos);
  EXPECT_NE(as_json("[1] ]").find("1:"), std::string::npos);
}

TEST_F(yaml_text, that_nests_or_multiplies_without_bound_is_an_error) {
  EXPECT_NE(as_json("[[[[1]]]]", 3).find("nested deeper than 3 levels"), std::string::npos);
  EXPECT_NE(as_json(std::string(100'000, '[')).find("1:"), std::string::npos);
  EXPECT_NE(as_json("a: &a [*a]").find("1:"), std::string::npos);
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += (j ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  const std::string answer = as_json(laughs);
  EXPECT_TRUE(answer.find("aliases may multiply") != std::string::npos ||
              answer.find("too much memory") != std::string::npos)
      << answer.substr(0, 200);
}

TEST_F(yaml_text, ends_where_yaml_cpp_finds_ever_more_documents) {
  EXPECT_NE(as_json(",b8").find("more than one"), std::string::npos);
}

TEST_F(yaml_text, counts_columns_along_one_long_line_without_starting_over) {
  std::string line = "{";
  std::vector<std::size_t> columns;  // of each value
  std::size_t column = 2;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = "\xC3\xA9" + std::to_string(i);
    line += key + ": [\xC3\xBC, {}], ";
    columns.push_back(column + key.size() - 1 + 2);
    column += key.size() - 1 + 2 + 9;
  }
  ASSERT_EQ(as_json(line + "}").substr(0, 1), "{");
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{777}, columns.size() - 1}) {
    const value* v = root.find("\xC3\xA9" + std::to_string(i));
    ASSERT_NE(v, nullptr);
    EXPECT_EQ(places.of_value(*v).column, columns[i]) << i;
    EXPECT_EQ(places.of_value(v->items[1]).column, columns[i] + 4) << i;
  }
}

}  // namespace
}  // namespace flagserver
