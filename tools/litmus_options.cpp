// SPDX-License-Identifier: Apache-2.0
#include "litmus_options.hpp"

#include <charconv>
#include <optional>

namespace acqrel::tools {
namespace {

using model::litmus::memory_model;

std::uint64_t count(const std::string& option, const std::string& text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw usage_error(option + " takes a number, not `" + text + "`");
  }
  return n;
}

memory_model model_named(const std::string& name) {
  if (name == "c++20" || name == "cxx20") return memory_model::cxx20;
  if (name == "iso") return memory_model::iso;
  if (name == "sc") return memory_model::sc;
  throw usage_error("there is no model `" + name + "`: c++20, iso or sc");
}

}  // namespace

const char* const litmus_help =
    R"(usage: acqrel litmus [options] [FILE | DIRECTORY | NAME | -]...

Runs small concurrent programs in every way the C++20 memory model allows, and says
whether the outcome that each asks about can happen.

  FILE        a test in herd's C litmus format; - is standard input
  DIRECTORY   every *.litmus below it, in order of name
  NAME        a built-in test (SB+ra), a family of them (SB), or a pattern (*+f.sc)

  --list          the built-in tests
  --print         write the tests themselves, and run none: a built-in one to start from
  --explain NAME  what a built-in test is about, and what each ordering makes of it
  --show [text | svg]
                  draw an execution with the outcome asked about, or with a data race;
                  svg writes nothing else, and takes one test
  --json          a list with, for each test in order: name, file, verdict, executions
                  (consistent execution graphs), states, race, and more; or an error
  --model MODEL   c++20  C++20 without load buffering: sb and rf have no cycle (default)
                  iso    the letter of ISO C++20, which allows load buffering
                  sc     interleavings only
  --unroll N      run the first N turns of each loop (default 4); executions that would
                  go on are left out, and the answer says so. 0 refuses loops
  --limit N       give a test up after N executions (default 10000000; 0: never)
  --check         exit status 1 if what a test states (exists, ~exists, forall) is not so

A test:                                             Its answer:
  C SB                                                Test SB Allowed
  { x = 0; y = 0; }                                   States 4
  P0 (atomic_int* x, atomic_int* y) {                 0:r0=0; 1:r0=0;
    atomic_store_explicit(x, 1,                       ...
                          memory_order_release);      Ok
    int r0 = atomic_load_explicit(y,                  Witnesses
                          memory_order_acquire);      Positive: 1 Negative: 3
  }                                                   Condition exists (...)
  P1 (atomic_int* x, atomic_int* y) { ... }           Observation SB Sometimes 1 3
  exists (0:r0=0 /\ 1:r0=0)

Atomic operations are C11's functions (atomic_load, atomic_exchange_explicit, ...) or
C++'s members (x->load(std::memory_order_acquire)); *x is a plain access, whatever x was
declared as, and may race. A weak compare-exchange may fail for no reason. Integers have
64 bits. A condition may ask for registers (0:r0), final values ([x]), = != < > /\ \/ not.

Exit status: 0 all tests were run; 1 with --check, some statement is not so; 2 some test
could not be read or run (the others were), or the command line is wrong.
)";

litmus_options parse_litmus_options(const std::vector<std::string>& arguments) {
  litmus_options o;
  bool only_inputs = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string option = arguments[i];
    if (only_inputs || option.empty() || option[0] != '-' || option == "-") {
      o.inputs.push_back(option);
      continue;
    }
    std::optional<std::string> value;
    if (const auto equals = option.find('='); equals != std::string::npos) {
      value = option.substr(equals + 1);
      option.resize(equals);
    }
    const auto needed = [&](const char* what) {
      if (!value && i + 1 < arguments.size()) value = arguments[++i];
      if (!value) throw usage_error(option + " takes " + what);
      return *value;
    };
    const auto flag = [&](bool& set) {
      if (value) throw usage_error(option + " takes nothing");
      set = true;
    };
    if (option == "--") {
      only_inputs = true;
    } else if (option == "--json") {
      flag(o.json);
    } else if (option == "--list") {
      flag(o.list);
    } else if (option == "--print") {
      flag(o.print);
    } else if (option == "--check") {
      flag(o.check);
    } else if (option == "--help" || option == "-h") {
      flag(o.help);
    } else if (option == "--model") {
      o.model = model_named(needed("a model: c++20, iso or sc"));
    } else if (option == "--explain") {
      o.explain = needed("the name of a built-in test: --list has them");
    } else if (option == "--unroll") {
      const std::uint64_t n = count(option, needed("a number of turns"));
      if (n > 20) throw usage_error("--unroll takes at most 20 turns: an execution has 64 operations");
      o.unroll = static_cast<unsigned>(n);
    } else if (option == "--limit") {
      o.most_executions = count(option, needed("a number of executions"));
    } else if (option == "--show") {
      if (!value && i + 1 < arguments.size() && (arguments[i + 1] == "svg" || arguments[i + 1] == "text")) {
        value = arguments[++i];
      }
      if (value && *value != "svg" && *value != "text")
        throw usage_error("--show takes text or svg, not `" + *value + "`");
      o.show = value == "svg" ? litmus_options::picture::svg : litmus_options::picture::text;
    } else {
      throw usage_error("there is no option `" + option + "`");
    }
  }
  if (o.json && o.show != litmus_options::picture::none) throw usage_error("--json and --show do not go together");
  return o;
}

}  // namespace acqrel::tools
