// SPDX-License-Identifier: Apache-2.0
// Rules and data put together at random, most of them senseless. Whatever they are, running them ends, gives the same
// result twice, and agrees with what JavaScript's definitions say must hold between operators. Under the sanitizers
// this is also the search for a rule that reads what is not there.
#include <array>
#include <random>
#include <string>

#include "rules.hpp"

namespace flagserver {
namespace {

constexpr unsigned seed = 20261123;
constexpr int rounds = 4'000;

class generator {
 public:
  explicit generator(unsigned s) : random_(s) {}

  std::string value(int depth) {
    switch (pick(depth > 0 ? 9 : 7)) {
      case 0: return "null";
      case 1: return pick(2) ? "true" : "false";
      case 2: return std::to_string(static_cast<int>(pick(20)) - 5);
      case 3: return numbers_[pick(numbers_.size())];
      case 4:
      case 5:
      case 6: return texts_[pick(texts_.size())];
      case 7: return list(depth, [&] { return value(depth - 1); });
      default: {
        std::string out = "{";
        for (std::size_t n = pick(4), i = 0; i < n; ++i) out += (i ? "," : "") + key() + ":" + value(depth - 1);
        return out + "}";
      }
    }
  }

  std::string rule(int depth) {
    if (depth == 0 || pick(5) == 0) return pick(2) ? value(1) : "{\"var\":" + path() + "}";
    if (pick(12) == 0) return list(depth, [&] { return rule(depth - 1); });
    const std::string name = operators_[pick(operators_.size())];
    return "{\"" + name + "\":" + (pick(6) ? list(depth, [&] { return rule(depth - 1); }) : rule(depth - 1)) + "}";
  }

  std::size_t pick(std::size_t n) { return random_() % n; }

 private:
  template <class Item>
  std::string list(int, Item item) {
    std::string out = "[";
    for (std::size_t n = pick(5), i = 0; i < n; ++i) out += (i ? "," : "") + item();
    return out + "]";
  }
  std::string key() { return "\"" + std::string(1, static_cast<char>('a' + pick(4))) + "\""; }
  std::string path() { return paths_[pick(paths_.size())]; }

  std::mt19937 random_;
  static constexpr std::array<const char*, 8> numbers_ = {
      "1.5", "-0.25", "1e300", "-1e-300", "9007199254740993", "18446744073709551615", "1e19", "2147483647"};
  static constexpr std::array<const char*, 12> texts_ = {"\"\"",
                                                         "\"a\"",
                                                         "\"1\"",
                                                         "\" 12 \"",
                                                         "\"0x1f\"",
                                                         "\"1.2.3-rc.1\"",
                                                         "\"v2\"",
                                                         "\"a.b\"",
                                                         "\"\xC3\xA9\xF0\x9F\x98\x80x\"",
                                                         "\"\\\"q\\\"\"",
                                                         "\"targetingKey\"",
                                                         "\">=\""};
  static constexpr std::array<const char*, 12> paths_ = {"\"\"",
                                                         "\"a\"",
                                                         "\"b\"",
                                                         "\"a.b\"",
                                                         "\"c.0\"",
                                                         "\"c.1.a\"",
                                                         "0",
                                                         "null",
                                                         "\"current\"",
                                                         "\"accumulator\"",
                                                         "\"$flagd.flagKey\"",
                                                         "[\"d\",1]"};
  static constexpr std::array<const char*, 40> operators_ = {
      "if",  "?:",   "and",     "or",           "!",    "!!",         "==",      "===",
      "!=",  "!==",  "<",       "<=",           ">",    ">=",         "+",       "-",
      "*",   "/",    "%",       "min",          "max",  "in",         "var",     "cat",
      "log", "map",  "missing", "missing_some", "all",  "substr",     "in",      "merge",
      "cat", "none", "filter",  "reduce",       "some", "fractional", "sem_ver", "starts_with"};
};

TEST(random_rules, end_and_give_the_same_result_twice) {
  generator random(seed);
  int results = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::string rule = random.rule(5), data = random.value(3);
    for (const auto version : {fractional_version::v2, fractional_version::v3}) {
      const std::string answer = logic_answer(rule, data, version);
      ASSERT_EQ(logic_answer(rule, data, version), answer) << rule << " on " << data << ", seed " << seed;
      results += answer.starts_with("\"result\":");
      ASSERT_TRUE(answer.starts_with("\"result\":") || answer.starts_with("\"error\":")) << answer;
    }
  }
  EXPECT_GT(results, rounds);  // the search is no good if nearly all of them fail
}

TEST(random_rules, keep_what_must_hold_between_operators) {
  generator random(seed + 1);
  for (int i = 0; i < rounds; ++i) {
    const std::string a = random.rule(2), b = random.rule(2), data = random.value(3);
    // which of two failing arguments is reported depends on their order
    const auto of = [&](const std::string& name, const std::string& arguments) {
      const std::string answer = result_of("{\"" + name + "\":[" + arguments + "]}", data);
      return answer.starts_with("\"error\"") ? "error" : answer;
    };
    const auto both = [&](const char* name) { return of(name, a + "," + b); };
    const auto swapped = [&](const char* name) { return of(name, b + "," + a); };
    const auto opposite = [](const std::string& answer) -> std::string {
      return answer == "true" ? "false" : answer == "false" ? "true" : answer;
    };
    SCOPED_TRACE(a + " and " + b + " on " + data);
    ASSERT_EQ(both("!="), opposite(both("==")));
    ASSERT_EQ(both("!=="), opposite(both("===")));
    ASSERT_TRUE(both("===") != "true" || both("==") == "true");
    ASSERT_EQ(both("<"), swapped(">"));
    ASSERT_EQ(both("<="), swapped(">="));
    ASSERT_TRUE(both("<") != "true" || both("<=") == "true");
    ASSERT_EQ(both("=="), swapped("=="));
    ASSERT_EQ(of("!", a), opposite(of("!!", a)));
  }
}

TEST(random_rules, in_flags_answer_with_a_status_that_the_protocol_has) {
  generator random(seed + 2);
  for (int i = 0; i < rounds / 8; ++i) {
    std::string text = R"({"flags":{)";
    for (int n = 0; n < 8; ++n) {
      text += (n ? ",\"f" : "\"f") + std::to_string(n) +
              R"(":{"state":"ENABLED","variants":{"a":1,"true":2,"1":3},"defaultVariant":"a","targeting":{"if":[)" +
              random.rule(4) + "," + random.rule(4) + "," + random.rule(3) + "]}}";
    }
    const auto flags = sound_flags(text + "}}");
    ASSERT_TRUE(flags) << text;
    evaluation e;
    ASSERT_TRUE(e.read_request("{\"context\":" + random.value(3) + "}"));
    for (int n = 0; n < 8; ++n) {
      std::string body;
      const int status = e.evaluate(*flags, {}, "f" + std::to_string(n), body);
      ASSERT_TRUE(status == 200 || status == 400) << body;
      arena memory(1 << 20);
      value root;
      ASSERT_TRUE(json_reader().read(body, memory, 64, root)) << body;
    }
  }
}

TEST(random_texts, are_parsed_or_refused) {
  std::mt19937 random(seed + 3);
  const std::string alphabet = "{}[]:,\"\\ \n0123456789.eE+-truefalsn&*<!|>#'%@`?~abc\xC3\xA9";
  for (int i = 0; i < rounds; ++i) {
    std::string text;
    for (std::size_t n = random() % 60; n > 0; --n) text += alphabet[random() % alphabet.size()];
    for (const auto format : {text_format::json, text_format::yaml}) {
      const auto [flags, diagnostics] = parse_flags(text, format, fractional_version::v2);
      ASSERT_TRUE(flags || !diagnostics.empty()) << text;
    }
  }
}

}  // namespace
}  // namespace flagserver
