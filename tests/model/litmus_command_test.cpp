// The command `acqrel litmus`: what it writes where, and its exit status.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "model/litmus/corpus.hpp"
#include "model/litmus/random.hpp"
#include "tools/litmus.hpp"

namespace {

using acqrel::model::litmus::corpus;
using acqrel::model::litmus::random_program;

struct ran {
  int status;
  std::string out, errors;
};

ran command(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::istringstream in(input);
  std::ostringstream out, errors;
  std::streambuf* const streams[] = {std::cin.rdbuf(in.rdbuf()), std::cout.rdbuf(out.rdbuf()),
                                     std::cerr.rdbuf(errors.rdbuf())};
  const int status = acqrel::tools::litmus(arguments);
  std::cin.rdbuf(streams[0]);
  std::cout.rdbuf(streams[1]);
  std::cerr.rdbuf(streams[2]);
  return {status, out.str(), errors.str()};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

class litmus_command : public testing::Test {
 protected:
  litmus_command() {
    std::string name = (std::filesystem::temp_directory_path() / "acqrel-litmus-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~litmus_command() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  std::filesystem::path directory_;
};

const std::string sb =
    "C SB\n{ x = 0; y = 0; }\n"
    "P0 (atomic_int* x, atomic_int* y) { atomic_store_explicit(x, 1, memory_order_release); int r0 = "
    "atomic_load_explicit(y, memory_order_acquire); }\n"
    "P1 (atomic_int* x, atomic_int* y) { atomic_store_explicit(y, 1, memory_order_release); int r0 = "
    "atomic_load_explicit(x, memory_order_acquire); }\n"
    "exists (0:r0=0 /\\ 1:r0=0)\n";
const std::string race = "C race\n{}\nP0 (int* x) {\n  *x = 1;\n}\nP1 (int* x) {\n  int r = *x;\n}\n~exists (1:r=1)\n";
const std::string wrong = "C wrong\n{}\nP0 (int* x) { *x 1; }\n";

TEST_F(litmus_command, prints_what_herd_prints) {
  const ran r = command({"-"}, sb);
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out,
            "Test SB Allowed\nStates 4\n0:r0=0; 1:r0=0;\n0:r0=0; 1:r0=1;\n0:r0=1; 1:r0=0;\n0:r0=1; 1:r0=1;\nOk\n"
            "Witnesses\nPositive: 1 Negative: 3\nCondition exists (0:r0=0 /\\ 1:r0=0)\nObservation SB Sometimes 1 3\n");
  EXPECT_EQ(r.errors, "");
}

TEST_F(litmus_command, names_both_sides_of_a_race) {
  const std::string path = file("race.litmus", race);
  const ran r = command({path});
  EXPECT_EQ(r.status, 0);
  EXPECT_NE(r.out.find("Flag: data race, so C++ says nothing of this program: the plain write of x by P0 at " + path +
                       ":4:3, and the plain read of x by P1 at " + path + ":7:11"),
            std::string::npos)
      << r.out;
  EXPECT_NE(r.out.find("Test race Forbidden"), std::string::npos);
  EXPECT_NE(r.out.find("No\nWitnesses\nPositive: 1 Negative: 1\n"), std::string::npos) << r.out;
}

TEST_F(litmus_command, writes_json_for_every_file_in_order_whatever_is_wrong_with_one) {
  file("a/2.litmus", race);
  file("a/1.litmus", sb);
  file("a/3.litmus", wrong);
  file("a/notes.txt", "not a test");
  const ran r = command({"--json", (directory_ / "a").string(), (directory_ / "none").string(), "LB+rlx"});
  EXPECT_EQ(r.status, 2);
  std::vector<std::string> lines;
  std::istringstream in(r.out);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 7u) << r.out;
  EXPECT_EQ(lines.front(), "[");
  EXPECT_EQ(lines.back(), "]");
  const auto has = [&](std::size_t line, const std::string& part) {
    EXPECT_NE(lines[line].find(part), std::string::npos) << part << " not in " << lines[line];
  };
  has(1, "{\"name\": \"SB\"");
  has(1,
      "\"verdict\": \"Sometimes\", \"executions\": 4, \"states\": [\"0:r0=0; 1:r0=0;\", \"0:r0=0; 1:r0=1;\", "
      "\"0:r0=1; 1:r0=0;\", \"0:r0=1; 1:r0=1;\"], \"race\": false");
  has(2, "{\"name\": \"race\"");
  has(2, "\"race\": true");
  has(3, "3.litmus:3:18: expected");
  has(3, "\\u000a  P0 (int* x) { *x 1; }\\u000a");
  has(4, "\"error\": ");
  has(5, "\"name\": \"LB+rlx\"");
  has(5, "\"verdict\": \"Never\", \"executions\": 3");
  has(5, "\"iso\": \"Sometimes\", \"iso_executions\": 4");
  EXPECT_EQ(count(r.out, "\"iso\""), 1u);
}

TEST_F(litmus_command, writes_json_that_is_utf8_whatever_bytes_a_file_has) {
  const ran r = command({"--json", "-"}, "C t\n{}\nP0 (int* x) { \xc3\xa9 \xff\xed\xa0\x80 \t\"\\ }\n");
  EXPECT_NE(r.out.find("\xc3\xa9 \\ufffd\\ufffd\\ufffd\\ufffd \\u0009\\\"\\\\"), std::string::npos) << r.out;
}

TEST_F(litmus_command, reads_files_of_other_systems) {
  std::string text = "\xef\xbb\xbf" + sb;
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) text.insert(at, "\r");
  EXPECT_EQ(command({"-"}, text).out, command({"-"}, sb).out);
}

TEST_F(litmus_command, goes_on_after_a_file_that_can_not_be_read) {
  const ran r = command({file("wrong.litmus", wrong), file("sb.litmus", sb)});
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.errors.find("wrong.litmus:3:18: expected"), std::string::npos) << r.errors;
  EXPECT_EQ(r.out.find("Test SB"), 0u);
}

TEST_F(litmus_command, tells_load_buffering_by_the_letter_from_the_default) {
  const ran r = command({"LB+rlx"});
  EXPECT_NE(r.out.find("Observation LB+rlx Never 0 3\nLetter of ISO C++20: LB+rlx Sometimes 1 3"), std::string::npos)
      << r.out;
  EXPECT_NE(command({"LB+rlx", "--model", "iso"}).out.find("Observation LB+rlx Sometimes 1 3\nModel iso\n"),
            std::string::npos);
  EXPECT_NE(command({"SB+rlx", "--model=sc"}).out.find("Observation SB+rlx Never 0 3\nModel sc\n"), std::string::npos);
  EXPECT_EQ(command({"SB+rlx"}).out.find("Letter"), std::string::npos);
}

TEST_F(litmus_command, gives_a_line_to_each_test_of_a_family) {
  const ran r = command({"SB"});
  EXPECT_EQ(count(r.out, "\n"), 13u) << r.out;
  EXPECT_NE(r.out.find("SB+sc                 Never      0 of 3"), std::string::npos) << r.out;
}

TEST_F(litmus_command, checks_what_a_test_states_if_asked) {
  EXPECT_EQ(command({"--check", "-"}, sb).status, 0);
  EXPECT_EQ(command({"--check", "-"}, race).status, 1);
  EXPECT_EQ(command({"-"}, race).status, 0);
}

TEST_F(litmus_command, draws_the_outcome_or_says_that_there_is_none) {
  EXPECT_NE(command({"SB+ra", "--show"}).out.find("rb"), std::string::npos);
  EXPECT_NE(command({"SB+sc", "--show"}).out.find("there is nothing to show"), std::string::npos);
  const ran svg = command({"--show", "svg", "SB+ra"});
  EXPECT_EQ(svg.status, 0);
  EXPECT_EQ(svg.out.find("<svg"), 0u);
  EXPECT_EQ(command({"--show=svg", "SB+sc"}).status, 2);
  EXPECT_EQ(command({"--show=svg", "SB"}).status, 2);
}

TEST_F(litmus_command, explains_lists_and_prints_the_built_in_tests) {
  const ran list = command({"--list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_NE(list.out.find("IRIW+rel+sc"), std::string::npos);
  EXPECT_NE(command({"--explain", "MP"}).out.find("message passing"), std::string::npos);
  EXPECT_EQ(command({"--explain", "nonsense"}).status, 2);
  const std::string text = command({"--print", "SB+ra"}).out;
  EXPECT_EQ(text.find("C SB+ra"), 0u);
  EXPECT_EQ(command({"-"}, text).out, command({"SB+ra"}).out);
}

TEST_F(litmus_command, says_what_is_wrong_with_a_command_line) {
  for (const std::vector<std::string>& wrong_line : std::vector<std::vector<std::string>>{{},
                                                                                          {"--nothing"},
                                                                                          {"--model", "tso"},
                                                                                          {"--model"},
                                                                                          {"--unroll", "x"},
                                                                                          {"--unroll", "100"},
                                                                                          {"--json=1"},
                                                                                          {"--show", "--json"}}) {
    const ran r = command(wrong_line);
    EXPECT_EQ(r.status, 2);
    EXPECT_NE(r.errors, "");
    EXPECT_EQ(r.out, "");
  }
  EXPECT_EQ(command({"--help"}).status, 0);
}

TEST_F(litmus_command, gives_a_test_up_at_the_limit) {
  const ran r = command({"5xFAA", "SB+ra", "--limit", "100"});
  EXPECT_EQ(r.status, 2);
  EXPECT_NE(r.errors.find("5xFAA has more than 100 executions"), std::string::npos) << r.errors;
  EXPECT_NE(r.out.find("Observation SB+ra"), std::string::npos);
}

TEST_F(litmus_command, runs_five_hundred_files_in_under_ten_seconds) {
  unsigned n = 0;
  for (const auto& e : corpus()) file("all/" + std::to_string(n++) + ".litmus", e.text);
  for (std::uint64_t seed = 1; n < 500; ++seed) {
    file("all/" + std::to_string(n++) + ".litmus", to_herd(random_program(seed, {4, 9, seed % 2 == 0})));
  }
  const auto start = std::chrono::steady_clock::now();
  const ran r = command({"--json", (directory_ / "all").string()});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << n << " files in " << took.count() << " s\n";
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(count(r.out, "\"executions\":"), 500u);
  EXPECT_LT(took.count(), 10.0);
}

}  // namespace
