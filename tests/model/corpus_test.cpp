// The built-in litmus tests against what is known of them, and everything that is said about them against what is computed.
// SPDX-License-Identifier: Apache-2.0
#include "model/litmus/corpus.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <sstream>
#include <stdexcept>

#include "model/litmus/cycle.hpp"
#include "model/litmus/draw.hpp"
#include "model/litmus/explain.hpp"
#include "model/litmus/parse.hpp"

namespace acqrel::model::litmus {
namespace {

program read(std::string_view name) {
  const entry* e = find_entry(name);
  if (e == nullptr) throw std::invalid_argument("no test " + std::string(name));
  return parse(e->text, e->name);
}

// ---- the basic family: nineteen shapes, eight columns, as herd, GenMC and a prototype of this checker agree on them

struct table_row {
  const char* shape;
  const char*
      cells;  // executions under SC; then rlx, ra, sc, f.ra, f.ar, f.sc, ra+f.sc: Allowed or Forbidden, executions
};

constexpr std::array table{
    table_row{"SB", "3 A4 A4 F3 A4 A4 F3 F3"},    table_row{"MP", "3 A4 F3 F3 F3 F3 F3 F3"},
    table_row{"LB", "3 F3 F3 F3 F3 F3 F3 F3"},    table_row{"IRIW", "15 A16 A16 F15 A16 A16 F15 F15"},
    table_row{"WRC", "7 A8 F7 F7 F7 F7 F7 F7"},   table_row{"ISA2", "7 A8 F7 F7 F7 F7 F7 F7"},
    table_row{"2+2W", "3 A4 A4 F3 A4 A4 F3 F3"},  table_row{"R", "3 A4 A4 F3 A4 A4 F3 F3"},
    table_row{"S", "3 A4 F3 F3 F3 F3 F3 F3"},     table_row{"RWC", "7 A8 A8 F7 A8 A8 F7 F7"},
    table_row{"W+RWC", "7 A8 A8 F7 A8 A8 F7 F7"}, table_row{"Z6", "7 A8 A8 F7 A8 A8 F7 F7"},
    table_row{"3.SB", "7 A8 A8 F7 A8 A8 F7 F7"},  table_row{"3.LB", "7 F7 F7 F7 F7 F7 F7 F7"},
    table_row{"CoRR", "3 F3 F3 F3 F3 F3 F3 F3"},  table_row{"CoRR2", "72 F72 F72 F72 F72 F72 F72 F72"},
    table_row{"CoWW", "1 F1 F1 F1 F1 F1 F1 F1"},  table_row{"CoWR", "3 F3 F3 F3 F3 F3 F3 F3"},
    table_row{"CoRW", "3 F3 F3 F3 F3 F3 F3 F3"},
};

// G7, X6: MP+ra, message passing by release and acquire, is among those that never show the old value.
TEST(corpus, all_152_cells_of_the_basic_family_have_the_known_verdict_and_number_of_executions) {
  constexpr std::array columns{"rlx", "ra", "sc", "f.ra", "f.ar", "f.sc", "ra+f.sc"};
  unsigned cells = 0;
  for (const table_row& row : table) {
    std::istringstream in(row.cells);
    std::uint64_t interleavings = 0;
    in >> interleavings;
    EXPECT_EQ(run(read(std::string(row.shape) + "+rlx"), memory_model::sc).executions, interleavings) << row.shape;
    ++cells;
    for (const char* column : columns) {
      char allowed = '?';
      std::uint64_t executions = 0;
      in >> allowed >> executions;
      const std::string name = row.shape + std::string("+") + column;
      const answer a = run(read(name));
      EXPECT_EQ(a.executions, executions) << name;
      EXPECT_EQ(a.seen() == observation::never ? 'F' : 'A', allowed) << name;
      EXPECT_FALSE(a.racy) << name;
      ++cells;
    }
  }
  EXPECT_EQ(cells, 152u);
}

TEST(corpus, load_buffering_is_allowed_by_the_letter) {
  const answer two = run(read("LB+rlx"), memory_model::iso), three = run(read("3.LB+rlx"), memory_model::iso);
  EXPECT_EQ(two.seen(), observation::sometimes);
  EXPECT_EQ(two.executions, 4u);
  EXPECT_EQ(three.seen(), observation::sometimes);
  EXPECT_EQ(three.executions, 8u);
}

TEST(corpus, two_readers_of_one_object_see_47_outcomes) { EXPECT_EQ(run(read("CoRR2+rlx")).states.size(), 47u); }

// ---- discriminators and quizzes

struct known {
  const char* name;
  observation seen;
  std::uint64_t executions;  // 0: not known from elsewhere
  bool race;
};

TEST(corpus, discriminators_come_out_as_known) {
  using enum observation;
  constexpr known all[] = {
      {"IRIW+rel+sc", never, 15, false},
      {"Z6.U", sometimes, 24, false},
      {"relseq", sometimes, 20, false},
      {"relseq20", sometimes, 0, true},
      {"relseq+rmw", never, 0, false},
      {"relseq+cas", never, 5, false},
      {"relseq+store", sometimes, 0, true},
      {"viktor-relseq", sometimes, 180, false},
      {"D-scfence-nosync", never, 0, true},
      {"D-cas-fail-stale", sometimes, 4, false},
      {"D-cas-fail-race", sometimes, 0, true},
      {"D-cas-fail-acquire", never, 0, false},
      {"5xFAA", always, 120, false},
      {"dekker+f.sc+sc", never, 3, false},
      {"dekker+f.sc+ra", sometimes, 4, false},
      {"dekker+rmw", never, 3, false},
      {"SB+rel+sc", sometimes, 4, false},
      {"2+2W+sc+rlx", never, 3, false},
      {"trylock", never, 0, false},
      {"trylock+rlx", sometimes, 0, true},
  };
  for (const known& k : all) {
    const answer a = run(read(k.name));
    EXPECT_EQ(a.seen(), k.seen) << k.name;
    if (k.executions != 0) {
      EXPECT_EQ(a.executions, k.executions) << k.name;
    }
    EXPECT_EQ(a.racy.has_value(), k.race) << k.name;
  }
}

TEST(corpus, quizzes_have_the_right_answers) {
  using enum observation;
  constexpr known all[] = {
      {"B.1", never, 0, false},        {"B.2", sometimes, 0, true},  {"B.3", never, 0, false},
      {"B.4", never, 0, false},        {"B.5", sometimes, 0, true},  {"Q.1", never, 0, false},
      {"Q.2", sometimes, 0, true},     {"Q.3", sometimes, 0, false}, {"Q.3+cas", sometimes, 0, false},
      {"Q.3+winner", never, 0, false}, {"Q.4", sometimes, 0, false}, {"13.1", never, 0, false},
      {"13.2", sometimes, 0, false},
  };
  for (const known& k : all) {
    const answer a = run(read(k.name));
    EXPECT_EQ(a.seen(), k.seen) << k.name;
    EXPECT_EQ(a.racy.has_value(), k.race) << k.name;
  }
  EXPECT_EQ(matching("quiz").size(), std::size(all));
}

// ---- the corpus itself

TEST(corpus, everything_expected_of_a_test_is_what_it_comes_to) {
  for (const entry& e : corpus()) {
    EXPECT_FALSE(e.expected.empty()) << e.name;
    const program p = parse(e.text, e.name);
    for (const expectation& x : e.expected) {
      const answer a = run(p, x.model);
      EXPECT_EQ(a.seen(), x.seen) << e.name << " under " << text(x.model);
      if (x.executions) {
        EXPECT_EQ(a.executions, *x.executions) << e.name << " under " << text(x.model);
      }
      EXPECT_EQ(a.racy.has_value(), x.race) << e.name << " under " << text(x.model);
    }
  }
}

TEST(corpus, names_are_unique_and_stand_in_the_text_and_the_text_can_be_written_back) {
  std::set<std::string> names;
  for (const entry& e : corpus()) {
    EXPECT_TRUE(names.insert(e.name).second) << e.name;
    const program p = parse(e.text, e.name);
    EXPECT_EQ(p.name, e.name);
    const answer here = run(p), again = run(parse(to_herd(p), e.name));
    EXPECT_EQ(again.executions, here.executions) << e.name;
    EXPECT_EQ(again.seen(), here.seen()) << e.name;
    EXPECT_FALSE(about_family(e.family).empty()) << e.family;
  }
}

TEST(corpus, is_found_by_name_family_and_pattern) {
  ASSERT_NE(find_entry("mp+RA"), nullptr);
  EXPECT_EQ(find_entry("mp+RA")->name, "MP+ra");
  EXPECT_EQ(find_entry("MP+"), nullptr);
  EXPECT_EQ(matching("MP").size(), variants().size());
  EXPECT_EQ(matching("MP+ra").size(), 1u);
  EXPECT_EQ(matching("*+f.sc+ra").size(), 1u);
  EXPECT_EQ(matching("?.?B+rlx").size(), 2u);
  EXPECT_TRUE(matching("no such test").empty());
  EXPECT_EQ(matching("*").size(), corpus().size());
}

// ---- what is said about them

TEST(corpus, the_axiom_that_an_explanation_names_forbids_what_the_enumerator_does_not_find) {
  for (const shape& s : shapes())
    for (const variant& v : variants())
      for (const memory_model model : {memory_model::cxx20, memory_model::iso, memory_model::sc}) {
        const std::string name = s.name + "+" + v.name;
        const program p = read(name);
        const std::vector<execution> ways = candidates(s, v);
        ASSERT_FALSE(ways.empty()) << name;
        std::uint64_t consistent = 0;
        for (const execution& x : ways) consistent += judge(x, model).broken == axiom::none ? 1u : 0u;
        EXPECT_EQ(consistent, run(p, model).positive) << name << " under " << text(model);
      }
}

TEST(explain, states_for_each_ordering_of_a_shape_what_is_computed) {
  for (const shape& s : shapes()) {
    const std::string said = explain(s.name);
    for (const variant& v : variants()) {
      const std::string name = s.name + "+" + v.name;
      const answer a = run(read(name));
      std::istringstream lines(said);
      std::string line, verdict = "not said";
      while (std::getline(lines, line))
        if (line.find("    " + name + " ") == 0) verdict = line;
      const char* expected = a.seen() == observation::never ? "never " : "may happen ";
      EXPECT_NE(verdict.find(expected), std::string::npos) << verdict;
      EXPECT_NE(verdict.find(" " + std::to_string(a.executions)), std::string::npos) << verdict;
    }
    for (const char* part : {"Where it bites", "What the orders make of it", "The circle", "What to write"})
      EXPECT_NE(said.find(part), std::string::npos) << s.name << ": " << part;
  }
}

TEST(explain, says_which_edges_stop_message_passing_and_store_buffering) {
  const std::string mp = explain("MP"), sb = explain("sb");
  EXPECT_NE(mp.find("The weakest orders that do: MP+ra and MP+f.ra."), std::string::npos);
  EXPECT_NE(mp.find("a -sb-> b -sw-> c -sb-> d, so a happens before d."), std::string::npos);
  EXPECT_NE(mp.find("c reads from b without synchronising: c does not acquire."), std::string::npos);
  EXPECT_NE(sb.find("The weakest orders that do: SB+sc and SB+f.sc."), std::string::npos);
  EXPECT_NE(sb.find("a -sb-> b -rb-> c -sb-> d -rb-> a"), std::string::npos);
}

TEST(explain, says_that_load_buffering_is_allowed_by_the_letter) {
  const std::string said = explain("LB");
  EXPECT_NE(said.find("by the letter of ISO C++20"), std::string::npos);
  EXPECT_NE(said.find("allowed, 4 executions"), std::string::npos);
  EXPECT_NE(said.find("Why it never happens"), std::string::npos);
}

TEST(explain, has_a_text_for_every_test_and_family_in_lines_that_fit) {
  const auto check = [](const std::string& name) {
    const std::string said = explain(name);
    EXPECT_NE(said.find(name), std::string::npos);
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u) << name << ": " << line;
  };
  for (const entry& e : corpus()) check(e.name);
  for (const std::string& f : families()) check(f);
}

TEST(explain, names_what_comes_near_a_name_that_it_does_not_know) {
  try {
    explain("MP+are");
    FAIL() << "it was explained";
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("MP+ra"), std::string::npos) << e.what();
  }
}

// ---- drawings

TEST(draw, puts_threads_in_columns_and_names_each_arrow) {
  const program p = read("MP+rlx");
  const answer a = run(p);
  ASSERT_TRUE(a.witness);
  EXPECT_EQ(draw_text(p, *a.witness),
            "  P0            | P1\n"
            "  a:  W rlx x=1 | c:  R rlx y=1\n"
            "  b:  W rlx y=1 | d:  R rlx x=0\n"
            "\n"
            "  rf   b -> c      c reads y=1 from b\n"
            "  rf   init -> d   d reads x=0 from the initial value\n"
            "  rb   d -> a      d reads what a overwrites: it is before a\n"
            "\n"
            "  outcome: 1:r0=1; 1:r1=0\n");
}

TEST(draw, makes_one_box_of_a_read_modify_write_and_shows_a_race) {
  const program counts = read("2xFAA");
  std::optional<execution> any;
  enumerate(counts, memory_model::cxx20, [&](const execution& x) { any = x; });
  ASSERT_TRUE(any);
  const drawing d = lay_out(counts, *any);
  ASSERT_EQ(d.boxes.size(), 2u);
  EXPECT_EQ(d.boxes[0].text.find("RMW rlx x="), 0u) << d.boxes[0].text;
  EXPECT_NE(d.boxes[0].text.find("->"), std::string::npos) << d.boxes[0].text;

  const program racy = read("MP+na+rlx");
  const answer a = run(racy);
  ASSERT_TRUE(a.racy);
  EXPECT_NE(draw_text(racy, *a.racy).find("a data race"), std::string::npos);
  EXPECT_NE(draw_svg(racy, *a.racy).find("url(#race)"), std::string::npos);
}

TEST(draw, writes_an_svg_with_every_event_and_escapes_what_must_be) {
  for (const entry& e : corpus()) {
    const program p = parse(e.text, e.name);
    const answer a = run(p);
    const std::optional<execution>& x = a.racy ? a.racy : a.witness;
    if (!x) continue;
    const std::string svg = draw_svg(p, *x, e.summary + " <&\">");
    EXPECT_EQ(svg.find("<svg "), 0u) << e.name;
    EXPECT_NE(svg.find("&lt;&amp;&quot;&gt;"), std::string::npos) << e.name;
    for (const drawing::box& b : lay_out(p, *x).boxes) {
      const std::string head = b.text.substr(0, b.text.find("->"));
      EXPECT_NE(svg.find(">" + head), std::string::npos) << e.name << ": " << head;
    }
  }
}

}  // namespace
}  // namespace acqrel::model::litmus
