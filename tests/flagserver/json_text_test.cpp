// SPDX-License-Identifier: Apache-2.0
#include "flagserver/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flagserver {
namespace {

class json_text : public testing::Test {
 protected:
  bool read(std::string_view text, std::size_t max_depth = 64) {
    memory.reset();
    places = {};
    return reader.read(text, memory, max_depth, root, &places);
  }
  std::string written(std::string_view text) {
    if (!read(text)) return "error: " + reader.error();
    std::string out;
    write_json(root, out);
    return out;
  }
  std::string where(place at) const { return std::to_string(at.line) + ":" + std::to_string(at.column); }
  std::string failure(std::string_view text, std::size_t max_depth = 64) {
    if (read(text, max_depth)) return "none";
    return where(reader.error_at()) + " " + reader.error();
  }

  arena memory{1 << 20};
  json_reader reader;
  source_map places;
  value root;
};

TEST_F(json_text, reads_what_it_writes) {
  for (const char* text :
       {"null", "true", "false", "0", "-1", "1.5", "18446744073709551615", "\"\"", "\"a\"", "[]", "{}", "[1,[2,[]],{}]",
        R"({"a":1,"b":{"c":[null,true]}})", R"("\"\\\b\f\n\r\t\u0001\u001f")", "\"\xC3\xA9 \xF0\x9F\x98\x80\""}) {
    EXPECT_EQ(written(text), text);
  }
}

TEST_F(json_text, sorts_members_and_spells_numbers_one_way) {
  EXPECT_EQ(written(R"({"b":1,"a":2,"ab":3})"), R"({"a":2,"ab":3,"b":1})");
  EXPECT_EQ(written("[1.0,1e2,-0,0.10,1E-7,100000000000000000000]"), "[1,100,0,0.1,1e-7,100000000000000000000]");
}

TEST_F(json_text, reads_doubles_exactly) {
  ASSERT_TRUE(read("[0.1,2.2250738585072014e-308,1.7976931348623157e308,123456789.123456789e-5,9007199254740993.5]"));
  EXPECT_EQ(root.items[0].real, 0.1);
  EXPECT_EQ(root.items[1].real, 2.2250738585072014e-308);
  EXPECT_EQ(root.items[2].real, 1.7976931348623157e308);
  EXPECT_EQ(root.items[3].real, 123456789.123456789e-5);
  EXPECT_EQ(root.items[4].integer, 9007199254740994);
  ASSERT_TRUE(read("5.0000000000000004"));  // a number that ends with the text
  EXPECT_EQ(root.type, kind::integer);
}

TEST_F(json_text, decodes_escapes_in_keys_and_texts) {
  EXPECT_EQ(written(R"({"\u00e9\n":"\ud83d\ude00\/x\u0041"})"), "{\"\xC3\xA9\\n\":\"\xF0\x9F\x98\x80/xA\"}");
}

TEST_F(json_text, knows_the_place_of_every_value_and_key) {
  ASSERT_TRUE(read("\n {\"a\" : [1, \"\xC3\xA9\",\t{}],\n  \"b\\\"}\" :\n   -2.5e1, \"c\": {\"d\":null}}"));
  EXPECT_EQ(where(places.of_value(root)), "2:2");
  EXPECT_EQ(where(places.of_key(root.members[0])), "2:3");
  const value& a = root.members[0].content;
  EXPECT_EQ(where(places.of_value(a)), "2:9");
  EXPECT_EQ(where(places.of_value(a.items[0])), "2:10");
  EXPECT_EQ(where(places.of_value(a.items[1])), "2:13");
  EXPECT_EQ(where(places.of_value(a.items[2])), "2:18");  // columns count characters, a tab is one
  EXPECT_EQ(root.members[1].key, "b\"}");
  EXPECT_EQ(where(places.of_key(root.members[1])), "3:3");
  EXPECT_EQ(where(places.of_value(root.members[1].content)), "4:4");
  EXPECT_EQ(where(places.of_value(root.members[2].content)), "4:17");
  EXPECT_EQ(where(places.of_key(root.members[2].content.members[0])), "4:18");
  EXPECT_EQ(where(places.of_value(root.members[2].content.members[0].content)), "4:22");
}

// F9
TEST_F(json_text, takes_the_last_of_repeated_keys_and_reports_it) {
  EXPECT_EQ(written("{\"a\":1,\n\"b\":2,\n\"a\":3,\"a\":4}"), R"({"a":4,"b":2})");
  ASSERT_EQ(places.repeated().size(), 2u);
  EXPECT_EQ(places.repeated()[0].key, "a");
  EXPECT_EQ(where(places.repeated()[0].at), "3:1");
  EXPECT_EQ(where(places.repeated()[1].at), "3:7");
}

TEST_F(json_text, says_what_is_wrong_and_where) {
  EXPECT_EQ(failure(""), "1:1 empty: there is no JSON value");
  EXPECT_EQ(failure(" \n "), "2:2 empty: there is no JSON value");
  EXPECT_EQ(failure("{\"a\":1,\n \"b\":}"), "2:6 not JSON: syntax error");
  EXPECT_EQ(failure("{\"a\":1"), "1:7 the text ends before the JSON value does");
  EXPECT_EQ(failure("[1]\n[2]"), "2:1 not JSON: more text after the value");
  EXPECT_EQ(failure("[1,]").substr(0, 4), "1:4 ");
  EXPECT_EQ(failure("{'a':1}").substr(0, 4), "1:2 ");
  EXPECT_EQ(failure("[01]").substr(0, 4), "1:3 ");
  EXPECT_EQ(failure("// x\n1").substr(0, 4), "1:1 ");
  EXPECT_EQ(failure("[[[1]]]", 3), "none");
  EXPECT_EQ(failure("[[[[1]]]]", 3), "1:4 nested deeper than 3 levels");
  EXPECT_NE(failure("[1e999]").find("too large"), std::string::npos);
  EXPECT_NE(failure("[1" + std::string(400, '0') + "]").find("too large"), std::string::npos);
  EXPECT_NE(failure("[NaN]"), "none");
  EXPECT_NE(failure("\"\x01\""), "none");
  EXPECT_NE(failure("\"\xC3\""), "none");
  EXPECT_NE(failure("\"\\ud800\""), "none");
  EXPECT_NE(failure("\xEF\xBB\xBF{}"), "none");
}

TEST_F(json_text, is_refused_at_every_strict_prefix) {
  const std::string text = R"({"a":[1.5,"x\u00e9\n",{"b":null}],"c":true,"d":-12e3})";
  for (std::size_t n = 0; n < text.size(); ++n)
    EXPECT_FALSE(read(std::string_view(text).substr(0, n))) << text.substr(0, n);
  EXPECT_TRUE(read(text));
}

TEST_F(json_text, can_be_read_again_after_a_failure) {
  EXPECT_FALSE(read("{\"a\":[1,{\"b\":\"x\\n"));
  EXPECT_EQ(written("[1]"), "[1]");
  EXPECT_EQ(reader.error(), "");
}

TEST_F(json_text, that_does_not_fit_into_memory_is_an_error) {
  const std::string items(600'000, ',');
  std::string text = "[0";
  for (const char comma : items) text += comma, text += '0';
  text += ']';
  EXPECT_NE(failure(text).find("too much memory"), std::string::npos);
}

TEST_F(json_text, finds_members_in_small_and_large_objects) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  ASSERT_TRUE(read(text + "\"\":-1}"));
  for (int i = 0; i < 100; ++i) {
    const value* v = root.find("key" + std::to_string(i));
    ASSERT_NE(v, nullptr) << i;
    EXPECT_EQ(v->integer, i);
  }
  EXPECT_EQ(root.find("")->integer, -1);
  EXPECT_EQ(root.find("key100"), nullptr);
  EXPECT_EQ(root.find("zzz"), nullptr);
}

TEST(arena_memory, is_kept_after_a_reset_and_given_back_by_trim) {
  arena memory(1 << 20);
  char* first = memory.make<char>(100);
  memory.make<char>(50'000);
  memory.reset();
  EXPECT_EQ(memory.make<char>(100), first);
  memory.trim(arena::first_block);
  EXPECT_EQ(memory.make<char>(100), first);
  EXPECT_THROW(memory.make<char>(2 << 20), limit_exceeded);
  memory.trim(0);
  EXPECT_NE(memory.make<char>(1), nullptr);
}

TEST(arena_memory, holds_no_more_than_its_limit) {
  arena memory(100'000);
  std::size_t taken = 0;
  EXPECT_THROW(
      for (;;) {
        memory.make<char>(1'000);
        taken += 1'000;
      },
      limit_exceeded);
  EXPECT_GE(taken, 50'000u);
  EXPECT_LE(taken, 400'000u);
  memory.reset();
  EXPECT_NE(memory.make<char>(1'000), nullptr);
}

}  // namespace
}  // namespace flagserver
