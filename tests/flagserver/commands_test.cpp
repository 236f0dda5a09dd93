// SPDX-License-Identifier: Apache-2.0
// The commands check, eval and logic, from what they read to what they print.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "flagserver/check.hpp"
#include "flagserver/eval.hpp"
#include "flagserver/logic.hpp"

namespace flagserver {
namespace {

class commands : public testing::Test {
 protected:
  commands() {
    std::string name = (std::filesystem::temp_directory_path() / "flagserver_commands_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    folder_ = name;
  }
  ~commands() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string without_folder(std::string text) const {
    for (std::size_t at = 0; (at = text.find(folder_.string() + "/")) != std::string::npos;)
      text.erase(at, folder_.string().size() + 1);
    return text;
  }
  std::string checked(const std::string& path, int expected_status) {
    std::ostringstream out;
    EXPECT_EQ(check(path, fractional_version::v2, out), expected_status);
    return without_folder(out.str());
  }
  std::string evaluated(const eval_options& options, const std::string& lines) {
    std::istringstream in(lines);
    std::ostringstream out, problems;
    status_ = eval(options, in, out, problems);
    problems_ = without_folder(problems.str());
    return out.str();
  }

  std::filesystem::path folder_;
  int status_ = -1;
  std::string problems_;
};

constexpr std::string_view good = R"({"flags":{"f":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"},
  "m":{"state":"ENABLED","variants":{"on":true},"metadata":{"flagSetId":"mobile"}}}})";

TEST_F(commands, check_sums_up_a_good_file) {
  const std::string out = checked(file("good.json", good), 0);
  EXPECT_EQ(out.substr(0, 29), "good.json: 2 flags, revision ");
  EXPECT_EQ(out.substr(45), ", 0 errors, 0 warnings\n");
}

TEST_F(commands, check_points_at_an_error_and_fails) {
  EXPECT_EQ(checked(file("bad.json",
                         "{\"flags\": {\"f\": {\n  \"state\": \"ENABLD\",\n  \"x\": 1, \"variants\": {\"a\": 1}\n}}}"),
                    1),
            "bad.json:2:12: error: `state` is \"ENABLED\" or \"DISABLED\"\n"
            "    2 |   \"state\": \"ENABLD\",\n"
            "      |            ^\n"
            "bad.json:3:3: warning: flag `f` has no field `x`: it is ignored\n"
            "    3 |   \"x\": 1, \"variants\": {\"a\": 1}\n"
            "      |   ^\n"
            "bad.json: 1 error, 1 warning\n");
}

TEST_F(commands, check_reads_yaml_by_the_name_of_the_file) {
  constexpr std::string_view yaml = "flags:\n  f:\n    state: DISABLED\n    variants: {a: 1}\n";
  EXPECT_NE(checked(file("flags.yaml", yaml), 0).find("1 flag, "), std::string::npos);
  EXPECT_NE(checked(file("flags.yml", yaml), 0).find("1 flag, "), std::string::npos);
  EXPECT_NE(checked(file("flags.json", yaml), 1).find("flags.json:1:1: error: not JSON"), std::string::npos);
}

TEST_F(commands, check_says_why_a_file_cannot_be_read) {
  std::ostringstream out;
  const std::string absent = (folder_ / "absent.json").string();
  try {
    check(absent, fractional_version::v2, out);
    FAIL() << "read a file that does not exist";
  } catch (const std::system_error& failure) {
    EXPECT_EQ(without_folder(failure.what()), "cannot read absent.json: No such file or directory");
  }
  EXPECT_THROW(check(folder_.string(), fractional_version::v2, out), std::system_error);
}

TEST_F(commands, eval_answers_each_line_in_order) {
  EXPECT_EQ(
      evaluated({.flags = file("good.json", good)},
                "{\"flagKey\":\"f\",\"context\":{\"targetingKey\":\"u\"}}\n\n{\"flagKey\":\"nope\"}\r\n{\"flagKey\":"
                "\"m\",\"context\":null}"),
      R"({"status":200,"body":{"key":"f","reason":"STATIC","value":true,"variant":"on"}})"
      "\n"
      R"({"status":404,"body":{"key":"nope","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag of this key"}})"
      "\n"
      R"({"status":200,"body":{"key":"m","reason":"DEFAULT","metadata":{"flagSetId":"mobile"}}})"
      "\n");
  EXPECT_EQ(status_, 0);
}

TEST_F(commands, eval_answers_broken_lines_too) {
  const std::string out =
      evaluated({.flags = file("good.json", good)},
                "{\"flagKey\":\n[]\n{\"flagKey\":7}\n\"f\"\n" + std::string(10'000, '[') + "\n{\"flagKey\":\"f\"}\n");
  std::istringstream lines(out);
  std::string line;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line.substr(0, 60), R"({"status":400,"body":{"errorCode":"INVALID_CONTEXT","errorDe)");
  }
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line.substr(0, 14), R"({"status":200,)");
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(commands, eval_selects_and_says_what_it_cannot_select) {
  EXPECT_EQ(evaluated({.flags = file("good.json", good), .selector = "flagSetId=mobile"}, "{\"flagKey\":\"f\"}\n")
                .substr(0, 13),
            R"({"status":404)");
  EXPECT_EQ(evaluated({.flags = file("good.json", good), .selector = "x=y"}, "{\"flagKey\":\"f\"}\n"), "");
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(problems_, "Flagd-Selector: `x=y` is neither flagSetId=... nor source=...\n");
}

TEST_F(commands, eval_does_not_start_with_a_bad_file) {
  EXPECT_EQ(evaluated({.flags = file("bad.json", "{")}, "{\"flagKey\":\"f\"}\n"), "");
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(problems_.substr(0, 19), "bad.json:1:2: error");
}

TEST_F(commands, logic_answers_each_line_in_order) {
  std::istringstream in(
      "{\"rule\":{\"+\":[1,{\"var\":\"x\"}]},\"data\":{\"x\":2}}\n\nnonsense\n{\"data\":1}\n{\"rule\":{\"nope\":1}}\n{"
      "\"rule\":{\"var\":\"\"}}\n");
  std::ostringstream out;
  EXPECT_EQ(logic(fractional_version::v2, in, out), 0);
  EXPECT_EQ(out.str(),
            "{\"result\":3}\n"
            "{\"error\":\"column 1: not JSON: syntax error\"}\n"
            "{\"error\":\"a line is an object with a rule and data\"}\n"
            "{\"error\":\"unknown operator `nope`\"}\n"
            "{\"result\":null}\n");
}

}  // namespace
}  // namespace flagserver
