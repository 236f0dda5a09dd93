// SPDX-License-Identifier: Apache-2.0
// Every operator on cases of its own: the ordinary, the empty, and where JavaScript bends types.
#include <string>

#include "rules.hpp"

namespace flagserver {
namespace {

struct logic_case {
  const char* rule;
  const char* data;
  const char* result;
};

template <std::size_t N>
void expect_all(const logic_case (&cases)[N]) {
  for (const logic_case& c : cases) EXPECT_EQ(result_of(c.rule, c.data), c.result) << c.rule << " on " << c.data;
}

TEST(jsonlogic, leaves_values_alone) {
  expect_all({{"7", "{}", "7"},
              {"\"text\"", "{}", "\"text\""},
              {"null", "{}", "null"},
              {"[1,\"a\",[true]]", "{}", "[1,\"a\",[true]]"},
              {"{}", "{}", "{}"},
              {R"({"a":1,"b":{"var":"x"}})", R"({"x":1})", R"({"a":1,"b":{"var":"x"}})"}});
}

TEST(jsonlogic, runs_the_rules_in_an_array) {
  expect_all({{R"([1,{"var":"x"},{"+":[1,1]}])", R"({"x":"y"})", R"([1,"y",2])"}});
}

TEST(jsonlogic, var_follows_paths) {
  expect_all({{R"({"var":"a"})", R"({"a":1})", "1"},
              {R"({"var":["a"]})", R"({"a":1})", "1"},
              {R"({"var":"a.b.c"})", R"({"a":{"b":{"c":[1,2]}}})", "[1,2]"},
              {R"({"var":"a.1.b"})", R"({"a":[0,{"b":"x"}]})", "\"x\""},
              {R"({"var":1})", "[10,20]", "20"},
              {R"({"var":"01"})", "[10,20]", "null"},
              {R"({"var":"2"})", "[10,20]", "null"},
              {R"({"var":"-1"})", "[10,20]", "null"},
              {R"({"var":""})", R"({"a":1})", R"({"a":1})"},
              {R"({"var":[]})", "5", "5"},
              {R"({"var":null})", "5", "5"},
              {R"({"var":"a"})", "null", "null"},
              {R"({"var":"a.b"})", R"({"a":"text"})", "null"},
              {R"({"var":"a..b"})", R"({"a":{"":{"b":1}}})", "1"},
              {R"({"var":{"cat":["a",".","b"]}})", R"({"a":{"b":7}})", "7"},
              {R"({"var":{"var":"name"}})", R"({"name":"age","age":30})", "30"},
              {R"({"var":true})", R"({"true":1})", "1"}});
}

TEST(jsonlogic, var_has_a_default_for_what_is_absent_but_not_for_null) {
  expect_all({{R"({"var":["a",5]})", "{}", "5"},
              {R"({"var":["a.b",5]})", R"({"a":{}})", "5"},
              {R"({"var":["a",5]})", R"({"a":null})", "null"},
              {R"({"var":["a",{"var":"b"}]})", R"({"b":6})", "6"},
              {R"({"var":[{"var":"name"},"none"]})", R"({"name":"x"})", "\"none\""}});
}

TEST(jsonlogic, missing_and_missing_some_name_what_is_absent_null_or_empty) {
  expect_all({{R"({"missing":["a","b","c","d"]})", R"({"a":1,"b":null,"c":""})", R"(["b","c","d"])"},
              {R"({"missing":"a"})", "{}", R"(["a"])"},
              {R"({"missing":[["a","b"],"c"]})", R"({"a":0})", R"(["b"])"},
              {R"({"missing":{"merge":["a",["b"]]}})", "{}", R"(["a","b"])"},
              {R"({"missing":[]})", "{}", "[]"},
              {R"({"missing":["a.b"]})", R"({"a":{"b":false}})", "[]"},
              {R"({"missing_some":[1,["a","b"]]})", R"({"a":1})", "[]"},
              {R"({"missing_some":[2,["a","b","c"]]})", R"({"a":1})", R"(["b","c"])"},
              {R"({"missing_some":[1,"a"]})", "{}", "[]"}});
}

TEST(jsonlogic, if_takes_the_first_true_branch) {
  expect_all({{R"({"if":[true,"a","b"]})", "{}", "\"a\""},
              {R"({"if":[false,"a","b"]})", "{}", "\"b\""},
              {R"({"if":[false,"a"]})", "{}", "null"},
              {R"({"if":[0,"a","","b",[],"c",null,"d","e"]})", "{}", "\"e\""},
              {R"({"if":[0,"a","0","b"]})", "{}", "\"b\""},
              {R"({"if":[{},"a","b"]})", "{}", "\"a\""},
              {R"({"if":["x"]})", "{}", "\"x\""},
              {R"({"if":[]})", "{}", "null"},
              {R"({"?:":[{"var":"x"},1,2]})", R"({"x":[0]})", "1"}});
}

TEST(jsonlogic, branches_not_taken_are_not_run) {
  expect_all({{R"({"if":[true,1,{"unheard-of":[]}]})", "{}", "1"},
              {R"({"or":[1,{"unheard-of":[]}]})", "{}", "1"},
              {R"({"and":[0,{"unheard-of":[]}]})", "{}", "0"}});
}

TEST(jsonlogic, and_and_or_return_values) {
  expect_all({{R"({"and":[1,"x",[2]]})", "{}", "[2]"},
              {R"({"and":[1,"",[2]]})", "{}", "\"\""},
              {R"({"and":[]})", "{}", "null"},
              {R"({"or":[0,"",[],"x"]})", "{}", "\"x\""},
              {R"({"or":[0,[]]})", "{}", "[]"},
              {R"({"or":[]})", "{}", "null"},
              {R"({"!":[]})", "{}", "true"},
              {R"({"!":[[]]})", "{}", "true"},
              {R"({"!":"0"})", "{}", "false"},
              {R"({"!!":[[0]]})", "{}", "true"},
              {R"({"!!":["0"]})", "{}", "true"},
              {R"({"!!":{}})", "{}", "true"}});
}

TEST(jsonlogic, loose_equality_bends_types_as_javascript_does) {
  expect_all({{R"({"==":[1,"1"]})", "{}", "true"},
              {R"({"==":["1.0",1]})", "{}", "true"},
              {R"({"==":["",0]})", "{}", "true"},
              {R"({"==":[true,1]})", "{}", "true"},
              {R"({"==":[true,"1"]})", "{}", "true"},
              {R"({"==":[true,"true"]})", "{}", "false"},
              {R"({"==":[null,0]})", "{}", "false"},
              {R"({"==":[null,{"var":"x"}]})", "{}", "true"},
              {R"({"==":[[],""]})", "{}", "true"},
              {R"({"==":[[1,2],"1,2"]})", "{}", "true"},
              {R"({"==":[[1],1]})", "{}", "true"},
              {R"({"==":[[1],[1]]})", "{}", "false"},
              {R"({"==":["[object Object]",{"var":""}]})", "{}", "true"},
              {R"({"==":[{"var":""},{"var":""}]})", R"({"a":1})", "true"},
              {R"({"==":["a","b"]})", "{}", "false"},
              {R"({"!=":[1,"2"]})", "{}", "true"},
              {R"({"!=":[1,"1"]})", "{}", "false"}});
}

TEST(jsonlogic, strict_equality_does_not) {
  expect_all({{R"({"===":[1,1.0]})", "{}", "true"},
              {R"({"===":[1,"1"]})", "{}", "false"},
              {R"({"===":[null,null]})", "{}", "true"},
              {R"({"===":[0,false]})", "{}", "false"},
              {R"({"!==":[1,"1"]})", "{}", "true"},
              {R"({"!==":["a","a"]})", "{}", "false"}});
}

TEST(jsonlogic, keeps_large_integers_apart) {
  expect_all({{R"({"==":[{"var":"id"},9007199254740993]})", R"({"id":9007199254740992})", "false"},
              {R"({"<":[{"var":"id"},9007199254740993]})", R"({"id":9007199254740992})", "true"},
              {R"({"in":[18446744073709551615,[18446744073709551614]]})", "{}", "false"}});
}

TEST(jsonlogic, order_compares_texts_with_texts_and_all_else_as_numbers) {
  expect_all({{R"({"<":[1,2]})", "{}", "true"},
              {R"({"<":["10","9"]})", "{}", "true"},
              {R"({"<":["10",9]})", "{}", "false"},
              {R"({"<":["a",1]})", "{}", "false"},
              {R"({">":["a",1]})", "{}", "false"},
              {R"({"<":[null,1]})", "{}", "true"},
              {R"({">=":[null,0]})", "{}", "true"},
              {R"({"<":[1]})", "{}", "false"},
              {R"({">":[1]})", "{}", "false"},
              {R"({"<=":[[2],"10"]})", "{}", "false"},
              {R"({"<=":[2,2]})", "{}", "true"},
              {R"({">":["b","a"]})", "{}", "true"},
              {R"({">=":[true,1]})", "{}", "true"}});
}

TEST(jsonlogic, between_takes_three) {
  expect_all({{R"({"<":[1,2,3]})", "{}", "true"},
              {R"({"<":[1,1,3]})", "{}", "false"},
              {R"({"<=":[1,1,1]})", "{}", "true"},
              {R"({"<=":[1,4,3]})", "{}", "false"},
              {R"({"<":[0,{"var":"t"},100]})", R"({"t":"37"})", "true"}});
}

TEST(jsonlogic, arithmetic_reads_texts_as_numbers) {
  expect_all({{R"({"+":[1,"2",3.5]})", "{}", "6.5"},
              {R"({"+":"3.14"})", "{}", "3.14"},
              {R"({"+":[]})", "{}", "0"},
              {R"({"+":["3 apples"]})", "{}", "3"},
              {R"({"+":[1,"x"]})", "{}", "null"},
              {R"({"-":[5,"2"]})", "{}", "3"},
              {R"({"-":"7"})", "{}", "-7"},
              {R"({"*":[2,"3",4]})", "{}", "24"},
              {R"({"*":["5"]})", "{}", "\"5\""},
              {R"({"/":[7,2]})", "{}", "3.5"},
              {R"({"/":[7,0]})", "{}", "null"},
              {R"({"%":[7,3]})", "{}", "1"},
              {R"({"%":[-7,3]})", "{}", "-1"},
              {R"({"%":[1,0]})", "{}", "null"},
              {R"({"+":[0.1,0.2]})", "{}", "0.30000000000000004"},
              {R"({"max":[1,"3",2]})", "{}", "3"},
              {R"({"min":[1,null,2]})", "{}", "0"},
              {R"({"max":[1,"x"]})", "{}", "null"},
              {R"({"min":[]})", "{}", "null"},
              {R"({"max":5})", "{}", "5"}});
  EXPECT_EQ(logic_answer(R"({"*":[]})", "{}"), R"("error":"no arguments for operator `*`")");
}

TEST(jsonlogic, cat_joins_as_javascript_joins) {
  expect_all({{R"({"cat":["a",1,true,null,2.50]})", "{}", "\"a1true2.5\""},
              {R"({"cat":[]})", "{}", "\"\""},
              {R"({"cat":"x"})", "{}", "\"x\""},
              {R"({"cat":["<",[1,[2,null]],">"]})", "{}", "\"<1,2,>\""},
              {R"({"cat":[{"var":""}]})", R"({"a":1})", "\"[object Object]\""},
              {R"({"cat":["n=",{"/":[1,3]}]})", "{}", "\"n=0.3333333333333333\""},
              {R"({"cat":["a",{"cat":["b",{"cat":["c"]}]}]})", "{}", "\"abc\""}});
}

TEST(jsonlogic, substr_counts_characters_and_from_the_end) {
  expect_all({{R"({"substr":["jsonlogic",4]})", "{}", "\"logic\""},
              {R"({"substr":["jsonlogic",-5]})", "{}", "\"logic\""},
              {R"({"substr":["jsonlogic",1,3]})", "{}", "\"son\""},
              {R"({"substr":["jsonlogic",4,-2]})", "{}", "\"log\""},
              {R"({"substr":["jsonlogic",-5,-2]})", "{}", "\"log\""},
              {R"({"substr":["abc",5]})", "{}", "\"\""},
              {R"({"substr":["abc",-9]})", "{}", "\"abc\""},
              {R"({"substr":["abc",1,-9]})", "{}", "\"\""},
              {R"({"substr":["abc",0,1e300]})", "{}", "\"abc\""},
              {R"({"substr":[12345,1,2]})", "{}", "\"23\""},
              {"{\"substr\":[\"\xC3\xA4\xC3\xB6\xC3\xBC\",1,1]}", "{}", "\"\xC3\xB6\""},
              {R"({"substr":["abc"]})", "{}", "\"abc\""}});
}

TEST(jsonlogic, in_looks_into_texts_and_arrays) {
  expect_all({{R"({"in":["b","abc"]})", "{}", "true"},
              {R"({"in":["",""]})", "{}", "false"},
              {R"({"in":[1,"123"]})", "{}", "true"},
              {R"({"in":[1,[1,2]]})", "{}", "true"},
              {R"({"in":["1",[1,2]]})", "{}", "false"},
              {R"({"in":[null,[1,null]]})", "{}", "true"},
              {R"({"in":["a",null]})", "{}", "false"},
              {R"({"in":["a",{"var":""}]})", R"({"a":1})", "false"},
              {R"({"in":["a"]})", "{}", "false"}});
}

TEST(jsonlogic, in_answers_the_same_for_long_lists_that_are_sorted_at_compile_time) {
  const std::string list = R"(["delta","alpha","echo","bravo","","golf","charlie","foxtrot","bravo","hotel"])";
  for (const char* there : {"alpha", "hotel", "delta", "", "bravo"}) {
    EXPECT_EQ(result_of(R"({"in":[{"var":"x"},)" + list + "]}", R"({"x":")" + std::string(there) + "\"}"), "true")
        << there;
  }
  for (const char* absent : {"\"alph\"", "\"alphaa\"", "\"zulu\"", "\"Alpha\"", "1", "null", "[\"alpha\"]"}) {
    EXPECT_EQ(result_of(R"({"in":[{"var":"x"},)" + list + "]}", R"({"x":)" + std::string(absent) + "}"), "false")
        << absent;
  }
}

TEST(jsonlogic, merge_flattens_one_level) {
  expect_all({{R"({"merge":[[1,2],3,[[4]],[]]})", "{}", "[1,2,3,[4]]"},
              {R"({"merge":[]})", "{}", "[]"},
              {R"({"merge":1})", "{}", "[1]"}});
}

TEST(jsonlogic, map_filter_and_reduce_see_each_item_as_their_data) {
  expect_all(
      {{R"({"map":[{"var":"n"},{"*":[{"var":""},2]}]})", R"({"n":[1,2,3]})", "[2,4,6]"},
       {R"({"map":[{"var":"users"},{"var":"name"}]})", R"({"users":[{"name":"a"},{}]})", "[\"a\",null]"},
       {R"({"map":[{"var":"x"},1]})", "{}", "[]"},
       {R"({"filter":[{"var":"n"},{">":[{"var":""},1]}]})", R"({"n":[1,2,3]})", "[2,3]"},
       {R"({"filter":["text",true]})", "{}", "[]"},
       {R"({"reduce":[{"var":"n"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]})", R"({"n":[1,2,3]})", "6"},
       {R"({"reduce":[{"var":"none"},{"var":"current"},"start"]})", "{}", "\"start\""},
       {R"({"reduce":[[],1]})", "{}", "null"},
       {R"({"reduce":[[1,2],{"var":""},0]})", "{}", R"({"accumulator":{"accumulator":0,"current":1},"current":2})"},
       {R"({"map":[[1,2],{"map":[[10],{"var":""}]}]})", "{}", "[[10],[10]]"}});
}

TEST(jsonlogic, all_some_and_none_know_about_empty_arrays) {
  expect_all({{R"({"all":[[1,2],{">":[{"var":""},0]}]})", "{}", "true"},
              {R"({"all":[[1,-2],{">":[{"var":""},0]}]})", "{}", "false"},
              {R"({"all":[[],true]})", "{}", "false"},
              {R"({"some":[[1,-2],{"<":[{"var":""},0]}]})", "{}", "true"},
              {R"({"some":[[],true]})", "{}", "false"},
              {R"({"some":[null,true]})", "{}", "false"},
              {R"({"none":[[1,2],{"<":[{"var":""},0]}]})", "{}", "true"},
              {R"({"none":[[1,-2],{"<":[{"var":""},0]}]})", "{}", "false"},
              {R"({"none":[[],true]})", "{}", "true"},
              {R"({"none":[null,true]})", "{}", "true"}});
}

TEST(jsonlogic, log_passes_its_argument_on) {
  expect_all({{R"({"log":"x"})", "{}", "\"x\""}, {R"({"log":[]})", "{}", "null"}});
}

TEST(jsonlogic, starts_with_and_ends_with_take_two_texts) {
  expect_all({{R"({"starts_with":["flagserver","flag"]})", "{}", "true"},
              {R"({"starts_with":["flag","flagserver"]})", "{}", "false"},
              {R"({"ends_with":[{"var":"email"},"@example.com"]})", R"({"email":"ada@example.com"})", "true"},
              {R"({"ends_with":["x",""]})", "{}", "true"},
              {R"({"ends_with":{"var":"both"}})", R"({"both":["ab","b"]})", "true"},
              {R"({"starts_with":["1",1]})", "{}", "null"},
              {R"({"starts_with":["a"]})", "{}", "null"},
              {R"({"starts_with":["a","a","a"]})", "{}", "null"},
              {R"({"ends_with":"a"})", "{}", "null"},
              {R"({"ends_with":[null,"a"]})", "{}", "null"}});
}

TEST(jsonlogic, sem_ver_compares_and_gives_null_for_what_is_no_version) {
  expect_all({{R"({"sem_ver":["1.2.3",">=","1.2.0"]})", "{}", "true"},
              {R"({"sem_ver":[{"var":"v"},"^","1.0.0"]})", R"({"v":"v1.9"})", "true"},
              {R"({"sem_ver":[1,"=","1.0.0"]})", "{}", "true"},
              {R"({"sem_ver":[1.5,"<","1.6"]})", "{}", "true"},
              {R"({"sem_ver":[null,"=","1.0.0"]})", "{}", "null"},
              {R"({"sem_ver":["1.0","=="," 1.0"]})", "{}", "null"},
              {R"({"sem_ver":["1.0","="]})", "{}", "null"},
              {R"({"sem_ver":"1.0"})", "{}", "null"},
              {R"({"sem_ver":["2.0.0.0","=","2.0.0"]})", "{}", "null"}});
}

TEST(jsonlogic, an_operator_that_nobody_knows_is_an_error_that_names_it) {
  EXPECT_EQ(logic_answer(R"({"frobnicate":[1]})", "{}"), R"("error":"unknown operator `frobnicate`")");
  EXPECT_EQ(logic_answer(R"({"if":[{"==":[1,{"frobnicate":1}]},1,2]})", "{}"),
            R"("error":"unknown operator `frobnicate`")");
  EXPECT_EQ(logic_answer(R"({"map":[[1],{"":1}]})", "{}"), R"("error":"unknown operator ``")");
}

// ---- bounds ----

std::string nested(std::size_t depth, const std::string& open, const std::string& inner, const std::string& close) {
  std::string out;
  for (std::size_t i = 0; i < depth; ++i) out += open;
  out += inner;
  for (std::size_t i = 0; i < depth; ++i) out += close;
  return out;
}

TEST(jsonlogic_bounds, deep_rules_run_up_to_the_limit_and_beyond_it_are_an_error) {
  EXPECT_EQ(result_of(nested(250, "{\"!\":[", "1", "]}")), "true");
  EXPECT_EQ(logic_answer(nested(100'000, "{\"!\":[", "1", "]}"), "1").substr(0, 8), "\"error\":");
  EXPECT_EQ(logic_answer("1", nested(100'000, "[", "", "]")).substr(0, 8), "\"error\":");
}

TEST(jsonlogic_bounds, data_that_a_rule_nests_too_deep_is_an_error) {
  const std::string many = "[" + nested(5'000, "1,", "1", "") + "]";
  const std::string nest = R"({"reduce":[{"var":""},[{"var":"accumulator"}],[]]})";
  EXPECT_EQ(logic_answer(nest, many), R"("error":"nested too deep")");
  EXPECT_EQ(logic_answer(R"({"cat":)" + nest + "}", many), R"("error":"nested too deep")");
  EXPECT_EQ(result_of(R"({"==":[)" + nest + ",\"x\"]}", many), R"("error":"nested too deep")");
  EXPECT_EQ(result_of(R"({"==":[)" + nest + ",[]]}", many), "false");
  EXPECT_EQ(result_of(R"({"+":[)" + nest + "]}", many), "null");
}

TEST(jsonlogic_bounds, a_rule_that_doubles_its_text_is_stopped) {
  const std::string items = "[" + nested(60, "1,", "1", "") + "]";
  const std::string doubled = R"({"var":"accumulator"},{"var":"accumulator"})";
  EXPECT_EQ(logic_answer(R"({"reduce":[{"var":""},{"cat":[)" + doubled + R"(]},"x"]})", items).substr(0, 8),
            "\"error\":");
  EXPECT_EQ(logic_answer(R"({"reduce":[{"var":""},{"merge":[)" + doubled + R"(]},[1]]})", items).substr(0, 8),
            "\"error\":");
}

TEST(jsonlogic_bounds, a_rule_of_very_many_steps_is_stopped) {
  const std::string items = "[" + nested(999, "1,", "1", "") + "]";
  const std::string all = R"({"all":[[)" + items.substr(1) + ",";
  EXPECT_EQ(logic_answer(all + all + all + "1]}]}]}", "null"), R"("error":"too many steps")");
}

}  // namespace
}  // namespace flagserver
