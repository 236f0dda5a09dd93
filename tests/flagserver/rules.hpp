// SPDX-License-Identifier: Apache-2.0
// tests/flagserver/rules.hpp - rules and flags tried out in one line, for the tests of the engine.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

#include "flagserver/diagnostic_text.hpp"
#include "flagserver/evaluation.hpp"
#include "flagserver/logic.hpp"

namespace flagserver {

/// What `flagserver logic` answers, without the braces: `"result":...` or `"error":"..."`.
inline std::string logic_answer(const std::string& rule, const std::string& data,
                                fractional_version version = fractional_version::v2) {
  std::istringstream in("{\"rule\":" + rule + ",\"data\":" + data + "}\n");
  std::ostringstream out;
  logic(version, in, out);
  const std::string line = out.str();
  return line.size() < 3 ? line : line.substr(1, line.size() - 3);
}

/// The result of a rule as JSON text.
inline std::string result_of(const std::string& rule, const std::string& data = "null",
                             fractional_version version = fractional_version::v2) {
  const std::string answer = logic_answer(rule, data, version);
  constexpr std::string_view lead = "\"result\":";
  return answer.starts_with(lead) ? answer.substr(lead.size()) : answer;
}

/// A sound flag file's flags; the test fails, with the reason, if it is not sound.
inline std::unique_ptr<flag_set> sound_flags(std::string_view text, fractional_version version = fractional_version::v2,
                                             text_format format = text_format::json) {
  auto [flags, diagnostics] = parse_flags(text, format, version, "flags.json");
  EXPECT_TRUE(flags) << describe(diagnostics, "flags.json", text);
  return std::move(flags);
}

struct answered {
  int status;
  std::string body;
};

inline answered ask(const flag_set& flags, std::string_view key, std::string_view context = "{}",
                    const selector& wanted = {}) {
  evaluation e;
  EXPECT_TRUE(e.read_request("{\"context\":" + std::string(context) + "}")) << e.error();
  std::string body;
  const int status = e.evaluate(flags, wanted, key, body);
  return {status, body};
}

/// The diagnostics of a text, one a line: "2:5 error: message".
inline std::string complaints(std::string_view text, text_format format = text_format::json) {
  const auto [flags, diagnostics] = parse_flags(text, format, fractional_version::v2);
  std::string out;
  for (const diagnostic& d : diagnostics) {
    out += std::to_string(d.line) + ':' + std::to_string(d.column) + ' ';
    out += d.level == diagnostic::severity::error ? "error: " : "warning: ";
    out += d.message + '\n';
  }
  const bool failed = out.find(" error: ") != std::string::npos;
  EXPECT_EQ(flags == nullptr, failed) << out;
  return out;
}

}  // namespace flagserver
