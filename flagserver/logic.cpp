// SPDX-License-Identifier: Apache-2.0
#include "logic.hpp"

#include <istream>
#include <ostream>
#include <string>

#include "json_text.hpp"
#include "machine.hpp"
#include "rule_compiler.hpp"

namespace flagserver {

namespace {

std::string error_answer(std::string_view why) {
  std::string answer = "{\"error\":";
  write_json_string(why, answer);
  return answer + "}";
}

std::string answer_to(std::string_view line, fractional_version version) {
  arena memory(std::size_t{256} << 20), scratch(std::size_t{64} << 20);
  json_reader reader;
  value request;
  if (!reader.read(line, memory, max_file_depth, request)) {
    return error_answer("column " + std::to_string(reader.error_at().column) + ": " + reader.error());
  }
  const value* source = request.find("rule");
  if (source == nullptr) return error_answer("a line is an object with a rule and data");
  const value* data = request.find("data");
  rule_compiler compiler(memory, nullptr, [](const value&, const std::string&) {});
  const auto compiled = compiler.compile(*source);
  std::string buffer;
  machine run(scratch, buffer, version, {});
  const value result = run.run(compiled.root, data ? *data : value{});
  if (run.has_failed()) return error_answer(run.failure());
  std::string answer = "{\"result\":";
  write_json(result, answer);
  return answer + "}";
}

}  // namespace

int logic(fractional_version version, std::istream& in, std::ostream& out) {
  std::string line;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::string answer;
    try {
      answer = answer_to(line, version);
    } catch (const limit_exceeded& limit) {
      answer = error_answer(limit.what);
    }
    out << answer << '\n' << std::flush;
  }
  return 0;
}

}  // namespace flagserver
