// SPDX-License-Identifier: Apache-2.0
#include "conclusion.hpp"

#include <utility>

#include "names.hpp"

namespace acqrel::model::litmus {
namespace {

using kind = proposition::kind;

class conclusion_reader {
 public:
  conclusion_reader(token_stream& in, program& p) : in_(in), program_(p) {}

  void read() {
    for (;;) {
      if (in_.accept("locations")) {
        list();
      } else if (in_.accept("regions")) {
        in_.expect(":", "after `regions`");
        while (in_.next_is(",") || in_.peek(1).is(":")) {
          if (!in_.accept(",")) in_.take(), in_.take(), in_.take();
        }
      } else if (in_.accept("filter")) {
        program_.filter = implication();
      } else {
        break;
      }
      in_.accept(";");
    }
    if (in_.peek().what == token::kind::end) return;
    condition& c = program_.final;
    const bool negated = in_.accept("~") || in_.accept("not") || in_.accept("!");
    if (in_.accept("exists")) {
      c.what = negated ? quantifier::not_exists : quantifier::exists;
    } else if (!negated && in_.accept("forall")) {
      c.what = quantifier::forall;
    } else if (!negated && in_.accept("final")) {
      c.what = quantifier::forall;
    } else {
      in_.expected("another thread, `locations [...]`, `exists (...)`, `~exists (...)` or `forall (...)`");
    }
    c.holds = implication();
    in_.accept(";");
    if (in_.peek().what != token::kind::end) in_.expected("`/\\`, `\\/` or the end of the file");
  }

 private:
  void list() {
    in_.expect("[", "and what to show");
    while (!in_.accept("]")) {
      const operand_name n = name();
      // An array by its name: all of it.
      const unsigned elements = n.thread < 0 && whole_array_ ? program_.locations[n.index].elements : 1;
      for (unsigned i = 0; i < elements; ++i) program_.listed.push_back({n.thread, n.index + i});
      if (!in_.next_is("]") && !in_.accept(";")) in_.expect(",", "or `;` between the names");
    }
  }

  proposition implication() {
    proposition left = either();
    if (!in_.accept("=>")) return left;
    return make(kind::implies, std::move(left), implication());
  }
  proposition either() {
    proposition left = both();
    while (in_.accept("\\/") || in_.accept("||")) left = make(kind::either, std::move(left), both());
    return left;
  }
  proposition both() {
    proposition left = single();
    while (in_.accept("/\\") || in_.accept("&&")) left = make(kind::both, std::move(left), single());
    return left;
  }
  static proposition make(kind what, proposition a, proposition b) {
    proposition p;
    p.what = what;
    p.of.push_back(std::move(a));
    p.of.push_back(std::move(b));
    return p;
  }

  proposition single() {
    if (++depth_ > 200) in_.from().fail(in_.peek().at, "this condition is nested too deeply");
    proposition p = one();
    --depth_;
    return p;
  }

  proposition one() {
    if (in_.accept("not") || in_.accept("~") || in_.accept("!")) {
      proposition p;
      p.what = kind::negation;
      p.of.push_back(single());
      return p;
    }
    if (in_.accept("(")) {
      proposition p = implication();
      in_.expect(")", "after the condition");
      return p;
    }
    proposition p;
    if ((in_.next_is("true") || in_.next_is("false")) && find_location(program_, in_.peek().text) < 0) {
      p.what = in_.take().is("true") ? kind::always : kind::never;
      return p;
    }
    p.what = kind::compare;
    p.name = name();
    p.compare = comparison();
    token address;
    if (!read_number(in_, p.value, address)) p.value = address_named(in_, program_, address);
    return p;
  }

  operation comparison() {
    constexpr std::pair<std::string_view, operation> all[] = {
        {"=", operation::equal},      {"==", operation::equal},        {"!=", operation::different},
        {"<>", operation::different}, {"<", operation::less},          {"<=", operation::less_equal},
        {">", operation::greater},    {">=", operation::greater_equal}};
    for (const auto& [mark, what] : all) {
      if (in_.accept(mark)) return what;
    }
    in_.expected("`=` and a value");
  }

  // 0:r0, x, [x], *x, a[1], [a[1]]
  operand_name name() {
    whole_array_ = false;
    const token first = in_.peek();
    if (first.what == token::kind::numeral || in_.peek(1).is(":")) {
      const int t = read_thread_number(in_);
      in_.expect(":", "after the thread's number");
      if (t < 0 || t >= static_cast<int>(program_.threads.size())) {
        in_.from().fail(first.at, "there is no thread " + std::to_string(t));
      }
      const token reg = in_.peek();
      const std::string text = in_.expect_name("a register");
      const int r = find_register(program_.threads[static_cast<std::size_t>(t)], text);
      if (r < 0) in_.from().fail(reg.at, "thread " + std::to_string(t) + " has no register `" + text + "`");
      return {t, static_cast<unsigned>(r)};
    }
    const bool bracketed = in_.accept("[");
    if (!bracketed) in_.accept("*");
    const token at = in_.peek();
    const std::string text = in_.expect_name("a register, as in `0:r0`, or a location, as in `x`");
    const int l = find_location(program_, text);
    if (l < 0)
      in_.from().fail(
          at.at, "`" + text + "` is not a location of this test; a register is written with its thread, as in `0:r0`");
    auto index = static_cast<unsigned>(l);
    if (in_.accept("[")) {
      const token element = in_.take();
      if (element.what != token::kind::numeral || element.value >= program_.locations[index].elements) {
        in_.from().fail(element.at, "expected the number of an element, less than " +
                                        std::to_string(program_.locations[index].elements));
      }
      index += static_cast<unsigned>(element.value);
      in_.expect("]", "after the element");
    } else {
      whole_array_ = true;
    }
    if (bracketed) in_.expect("]", "after the location");
    return {-1, index};
  }

  token_stream& in_;
  program& program_;
  unsigned depth_ = 0;
  bool whole_array_ = false;  // the last name was an array's
};

}  // namespace

void read_conclusion(token_stream& in, program& p) { conclusion_reader(in, p).read(); }

}  // namespace acqrel::model::litmus
