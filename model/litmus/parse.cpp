// SPDX-License-Identifier: Apache-2.0
#include "parse.hpp"

#include <map>
#include <utility>

#include "body.hpp"
#include "conclusion.hpp"
#include "names.hpp"

namespace acqrel::model::litmus {
namespace {

class file_reader {
 public:
  file_reader(const source& from, const parse_options& options)
      : from_(from), options_(options), heading_(read_heading(from)), in_(from, heading_.end) {}

  program read() {
    program_.name = heading_.name;
    program_.description = heading_.description;
    program_.info = heading_.info;
    program_.file = from_.file();
    program_.filter.what = proposition::kind::always;
    initial_values();
    threads();
    registers_with_values();
    read_conclusion(in_, program_);
    return std::move(program_);
  }

 private:
  // ---- { x = 0; int y = 1; 0:r0 = 5; p = &x; int a[2] = {1, 2}; }
  void initial_values() {
    in_.expect("{", "and the initial values");
    while (!in_.accept("}")) {
      if (in_.accept(";")) continue;
      initial_value();
      if (!in_.next_is("}")) in_.expect(";", "after the initial value");
    }
  }

  void initial_value() {
    bool atomic = false, typed = false;
    // A type is what stands before the last name.
    while (in_.peek().what == token::kind::word && !ends_name(in_.peek(1))) {
      if (in_.peek().text.starts_with("atomic") || in_.next_is("_Atomic")) atomic = true;
      typed = true;
      in_.take();
      // Also `std :: atomic < int >`, `_Atomic ( int )`, and the star of a pointer.
      while (in_.next_is("::") || in_.next_is("*") || in_.next_is("<") || in_.next_is("(")) {
        const bool nested = in_.next_is("<") || in_.next_is("(");
        if (in_.take(); nested) {
          while (!in_.next_is(">") && !in_.next_is(")")) {
            if (in_.peek().what == token::kind::end) in_.expected("the end of the type");
            in_.take();
          }
          in_.take();
        }
      }
    }
    if (in_.accept("*")) typed = true;
    if (in_.peek().what == token::kind::numeral || (in_.peek().what == token::kind::word && in_.peek(1).is(":"))) {
      return initial_register();
    }
    const bool bracketed = in_.accept("[");
    const token name = in_.peek();
    in_.expect_name("a location, as in `x = 0`, or a register, as in `0:r0 = 0`");
    if (bracketed) in_.expect("]", "after the location");
    unsigned elements = 1;
    const bool array = !bracketed && in_.accept("[");
    if (array) {
      const token size = in_.take();
      if (size.what != token::kind::numeral || size.value < 1 || size.value > 64) {
        from_.fail(size.at, "expected the number of elements, 1 to 64");
      }
      elements = static_cast<unsigned>(size.value);
      in_.expect("]", "after the number of elements");
    }
    if (find_location(program_, name.text) >= 0)
      from_.fail(name.at, "`" + name.text + "` has an initial value already");
    const unsigned first = add_location(name.text, atomic, array, elements);
    if (typed) typed_[name.text] = true;
    if (!in_.accept("=")) return;
    if (array) {
      in_.expect("{", "and the values of the elements");
      for (unsigned i = 0; !in_.accept("}"); ++i) {
        if (i == elements) in_.expected("`}`: the array has " + std::to_string(elements) + " elements");
        if (i > 0) in_.expect(",", "between the values");
        initial_of(first + i);
      }
    } else {
      initial_of(first);
    }
  }

  static bool ends_name(const token& t) {
    return t.is("=") || t.is(";") || t.is("}") || t.is("]") || t.is(":") || (t.is("["));
  }

  unsigned add_location(const std::string& name, bool atomic, bool array, unsigned elements) {
    const auto first = static_cast<unsigned>(program_.locations.size());
    for (unsigned i = 0; i < elements; ++i) {
      location l;
      l.name = array ? name + "[" + std::to_string(i) + "]" : name;
      l.atomic = atomic;
      l.elements = elements - i;
      program_.locations.push_back(std::move(l));
    }
    return first;
  }

  // The value of a location; an address may be that of one that comes later.
  void initial_of(unsigned l) {
    const token t = in_.peek();
    if (t.is("ATOMIC_INIT") || t.is("ATOMIC_VAR_INIT") || t.is("(")) {
      if (t.what == token::kind::word) in_.take();
      in_.expect("(", "before the value");
      initial_of(l);
      in_.expect(")", "after the value");
      return;
    }
    token name;
    if (!read_number(in_, program_.locations[l].initial, name)) addresses_.push_back({l, -1, name});
  }

  void initial_register() {
    const token where = in_.peek();
    const int t = read_thread_number(in_);
    in_.expect(":", "after the thread's number");
    pending_register r{t, in_.expect_name("a register"), 0, where};
    if (in_.accept("=")) {
      token name;
      if (!read_number(in_, r.value, name)) addresses_.push_back({0, static_cast<int>(registers_.size()), name});
    }
    registers_.push_back(std::move(r));
  }

  // ---- P0 (atomic_int* x, int* y) { ... }
  void threads() {
    // Parameters first: a location may be named in an earlier thread than the one that has it as a parameter.
    while (begins_thread()) {
      skip_result_type();
      const token name = in_.take();
      const std::string expected = "P" + std::to_string(program_.threads.size());
      if (name.text != expected) from_.fail(name.at, "expected thread `" + expected + "`, found `" + name.text + "`");
      program_.threads.emplace_back();
      parameters(program_.threads.back());
      bodies_.push_back(in_.position());
      skip_block();
    }
    if (program_.threads.empty()) in_.expected("a thread, as in `P0 (atomic_int* x) { ... }`");
    if (program_.threads.size() > 16) in_.expected("at most 16 threads");
    resolve_addresses();
    const std::size_t after = in_.position();
    for (unsigned t = 0; t < program_.threads.size(); ++t) {
      for (const pending_register& r : registers_) {
        if (r.thread == static_cast<int>(t)) make_register(program_.threads[t], r.name);
      }
      in_.rewind(bodies_[t]);
      read_body(in_, program_, t, options_);
    }
    in_.rewind(after);
  }

  bool begins_thread() const {
    std::size_t ahead = 0;
    while (in_.peek(ahead).is("void") || in_.peek(ahead).is("static")) ++ahead;
    const token& t = in_.peek(ahead);
    return t.what == token::kind::word && t.text.size() > 1 && t.text[0] == 'P' && t.text[1] >= '0' &&
           t.text[1] <= '9' && in_.peek(ahead + 1).is("(");
  }
  void skip_result_type() {
    while (in_.next_is("void") || in_.next_is("static")) in_.take();
  }
  void skip_block() {
    const place start = in_.peek().at;
    in_.expect("{", "and the statements of the thread");
    for (int depth = 1; depth > 0;) {
      const token t = in_.take();
      if (t.is("{")) ++depth;
      if (t.is("}")) --depth;
      if (t.what == token::kind::end) from_.fail(start, "this block has no end: expected `}`");
    }
  }

  void parameters(thread& t) {
    in_.expect("(", "and the parameters of the thread");
    if (in_.next_is("void") && in_.peek(1).is(")")) in_.take();
    while (!in_.accept(")")) {
      bool atomic = false, pointer = false;
      while (!(in_.peek().what == token::kind::word && (in_.peek(1).is(",") || in_.peek(1).is(")")))) {
        const token word = in_.take();
        if (word.text.starts_with("atomic") || word.is("_Atomic")) atomic = true;
        if (word.is("*") || word.is("&")) pointer = true;
        if (word.what == token::kind::end || word.is("{")) {
          from_.fail(word.at, "expected a parameter, as in `atomic_int* x`, and `)` after the last");
        }
      }
      const token name = in_.take();
      if (!pointer) {
        from_.fail(name.at, "expected a pointer to a location, as in `atomic_int* " + name.text +
                                "`: a thread gets nothing else");
      }
      int l = find_location(program_, name.text);
      if (l < 0) l = static_cast<int>(add_location(name.text, atomic, false, 1));
      location& found = program_.locations[static_cast<std::size_t>(l)];
      if (atomic && !typed_.contains(name.text)) found.atomic = true;
      t.parameters.push_back(static_cast<unsigned>(l));
      if (!in_.next_is(")")) in_.expect(",", "between the parameters");
    }
  }

  void resolve_addresses() {
    for (const pending_address& a : addresses_) {
      const number value = address_named(in_, program_, a.name);
      if (a.reg >= 0) {
        registers_[static_cast<std::size_t>(a.reg)].value = value;
      } else {
        program_.locations[a.location].initial = value;
      }
    }
  }

  void registers_with_values() {
    for (const pending_register& r : registers_) {
      if (r.thread < 0 || r.thread >= static_cast<int>(program_.threads.size())) {
        from_.fail(r.at.at, "there is no thread " + std::to_string(r.thread));
      }
      thread& t = program_.threads[static_cast<std::size_t>(r.thread)];
      t.initial[make_register(t, r.name)] = r.value;
    }
  }

  struct pending_register {
    int thread;
    std::string name;
    number value;
    token at;
  };
  struct pending_address {
    unsigned location;
    int reg;  ///< -1: none, it is the location's
    token name;
  };

  const source& from_;
  const parse_options& options_;
  heading heading_;
  token_stream in_;
  program program_;
  std::map<std::string, bool> typed_;  // declared with a type among the initial values
  std::vector<pending_register> registers_;
  std::vector<pending_address> addresses_;
  std::vector<std::size_t> bodies_;
};

}  // namespace

program parse(std::string_view text, const std::string& file, const parse_options& options) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // an editor's byte order mark
  const source from(text, file);
  return file_reader(from, options).read();
}

}  // namespace acqrel::model::litmus
