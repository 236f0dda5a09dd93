// The sites of sites_traced.cpp, by the return addresses of what the compiler makes of its atomic operations.
// SPDX-License-Identifier: Apache-2.0
#include "model/runtime/sites.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sites_traced.hpp"

namespace {

using acqrel::model::edge_tag;
using acqrel::model::order;
using acqrel::model::site;

/// Return addresses in the order of the calls.
std::vector<const void*> met;

void meet(const void* return_address) { met.push_back(return_address); }

}  // namespace

// ---- the interface between instrumented code and its runtime, as far as sites_traced.cpp needs it
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_read4(void*) {}
void __tsan_write4(void*) {}
int __tsan_atomic32_load(const volatile int* at, int) {
  meet(__builtin_return_address(0));
  return *at;
}
void __tsan_atomic32_store(volatile int* at, int to, int) {
  meet(__builtin_return_address(0));
  *at = to;
}
int __tsan_atomic32_exchange(volatile int* at, int to, int) {
  meet(__builtin_return_address(0));
  const int before = *at;
  *at = to;
  return before;
}
int __tsan_atomic32_fetch_add(volatile int* at, int by, int) {
  meet(__builtin_return_address(0));
  const int before = *at;
  *at = before + by;
  return before;
}
int __tsan_atomic32_compare_exchange_strong(volatile int* at, int* expected, int to, int, int) {
  meet(__builtin_return_address(0));
  const int before = *at;
  if (before == *expected) {
    *at = to;
    return 1;
  }
  *expected = before;
  return 0;
}
int __tsan_atomic32_compare_exchange_val(volatile int* at, int expected, int to, int, int) {  // clang's
  meet(__builtin_return_address(0));
  const int before = *at;
  if (before == expected) *at = to;
  return before;
}
void __tsan_atomic_thread_fence(int) { meet(__builtin_return_address(0)); }
}

namespace {

/// The operations on the lines that say `at: NAME`.
const std::multimap<std::string, const void*>& operations() {
  static const std::multimap<std::string, const void*> all = [] {
    traced::run();
    traced::run_what_is_gone();
    std::multimap<std::string, const void*> named;
    for (const void* address : met) {
      const std::string& text = acqrel::model::site_of(address).text;
      const std::size_t at = text.find("at: ");
      named.emplace(at == std::string::npos ? text : text.substr(at + 4), address);
    }
    return named;
  }();
  return all;
}

const void* operation(const std::string& name) {
  const auto found = operations().find(name);
  EXPECT_NE(found, operations().end()) << name;
  return found == operations().end() ? nullptr : found->second;
}

std::vector<std::string> names_at(const std::string& operation_name) {
  std::vector<std::string> names;
  for (const edge_tag& tag : acqrel::model::site_of(operation(operation_name)).edges) names.push_back(tag.name);
  return names;
}

using names = std::vector<std::string>;

/// Until the end of the scope these edges are weakened.
class weakening {
 public:
  explicit weakening(const std::vector<std::string>& edges) { acqrel::model::weaken(edges); }
  ~weakening() { acqrel::model::weaken({}); }
  weakening(const weakening&) = delete;
  weakening& operator=(const weakening&) = delete;
};

order order_at(const std::string& name, order written) { return acqrel::model::effective(operation(name), written); }
order failing_at(const std::string& name, order written) {
  return acqrel::model::effective_on_failure(operation(name), written);
}

names tags_of(const std::vector<std::string>& lines, int line) {
  names found;
  for (const edge_tag& tag : acqrel::model::tags_at(lines, line)) found.push_back(tag.name);
  return found;
}

// ---- resolving

TEST(sites, each_operation_is_on_its_line) {
  for (const char* name : {"store", "wide", "claim", "two", "both", "first", "plain", "behind", "untagged", "fence",
                           "inlined", "caller"}) {
    const site& found = acqrel::model::site_of(operation(name));
    EXPECT_TRUE(found.file.ends_with("sites_traced.cpp")) << found.file;
    EXPECT_EQ(found.brief(), "sites_traced.cpp:" + std::to_string(found.line));
  }
}

TEST(sites, a_function_inlined_twice_is_one_line_with_its_own_name) {
  EXPECT_EQ(operations().count("inlined"), 2u);
  EXPECT_NE(acqrel::model::site_of(operation("inlined")).function.find("inlined_into_two"), std::string::npos);
  EXPECT_EQ(acqrel::model::site_of(operation("store")).function, "traced::run()");
}

TEST(sites, an_address_of_nothing_is_shown_as_it_is) {
  const site& found = acqrel::model::site_of(reinterpret_cast<const void*>(0x1234));
  EXPECT_EQ(found.line, 0);
  EXPECT_EQ(found.brief(), "0x1234");
}

TEST(sites, a_source_that_is_not_there_has_a_line_and_no_text) {
  const site& found = acqrel::model::site_of(operation(""));
  EXPECT_EQ(found.brief(), "away.cpp:7");
  EXPECT_EQ(found.function, "traced::run_what_is_gone()");
  acqrel::model::forget_edges();
  order_at("store", order::release);
  EXPECT_EQ(acqrel::model::unread_sources(), names{});
  order_at("", order::release);
  EXPECT_EQ(acqrel::model::unread_sources(), names{found.file});
}

TEST(sites, what_is_asked_again_is_the_same_object) {
  EXPECT_EQ(&acqrel::model::site_of(operation("store")), &acqrel::model::site_of(operation("store")));
}

TEST(sites, thousands_of_addresses_are_kept_apart) {
  for (std::uintptr_t address = 1; address < 3000; ++address)
    EXPECT_EQ(acqrel::model::effective(reinterpret_cast<const void*>(address), order::acquire), order::acquire);
  for (std::uintptr_t address = 1; address < 3000; ++address)
    EXPECT_EQ(acqrel::model::site_of(reinterpret_cast<const void*>(address)).address,
              reinterpret_cast<const void*>(address));
  acqrel::model::forget_edges();
}

// ---- tags

TEST(sites, tags_stand_above_a_statement_on_it_or_behind_it) {
  EXPECT_EQ(names_at("store"), names{"traced.store"});
  EXPECT_EQ(names_at("wide"), names{"traced.wide"});
  EXPECT_EQ(names_at("claim"), names{"traced.claim"});
  EXPECT_EQ(names_at("behind"), names{"traced.behind"});
  EXPECT_EQ(names_at("fence"), names{"traced.fence"});
  EXPECT_EQ(names_at("inlined"), names{"traced.inlined"});
  EXPECT_EQ(names_at("two"), (names{"traced.left", "traced.right"}));
  EXPECT_EQ(names_at("untagged"), names{});
  EXPECT_EQ(names_at("caller"), names{});
}

TEST(sites, of_several_operations_in_a_statement_each_has_its_own) {
  EXPECT_EQ(names_at("first"), names{"traced.first"});
  EXPECT_EQ(names_at("plain"), names{});
}

TEST(sites, a_tag_says_both_orders_of_a_compare_exchange) {
  const edge_tag wide = acqrel::model::site_of(operation("wide")).edges.at(0);
  EXPECT_EQ(wide.success, order::acq_rel);
  EXPECT_EQ(wide.failure, order::acquire);
  const edge_tag claim = acqrel::model::site_of(operation("claim")).edges.at(0);
  EXPECT_EQ(claim.success, order::acquire);
  EXPECT_EQ(claim.failure, order::relaxed);
}

TEST(sites, words_that_only_look_like_a_tag_are_prose) {
  for (const char* prose :
       {"// edge of the queue: release", "// edge a.b", "// edge a.b: strong", "// the edge a.b: release",
        "// edges a.b: release", "const char* text = \"// edge a.b: release\";"})
    EXPECT_EQ(tags_of({"f();", prose, "x.store(1);"}, 3), names{}) << prose;
}

TEST(sites, a_tag_belongs_to_no_other_statement) {
  const std::vector<std::string> lines = {"// edge a.b: release",
                                          "x.store(1);",
                                          "y.store(1);",
                                          "if (c) {",
                                          "  z.store(1);",
                                          "}",
                                          "w.store(1);  // edge a.c: release",
                                          "v.store(1);"};
  EXPECT_EQ(tags_of(lines, 2), names{"a.b"});
  for (int line : {3, 4, 5, 8}) EXPECT_EQ(tags_of(lines, line), names{}) << line;
}

TEST(sites, labels_and_blank_lines_end_a_statement) {
  EXPECT_EQ(tags_of({"// edge a.b: release", "", "x.store(1);"}, 3), names{});
  EXPECT_EQ(tags_of({"case 1:", "// edge a.b: release", "x.store(1);"}, 3), names{"a.b"});
  EXPECT_EQ(tags_of({"x = y ? z", "// edge a.b: acquire", ": w.load();"}, 3), names{"a.b"});
}

TEST(sites, a_call_that_is_resolved_to_a_later_line_has_the_tag_above_its_first) {
  const std::vector<std::string> lines = {"f();", "// edge a.b: release", "queue[i]", "    .word", "    .store(1);"};
  for (int line : {3, 4, 5}) EXPECT_EQ(tags_of(lines, line), names{"a.b"}) << line;
}

TEST(sites, a_line_outside_the_file_has_no_tags) {
  EXPECT_EQ(tags_of({"// edge a.b: release"}, 7), names{});
  EXPECT_EQ(tags_of({}, 0), names{});
}

// ---- weakening

TEST(sites, shipped_every_order_is_as_written) {
  for (const char* name : {"store", "wide", "two", "fence", "untagged"})
    for (order o : {order::relaxed, order::acquire, order::release, order::acq_rel, order::seq_cst}) {
      EXPECT_EQ(order_at(name, o), o);
      EXPECT_EQ(failing_at(name, o), o);
    }
}

TEST(sites, a_weakened_edge_is_relaxed_where_it_is_tagged_and_only_there) {
  const weakening w({"traced.store"});
  EXPECT_EQ(order_at("store", order::release), order::relaxed);
  EXPECT_EQ(order_at("behind", order::release), order::release);
  EXPECT_EQ(order_at("untagged", order::seq_cst), order::seq_cst);
  EXPECT_TRUE(acqrel::model::weakened(operation("store")));
  EXPECT_FALSE(acqrel::model::weakened(operation("behind")));
}

TEST(sites, both_orders_of_a_compare_exchange_are_weakened) {
  const weakening w({"traced.wide", "traced.claim"});
  EXPECT_EQ(order_at("wide", order::acq_rel), order::relaxed);
  EXPECT_EQ(failing_at("wide", order::acquire), order::relaxed);
  EXPECT_EQ(order_at("claim", order::acquire), order::relaxed);
  EXPECT_EQ(failing_at("claim", order::relaxed), order::relaxed);
}

TEST(sites, of_an_operation_on_two_edges_only_the_weakened_part_goes) {
  {
    const weakening w({"traced.out"});
    EXPECT_EQ(order_at("both", order::acq_rel), order::acquire);
  }
  {
    const weakening w({"traced.in"});
    EXPECT_EQ(order_at("both", order::acq_rel), order::release);
  }
  const weakening w({"traced.in", "traced.out"});
  EXPECT_EQ(order_at("both", order::acq_rel), order::relaxed);
}

TEST(sites, an_edge_keeps_what_it_says_of_an_operation_it_shares_with_a_weakened_one) {
  {
    const weakening w({"traced.left"});
    EXPECT_EQ(order_at("two", order::seq_cst), order::seq_cst);
    EXPECT_TRUE(acqrel::model::weakened(operation("two")));
  }
  const weakening w({"traced.left", "traced.right"});
  EXPECT_EQ(order_at("two", order::seq_cst), order::relaxed);
}

TEST(sites, what_a_tag_leaves_of_seq_cst_is_in_no_total_order) {
  const weakening w({"traced.store"});  // says release
  EXPECT_EQ(order_at("store", order::seq_cst), order::acquire);
}

TEST(sites, shipped_again_after_a_weakening) {
  {
    const weakening w({"traced.fence"});
    EXPECT_EQ(order_at("fence", order::seq_cst), order::relaxed);
  }
  EXPECT_EQ(order_at("fence", order::seq_cst), order::seq_cst);
  const weakening w({"traced.store"});
  EXPECT_EQ(order_at("fence", order::seq_cst), order::seq_cst);
}

// ---- what was met

TEST(sites, edges_are_listed_in_order_of_first_meeting) {
  acqrel::model::forget_edges();
  for (const char* name : {"two", "store", "untagged", "store", "two"}) order_at(name, order::seq_cst);
  EXPECT_EQ(acqrel::model::edges_met(), (names{"traced.left", "traced.right", "traced.store"}));
  acqrel::model::forget_edges();
  EXPECT_EQ(acqrel::model::edges_met(), names{});
  EXPECT_EQ(acqrel::model::unread_sources(), names{});
}

}  // namespace
