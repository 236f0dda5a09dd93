// SPDX-License-Identifier: Apache-2.0
#include "litmus_output.hpp"

#include "model/litmus/draw.hpp"

namespace acqrel::tools {
namespace {

using namespace model::litmus;

std::string number_text(std::uint64_t n) { return std::to_string(n); }

const char* kind_of(const condition& c) {
  switch (c.what) {
    case quantifier::exists: return "Allowed";
    case quantifier::not_exists: return "Forbidden";
    case quantifier::forall:
    case quantifier::none: return "Required";
  }
  return "";
}

std::string observed(const std::string& name, const answer& a) {
  return name + " " + text(a.seen()) + " " + number_text(a.positive) + " " + number_text(a.negative);
}

// "the plain write of x by P0 at MP.litmus:5:3"
std::string access_text(const program& p, const event& e) {
  std::string s = std::string(e.atomic ? "the atomic " : "the plain ") + (e.what == action::read ? "read" : "write") +
                  " of " + p.locations[static_cast<std::size_t>(e.location)].name + " by P" + std::to_string(e.thread);
  if (e.at.line > 0) s += " at " + p.file + ":" + std::to_string(e.at.line) + ":" + std::to_string(e.at.column);
  return s;
}

std::string race_text(const program& p, const execution& x) {
  return access_text(p, x.events[x.race->first]) + ", and " + access_text(p, x.events[x.race->second]);
}

const execution* drawn(const answer& a, bool race_first) {
  const execution* race = a.racy ? &*a.racy : nullptr;
  const execution* witness = a.witness ? &*a.witness : nullptr;
  return race_first ? (race != nullptr ? race : witness) : (witness != nullptr ? witness : race);
}

/// A file without a condition has no outcome in question: then a race is what there is to see.
const execution* drawn(const test_result& r) { return drawn(r.answer, r.program.final.what == quantifier::none); }

/// Length of the UTF-8 character at the front, 0 if there is none.
std::size_t character(std::string_view s) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if ((first >= 0x80 && first < 0xc2) || first > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

std::string quoted(std::string_view s) {
  std::string out = "\"";
  while (!s.empty()) {
    const std::size_t length = character(s);
    const char c = s.front();
    if (length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (length == 1 && static_cast<unsigned char>(c) < 0x20) {
      constexpr char digits[] = "0123456789abcdef";
      out += std::string("\\u00") + digits[(c >> 4) & 15] + digits[c & 15];
    } else {
      out += s.substr(0, length);
    }
    s.remove_prefix(length == 0 ? 1 : length);
  }
  return out + "\"";
}

class object {
 public:
  object& add(const char* key, const std::string& json) {
    text_ += std::string(text_.empty() ? "" : ", ") + quoted(key) + ": " + json;
    return *this;
  }
  object& add_text(const char* key, std::string_view value) { return add(key, quoted(value)); }
  object& add_flag(const char* key, bool value) { return add(key, value ? "true" : "false"); }
  std::string done() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace

std::string as_text(const test_result& r, const litmus_options& o) {
  const program& p = r.program;
  const answer& a = r.answer;
  std::string s = "Test " + r.name + " " + kind_of(p.final) + "\n";
  s += "States " + std::to_string(a.states.size()) + "\n";
  for (const std::vector<number>& state : a.states) s += state_text(p, state) + "\n";
  s += a.ok(p.final) ? "Ok\n" : "No\n";
  const bool turned = p.final.what == quantifier::not_exists;
  s += "Witnesses\nPositive: " + number_text(turned ? a.negative : a.positive) +
       " Negative: " + number_text(turned ? a.positive : a.negative) + "\n";
  if (a.racy) s += "Flag: data race, so C++ says nothing of this program: " + race_text(p, *a.racy) + "\n";
  if (p.final.what != quantifier::none) s += "Condition " + to_text(p, p.final) + "\n";
  s += "Observation " + observed(r.name, a) + "\n";
  if (o.model != memory_model::cxx20) s += std::string("Model ") + text(o.model) + "\n";
  if (r.letter) {
    s += "Letter of ISO C++20: " + observed(r.name, *r.letter) +
         " (load buffering, which the default model leaves out; --model iso)\n";
  }
  if (a.cut)
    s += "Not exhaustive: a loop went on for more than " + std::to_string(o.unroll) + " turns; --unroll N for more\n";
  return s;
}

std::string as_line(const test_result& r) {
  std::string s = r.name;
  s.resize(std::max<std::size_t>(s.size() + 1, 22), ' ');
  if (!r.error.empty()) return s + r.error.substr(0, r.error.find('\n')) + "\n";
  s += text(r.answer.seen());
  s.resize(std::max<std::size_t>(s.size() + 1, 33), ' ');
  s += number_text(r.answer.positive) + " of " + number_text(r.answer.executions);
  s.resize(std::max<std::size_t>(s.size() + 1, 46), ' ');
  s += to_text(r.program, r.program.final);
  if (r.answer.racy) s += "  data race";
  if (r.letter) s += std::string("  (letter of ISO C++20: ") + text(r.letter->seen()) + ")";
  return s + "\n";
}

std::string as_json(const test_result& r, const litmus_options& o) {
  object j;
  j.add_text("name", r.name);
  j.add_text("file", r.file);
  if (!r.error.empty()) return j.add_text("error", r.error).done();
  const answer& a = r.answer;
  std::string states;
  for (const std::vector<number>& state : a.states) {
    states += std::string(states.empty() ? "" : ", ") + quoted(state_text(r.program, state));
  }
  j.add_text("verdict", text(a.seen()));
  j.add("executions", number_text(a.executions));
  j.add("states", "[" + states + "]");
  j.add_flag("race", a.racy.has_value());
  j.add("positive", number_text(a.positive));
  j.add("negative", number_text(a.negative));
  j.add_text("condition", to_text(r.program, r.program.final));
  j.add_flag("ok", a.ok(r.program.final));
  j.add_text("model", text(o.model));
  j.add_flag("exhaustive", !a.cut);
  if (a.racy) j.add_text("race_between", race_text(r.program, *a.racy));
  if (r.letter) j.add_text("iso", text(r.letter->seen())).add("iso_executions", number_text(r.letter->executions));
  return j.done();
}

std::string as_picture(const test_result& r, const litmus_options& o) {
  const bool svg = o.show == litmus_options::picture::svg;
  const execution* x = drawn(r);
  const answer* from = &r.answer;
  const char* by = text(o.model);
  if (x == nullptr && r.letter) {
    x = drawn(*r.letter, false);
    from = &*r.letter;
    by = "iso";
  }
  if (x == nullptr) {
    return svg ? std::string()
               : "No execution has the outcome asked about, and none has a race: there is nothing to show.\n";
  }
  const bool shows_race = x == (from->racy ? &*from->racy : nullptr);
  const std::string caption =
      (shows_race ? std::string("A data race") : to_text(r.program, r.program.final.holds)) + ", model " + by;
  return svg ? draw_svg(r.program, *x, caption) : caption + ":\n\n" + draw_text(r.program, *x);
}

}  // namespace acqrel::tools
