// Litmus tests: the file format, what its constructs come to, and what is said when something is wrong. Known verdicts are
// in corpus_test.cpp and engines_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/litmus/answer.hpp"
#include "model/litmus/corpus.hpp"
#include "model/litmus/parse.hpp"

namespace {

using namespace acqrel::model::litmus;

answer answered(const std::string& text, memory_model model = memory_model::cxx20) { return run(parse(text), model); }

std::vector<std::string> states(const std::string& text, memory_model model = memory_model::cxx20) {
  const program p = parse(text);
  std::vector<std::string> found;
  for (const std::vector<number>& s : run(p, model).states) found.push_back(state_text(p, s));
  return found;
}

std::string error_of(const std::string& text, const parse_options& o = {}) {
  try {
    parse(text, "a.litmus", o);
  } catch (const syntax_error& e) {
    return e.what();
  }
  return "no error";
}

using lines = std::vector<std::string>;

/// "A4": the outcome in question is allowed, in four executions altogether; "F3".
std::string cell(const answer& a) { return (a.positive > 0 ? "A" : "F") + std::to_string(a.executions); }

// ---- the format --------------------------------------------------------------------------------------------------------

TEST(litmus, prints_states_as_herd_does) {
  const lines expected = {"1:r0=0; 1:r10=2; [x]=1;", "1:r0=0; 1:r10=2; [x]=2;", "1:r0=1; 1:r10=2; [x]=2;"};
  EXPECT_EQ(states("C S\n{}\nP0 (atomic_int* x) { atomic_store(x, 1); }\n"
                   "P1 (atomic_int* x) { int r0 = atomic_load(x); atomic_store(x, 2); int r10 = 2; }\n"
                   "locations [x; 1:r10;]\nexists (1:r0=1)"),
            expected);
}

TEST(litmus, reads_what_stands_around_a_program) {
  const program p = parse(
      "(* a comment (* in a comment *) *)\n// another\nC a+b.c-1 \"what it is\"\nCycle=Rfe PodRW Fre\nOrig = x\n"
      "{ [x] = 0x10; int y; atomic_int a[2] = {1, 2}; p = &y; q = x; 1:r7 = -3; uint64_t z = 4; std::atomic<int> w = 5 "
      "}\n"
      "void P0(volatile atomic_int *x, int* y) { /* nothing */ }\n\nP1(void) { }\n"
      "locations [y; a; 1:r7]\nregions: x:PROP\nfilter (x=16)\n~exists ((x = 1 || [x] == 2) && !(1:r7 <> -3)) (* end "
      "*)\n");
  EXPECT_EQ(p.name, "a+b.c-1");
  EXPECT_EQ(p.description, "what it is");
  ASSERT_EQ(p.info.size(), 2u);
  EXPECT_EQ(p.info[1].second, "x");
  EXPECT_EQ(to_text(p, p.final), "~exists (([x]=1 \\/ [x]=2) /\\ not (not (1:r7=-3)))");
  const answer a = run(p);
  ASSERT_EQ(a.states.size(), 1u);
  EXPECT_EQ(state_text(p, a.states[0]), "1:r7=-3; [a[0]]=1; [a[1]]=2; [x]=16; [y]=0;");
  EXPECT_TRUE(a.ok(p.final));
}

TEST(litmus, reads_every_way_to_write_an_operation) {
  const lines one = {"0:a=1; 0:b=2; 0:c=6; 0:d=1; 0:e=7; 0:f=5; 0:g=1; 0:h=1; [x]=5; [y]=9;"};
  EXPECT_EQ(states("C ops\n{}\nP0 (atomic_int* x, int* y) {\n"
                   "  atomic_init(x, 0);\n"
                   "  x->store(1, std::memory_order_release);\n"
                   "  int a = atomic_load_explicit(x, memory_order::acquire), b;\n"
                   "  atomic_fetch_add(x, 1);\n"
                   "  b = __atomic_load_n(x, __ATOMIC_SEQ_CST);\n"
                   "  atomic_fetch_or_explicit(x, 4, memory_order_acq_rel);\n"
                   "  int c = std::atomic_load(x);\n"
                   "  bool d = atomic_exchange(x, 7) == 6 && (*y) == 0 ? true : false;\n"
                   "  auto e = x->fetch_sub(2);\n"
                   "  int f = 5;\n"
                   "  int g = atomic_compare_exchange_strong(x, &f, f);\n"
                   "  std::atomic_thread_fence(std::memory_order_seq_cst);\n"
                   "  *y = 3; *y += 2 * 3;\n"
                   "  int h = (int) !(*y - 9);\n"
                   "}\nlocations [0:a;0:b;0:c;0:d;0:e;0:f;0:g;0:h;x;y]"),
            one);
}

TEST(litmus, takes_the_expected_value_from_a_register_or_a_location) {
  const std::string threads =
      "P0 (atomic_int* x) { atomic_store_explicit(x, 1, memory_order_relaxed); }\n"
      "P1 (atomic_int* x, int* z) {\n";
  // Fails where it finds 1, and then leaves that in the place of what was expected.
  const lines expected = {"1:r=0; [x]=1; [z]=1;", "1:r=1; [x]=1; [z]=0;", "1:r=1; [x]=2; [z]=0;"};
  // "x=2" needs the exchange to come after the store, where it finds 1 and fails: so it does not appear.
  const lines found = states("C cas\n{}\n" + threads +
                             "  int r = atomic_compare_exchange_strong_explicit(x, z, 2, memory_order_acquire, "
                             "memory_order_relaxed);\n}\nlocations [1:r; x; z]");
  EXPECT_EQ(found, (lines{expected[0], expected[1]}));
  EXPECT_EQ(states("C cas\n{}\n" + threads +
                   "  int e = 0; int r = 0; if (atomic_compare_exchange_strong(x, &e, 2)) r = 1; *z = e;\n}\n"
                   "locations [1:r; x; z]"),
            found);
}

TEST(litmus, lets_a_weak_compare_exchange_fail_for_no_reason) {
  const std::string text =
      "C weak\n{}\nP0 (atomic_int* x) { int e = 0; int r = atomic_compare_exchange_weak(x, &e, 1); }\n";
  EXPECT_EQ(states(text + "exists (0:r=0)"), (lines{"0:r=0;", "0:r=1;"}));
  EXPECT_EQ(states("C strong\n{}\nP0 (atomic_int* x) { int e = 0; int r = atomic_compare_exchange_strong(x, &e, 1); }\n"
                   "exists (0:r=0)"),
            lines{"0:r=1;"});
}

TEST(litmus, branches_on_what_was_read) {
  const answer a = answered(
      "C MP+ctrl\n{}\nP0 (int* d, atomic_int* f) { *d = 42; atomic_store_explicit(f, 1, memory_order_release); }\n"
      "P1 (int* d, atomic_int* f) { int r = -1; if (atomic_load_explicit(f, memory_order_acquire)) r = *d; else { } }\n"
      "exists (1:r=0)");
  EXPECT_EQ(a.executions, 2u);
  EXPECT_EQ(a.positive, 0u);
  EXPECT_FALSE(a.racy);
}

TEST(litmus, stops_at_the_second_operand_only_if_the_first_says_so) {
  const std::string text = "C and\n{}\nP0 (int* x, int* y) { int r = *x && *y; int s = *x || *y; }\n";
  const program p = parse(text);
  enumerate(p, memory_model::cxx20, [](const execution& x) {
    unsigned reads = 0;
    for (const event& e : x.events) reads += e.what == action::read ? 1 : 0;
    EXPECT_EQ(reads, 3u);
  });
}

TEST(litmus, follows_pointers_and_elements) {
  const answer a = answered(
      "C pointer\n{ p = &a; }\nP0 (atomic_int* a, atomic_int* b, int** p) { *b = 1; *p = b; }\n"
      "P1 (int** p, atomic_int* q) { int* r = *p; int s = *r; }\nexists (1:r=b /\\ 1:s=0)");
  EXPECT_TRUE(a.racy);
  EXPECT_EQ(a.positive, 1u);
  EXPECT_EQ(states("C array\n{ int a[2] = {5, 6}; }\nP0 (int* a) { int r = a[1]; int s = *(a + 0); a[0] = 7; }\n"
                   "locations [0:r; 0:s; a[0]]"),
            lines{"0:r=6; 0:s=5; [a[0]]=7;"});
}

TEST(litmus, runs_the_first_turns_of_a_loop_and_says_what_it_left_out) {
  const std::string text =
      "C spin\n{}\nP0 (int* d, atomic_int* f) { *d = 1; atomic_store_explicit(f, 1, memory_order_release); }\n"
      "P1 (int* d, atomic_int* f) { while (atomic_load_explicit(f, memory_order_acquire) == 0) { } int r = *d; }\n"
      "forall (1:r=1)";
  const answer a = answered(text);
  EXPECT_TRUE(a.cut);
  EXPECT_EQ(a.seen(), observation::always);
  EXPECT_EQ(a.executions, 5u);  // it reads 1 at once, or after one to four zeros
  EXPECT_NE(error_of(text, {0}).find("--unroll"), std::string::npos);
  EXPECT_EQ(states("C for\n{}\nP0 (int* x) { for (int i = 0; i < 3; i++) *x += i; do { *x += 10; } while (*x < 20); }\n"
                   "locations [x]"),
            lines{"[x]=23;"});
}

TEST(litmus, leaves_out_what_the_filter_refuses) {
  const std::string text =
      "C SB\n{}\nP0 (atomic_int* x, atomic_int* y) { atomic_store(x, 1); int r = atomic_load(y); }\n"
      "P1 (atomic_int* x, atomic_int* y) { atomic_store(y, 1); int r = atomic_load(x); }\n";
  EXPECT_EQ(answered(text + "filter (0:r=1)\nforall (1:r=0 \\/ 1:r=1)").executions, 2u);
  EXPECT_EQ(answered(text).executions, 3u);
}

TEST(litmus, takes_a_plain_access_for_plain_whatever_was_declared) {
  const answer a =
      answered("C na\n{}\nP0 (atomic_int* x) { *x = 1; }\nP1 (atomic_int* x) { int r = atomic_load(x); }\n");
  ASSERT_TRUE(a.racy);
  const execution& x = *a.racy;
  ASSERT_TRUE(x.race);
  EXPECT_NE(x.events[x.race->first].thread, x.events[x.race->second].thread);
  EXPECT_EQ(a.seen(), observation::always);
}

TEST(litmus, makes_no_values_out_of_thin_air_but_those_that_stand_in_the_program) {
  const std::string data =
      "C oota\n{}\nP0 (atomic_int* x, atomic_int* y) { int r = atomic_load_explicit(x, "
      "memory_order_relaxed); atomic_store_explicit(y, r, memory_order_relaxed); }\n"
      "P1 (atomic_int* x, atomic_int* y) { int r = atomic_load_explicit(y, memory_order_relaxed); "
      "atomic_store_explicit(x, r, memory_order_relaxed); }\nexists (not (0:r=0))";
  EXPECT_EQ(cell(answered(data)), "F3");
  const std::string control =
      "C control\n{}\nP0 (atomic_int* x, atomic_int* y) { if (atomic_load_explicit(x, "
      "memory_order_relaxed) == 42) atomic_store_explicit(y, 42, memory_order_relaxed); }\n"
      "P1 (atomic_int* x, atomic_int* y) { if (atomic_load_explicit(y, memory_order_relaxed) == 42) "
      "atomic_store_explicit(x, 42, memory_order_relaxed); }\nexists (x=42)";
  EXPECT_EQ(cell(answered(control)), "F1");
  EXPECT_EQ(cell(answered(control, memory_model::iso)), "A2");
}

TEST(litmus, hands_out_the_execution_it_found) {
  const answer a = answered(find_entry("MP+rlx")->text);
  ASSERT_TRUE(a.witness);
  const execution& x = *a.witness;
  EXPECT_EQ(x.events.size(), 6u);  // two initial writes, four accesses
  EXPECT_EQ(x.rf.size(), 2u);
  EXPECT_EQ(x.mo.size(), 2u);
  EXPECT_EQ(x.rb.size(), 1u);
  EXPECT_TRUE(x.sw.empty());
  EXPECT_EQ(x.hb.size(), 2u);
  const answer ra = answered(find_entry("WRC+ra")->text);
  EXPECT_FALSE(ra.witness);
}

TEST(litmus, notes_orders_that_an_operation_can_not_have) {
  const program p =
      parse("C odd\n{}\nP0 (atomic_int* x) { atomic_store_explicit(x, 1, memory_order_acquire); }\n", "odd.litmus");
  ASSERT_EQ(p.notes.size(), 1u);
  EXPECT_EQ(p.notes[0].find("odd.litmus:3:22: a store can not acquire"), 0u) << p.notes[0];
}

TEST(litmus, takes_a_register_for_one_even_if_another_thread_has_a_location_of_that_name) {
  EXPECT_EQ(states("C shadow\n{}\nP0 (int* x, int* y) { *y = 3; }\nP1 (int* x) { int y = 1; y = y + 1; y += 2; y++; }\n"
                   "exists (1:y=5 /\\ y=3)"),
            lines{"1:y=5; [y]=3;"});
}

// ---- errors ------------------------------------------------------------------------------------------------------------

TEST(litmus, says_where_and_what_was_expected) {
  EXPECT_EQ(error_of("C t\n{}\nP0 (atomic_int* x) {\n\tatomic_store(x 1);\n}\n"),
            "a.litmus:4:17: expected `,` before the value, found `1`\n  \tatomic_store(x 1);\n  \t               ^");
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "a.litmus:1:1: expected `C NAME` on the first line"},
      {"AArch64 MP\n{}\n", "begins with `AArch64`"},
      {"C t\nexists (x=1)\n", "a.litmus:2:1: expected"},
      {"C t\n{ x = }\n", "a.litmus:2:7: expected a number"},
      {"C t\n{}\nexists (x=1)\n", "a.litmus:3:1: expected a thread"},
      {"C t\n{}\nP1 (int* x) {}\n", "expected thread `P0`, found `P1`"},
      {"C t\n{}\nP0 (int x) {}\n", "expected a pointer to a location"},
      {"C t\n{}\nP0 (int* x) { int r = *z; }\n", "a.litmus:3:24: `z` is not declared here"},
      {"C t\n{}\nP0 (int* x) { int r = READ_ONCE(*x); }\n", "belongs to the Linux kernel's memory model"},
      {"C t\n{}\nP0 (int* x) { mtx_lock(x); }\n", "`mtx_lock` is not modelled"},
      {"C t\n{}\nP0 (int* x) { int r = atomic_lod(x); }\n", "is not a function this knows"},
      {"C t\n{}\nP0 (int* x) { atomic_thread_fence(acquire); }\n", "expected a memory order such as"},
      {"C t\n{}\nP0 (int* x) { *x = 1;\n", "has no end: expected `}`"},
      {"C t\n{}\nP0 (int* x) { return; }\n", "`return` is not modelled"},
      {"C t\n{}\nP0 (int* x) { x; }\n", "this statement has no effect"},
      {"C t\n{}\nP0 (int* x) {}\nexists (0:r0=1)", "a.litmus:4:11: thread 0 has no register `r0`"},
      {"C t\n{}\nP0 (int* x) {}\nexists (1:r0=1)", "a.litmus:4:9: there is no thread 1"},
      {"C t\n{}\nP0 (int* x) {}\nexists (y=1)", "`y` is not a location of this test"},
      {"C t\n{}\nP0 (int* x) {}\nexists (x=1",
       "a.litmus:4:12: expected `)` after the condition, found the end of the file"},
      {"C t\n{}\nP0 (int* x) {}\nexists (x=1) (x=2)", "expected `/\\`, `\\/` or the end of the file, found `(`"},
      {"C t\n{}\nP0 (int* x) { int r = 99999999999999999999; }\n", "is not a number this can read"},
      {"C t\n{} (* never closed", "this comment has no end"},
      {"C t\n{}\nP0 (int* x) { int r = " + std::string(100'000, '(') + "1; }\n", "nested too deeply"},
      {"C t\n{}\nP0 (int* x) " + std::string(100'000, '{'), "has no end"},
      {"C t\n{}\nP0 (int* x) " + std::string(1000, '{') + std::string(1000, '}'), "nested too deeply"},
      {"C t\n{}\nP0 (int* x) { }\nexists " + std::string(100'000, '('), "nested too deeply"},
  };
  for (const auto& [text, message] : wrong) {
    EXPECT_NE(error_of(text).find(message), std::string::npos) << text << "\n-> " << error_of(text);
  }
}

TEST(litmus, says_when_an_address_is_none) {
  try {
    run(parse("C null\n{}\nP0 (int* x) { int* r = *x; int s = *r; }\n", "null.litmus"));
    ADD_FAILURE() << "0 is no address";
  } catch (const bad_address& e) {
    EXPECT_EQ(std::string(e.what()),
              "null.litmus:3:36: P0 reaches this with the address 0, at which there is no location");
  }
}

TEST(litmus, says_when_a_test_is_too_large) {
  std::string text = "C large\n{}\nP0 (atomic_int* x) {\n";
  for (int i = 0; i < 64; ++i) text += "  atomic_store(x, 1);\n";
  EXPECT_THROW(answered(text + "}\n"), too_large);
  EXPECT_THROW(run(parse(find_entry("5xFAA")->text), memory_model::cxx20, 100), too_large);
  EXPECT_EQ(run(parse(find_entry("5xFAA")->text), memory_model::cxx20, 120).executions, 120u);
}

}  // namespace
