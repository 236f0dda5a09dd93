// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

namespace acqrel::model::litmus {

int find_location(const program& p, std::string_view name) {
  for (std::size_t l = 0; l < p.locations.size(); ++l) {
    std::string_view known = p.locations[l].name;
    if (known.ends_with("[0]")) known.remove_suffix(3);
    if (known == name) return static_cast<int>(l);
  }
  return -1;
}

int find_register(const thread& t, std::string_view name) {
  for (std::size_t r = 0; r < t.registers.size(); ++r) {
    if (t.registers[r] == name) return static_cast<int>(r);
  }
  return -1;
}

unsigned make_register(thread& t, std::string_view name) {
  if (const int r = find_register(t, name); r >= 0) return static_cast<unsigned>(r);
  t.registers.emplace_back(name);
  t.initial.push_back(0);
  return static_cast<unsigned>(t.registers.size() - 1);
}

bool read_number(token_stream& in, number& value, token& name) {
  const token t = in.peek();
  const bool negative = in.accept("-");
  if (in.peek().what == token::kind::numeral) {
    value = in.take().value;
    if (negative) value = -value;
    return true;
  }
  if (t.is("true") || t.is("false")) {
    value = t.is("true") ? 1 : 0;
    in.take();
    return true;
  }
  if (negative) in.expected("a number");
  in.accept("&");
  if (in.peek().what != token::kind::word) in.expected("a number, or the name of a location for its address");
  name = in.take();
  return false;
}

number address_named(const token_stream& in, const program& p, const token& name) {
  const int l = find_location(p, name.text);
  if (l < 0) in.from().fail(name.at, "`" + name.text + "` is not a location of this test");
  return address_of(static_cast<unsigned>(l));
}

int read_thread_number(token_stream& in) {
  const token t = in.take();
  if (t.what == token::kind::numeral && t.value < 64) return static_cast<int>(t.value);
  if (t.what == token::kind::word && t.text.size() == 2 && t.text[0] == 'P' && t.text[1] >= '0' && t.text[1] <= '9') {
    return t.text[1] - '0';
  }
  in.from().fail(t.at, "expected the number of a thread, found `" + t.text + "`");
}

}  // namespace acqrel::model::litmus
