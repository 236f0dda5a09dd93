// SPDX-License-Identifier: Apache-2.0
#include "eval.hpp"

#include <istream>
#include <ostream>

#include "diagnostic_text.hpp"
#include "evaluation.hpp"
#include "text_file.hpp"

namespace flagserver {

namespace {

/// One line's answer, appended to `out`.
class line_answerer {
 public:
  line_answerer(const flag_set& flags, const selector& wanted) : flags_(flags), wanted_(wanted) {}

  void answer(std::string_view line, std::string& out) {
    body_.clear();
    const int status = evaluate(line);
    out += "{\"status\":" + std::to_string(status) + ",\"body\":" + body_ + "}\n";
  }

 private:
  int evaluate(std::string_view line) {
    memory_.trim(1 << 20);
    value request;
    if (!reader_.read(line, memory_, max_request_depth, request)) {
      return refuse("column " + std::to_string(reader_.error_at().column) + ": " + reader_.error());
    }
    const value* key = request.find("flagKey");
    if (key == nullptr || !key->is(kind::string))
      return refuse("a line is an object with a string flagKey and a context");
    if (!evaluation_.read_request(line)) return refuse(evaluation_.error());
    return evaluation_.evaluate(flags_, wanted_, key->string(), body_);
  }

  int refuse(const std::string& why) {
    body_ += "{\"errorCode\":\"INVALID_CONTEXT\",\"errorDetails\":";
    write_json_string(why, body_);
    body_ += '}';
    return 400;
  }

  const flag_set& flags_;
  const selector& wanted_;
  arena memory_{std::size_t{256} << 20};
  json_reader reader_;
  evaluation evaluation_;
  std::string body_;
};

}  // namespace

int eval(const eval_options& options, std::istream& in, std::ostream& out, std::ostream& problems) {
  std::string error;
  const auto wanted = selector::parse(options.selector, error);
  if (!wanted) {
    problems << error << '\n';
    return 1;
  }
  const std::string text = read_text_file(options.flags);
  const auto [flags, diagnostics] = parse_flags(text, format_of(options.flags), options.fractional, options.flags);
  if (!flags) {
    problems << describe(diagnostics, options.flags, text) << '\n';
    return 1;
  }
  line_answerer answerer(*flags, *wanted);
  std::string line, answer;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    answer.clear();
    answerer.answer(line, answer);
    out << answer << std::flush;  // a program at the other end of a pipe may wait for it
  }
  return 0;
}

}  // namespace flagserver
