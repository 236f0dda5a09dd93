// What a person reads of an execution, of a result, of a token; and when prove() is content.
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <acqrel/testing/model.hpp>

#include "model/core/explorer.hpp"
#include "model/report/labels.hpp"
#include "model/report/report.hpp"

namespace {

using namespace acqrel::model;

struct thrower final : trouble {
  [[noreturn]] void nondeterministic(const std::string& what) override { throw std::runtime_error(what); }
  [[noreturn]] void bound_hit(const std::string& what) override { throw std::length_error(what); }
};

// The source of the programs below; a site is a pointer to one of its lines.
const char* const lines[] = {
    "node->next_ = head;",
    "ready_.store(true, std::memory_order_release);",
    "if (q->ready_.load(std::memory_order_acquire)) use(*node);",
    "tail_.fetch_add(1, std::memory_order_acq_rel);",
    "slots_[i].store(v, std::memory_order_relaxed);",
    "std::thread reader(read);",
};
const void* line(unsigned n) { return &lines[n]; }
source where(const void* site) {
  const auto n = static_cast<const char* const*>(site) - lines;
  return {"queue.hpp:" + std::to_string(10 + n), lines[n]};
}

using step = std::function<void(explorer&, thread_id)>;
using program = std::vector<std::vector<step>>;

step load(location l, order o, unsigned source_line) {
  return [=](explorer& tree, thread_id t) { tree.load(t, l, 0, o, line(source_line)); };
}
step store(location l, value v, order o, unsigned source_line) {
  return [=](explorer& tree, thread_id t) { tree.store(t, l, 0, v, o, line(source_line)); };
}
step add(location l, value v, order o) {
  return [=](explorer& tree, thread_id t) { tree.rmw(t, l, 0, {update::add, 4, v, 0, o, o}, line(3)); };
}
step compare_exchange(location l, value expected, value to) {
  return [=](explorer& tree, thread_id t) {
    tree.rmw(t, l, 0, {update::compare_exchange, 4, to, expected, order::seq_cst, order::relaxed}, nullptr);
  };
}
step fence(order o) {
  return [=](explorer& tree, thread_id t) { tree.fence(t, kind::fence, o, nullptr); };
}

/// Thread 0 makes the others, then joins them.
void run(explorer& tree, const program& p) {
  std::vector<std::vector<step>> all(p.size() + 1);
  for (std::size_t i = 0; i < p.size(); ++i) {
    all[0].push_back([](explorer& e, thread_id t) { e.create(t, line(5)); });
    all[i + 1] = p[i];
    all[i + 1].insert(all[i + 1].begin(), [](explorer& e, thread_id t) { e.start(t); });
    all[i + 1].push_back([](explorer& e, thread_id t) { e.end(t); });
  }
  for (std::size_t i = 0; i < p.size(); ++i)
    all[0].push_back([i](explorer& e, thread_id t) { e.join(t, static_cast<thread_id>(i + 1), nullptr); });
  all[0].insert(all[0].begin(), [](explorer& e, thread_id t) { e.start(t); });
  all[0].push_back([](explorer& e, thread_id t) { e.end(t); });
  std::vector<std::size_t> at(all.size(), 0);
  const auto may = [&](std::size_t t) {
    if (at[t] == all[t].size()) return false;
    if (t > 0) return at[0] > t;  // made
    return at[0] < 1 + p.size() || at[0] > 2 * p.size() ||
           at[at[0] - p.size()] == all[at[0] - p.size()].size();  // joins
  };
  for (;;) {
    std::size_t t = 0;
    if (const auto s = tree.scheduled())
      t = *s;
    else
      while (t < all.size() && !may(t)) ++t;
    if (t == all.size()) return;
    all[t][at[t]++](tree, static_cast<thread_id>(t));
  }
}

telling wide() {
  telling how;
  how.width = 200;  // nothing is broken into lines
  return how;
}

/// Each execution of the program, printed.
std::vector<std::string> printed(const program& p, telling how = wide()) {
  how.where = where;
  thrower stop;
  explorer tree({}, stop);
  std::vector<std::string> out;
  while (tree.next()) {
    run(tree, p);
    out.push_back(print_execution(tree.execution(), how));
    tree.finish(true);
  }
  return out;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The execution that shows this.
std::string with(const std::vector<std::string>& all, const std::string& part) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const std::string& s) { return contains(s, part); });
  return found == all.end() ? "no execution shows `" + part + "` but these:\n" +
                                  [&] {
                                    std::string text;
                                    for (const std::string& s : all) text += s + "\n";
                                    return text;
                                  }()
                            : *found;
}

unsigned widest(const std::string& text) {
  std::size_t most = 0, begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    most = std::max(most, end - begin);
  return static_cast<unsigned>(most);
}

const program message_passing = {{store(1, 7, order::relaxed, 4), store(2, 1, order::release, 1)},
                                 {load(2, order::acquire, 2), load(1, order::relaxed, 0)}};

// ---- semantics ---- an execution

TEST(printed_execution, is_columns_with_their_source_lines) {
  EXPECT_EQ(with(printed(message_passing, telling{}), "ready_.load(acquire) = 1"),
            R"(       thread 0         thread 1                     thread 2                              queue.hpp
 [1]   starts thread 1                                                                     :15  std::thread reader(read);
 [2]   starts thread 2                                                                     :15  std::thread reader(read);
 [3]                    slots_[i].store(7, relaxed)                                        :14  slots_[i].store(v, std::memory_order_relaxed
 [4]                    ready_.store(1, release)                                           :11  ready_.store(true, std::memory_order_release
 [5]                                                 ready_.load(acquire) = 1 from [4]     :12  if (q->ready_.load(std::memory_order_acquire
 [6]                                                 slots_[i].load(relaxed) = 7 from [3]  :10  node->next_ = head;
 [7]   joins thread 1
 [8]   joins thread 2
between threads
  [5] comes after [4], through ready_, release to acquire
modification orders
  slots_[i]  0 initial, 7 [3]
  ready_     0 initial, 1 [4]
)");
}

TEST(printed_execution, says_who_comes_after_whom) {
  const std::string read = with(printed(message_passing), "ready_.load(acquire) = 1");
  EXPECT_TRUE(contains(read, "[5] comes after [4], through ready_, release to acquire")) << read;
  const std::string missed = with(printed(message_passing), "ready_.load(acquire) = 0");
  EXPECT_FALSE(contains(missed, "comes after")) << missed;
}

TEST(printed_execution, says_which_read_orders_nothing_and_why) {
  const std::string relaxed =
      with(printed({{store(2, 1, order::relaxed, 1)}, {load(2, order::acquire, 2)}}), "from [3]");
  EXPECT_TRUE(contains(relaxed, "[4] reads from [3] and does not come after it: the write is relaxed")) << relaxed;
  const std::string fenced = with(
      printed({{store(2, 1, order::release, 1)}, {load(2, order::relaxed, 2), fence(order::acquire)}}), "from [3]");
  EXPECT_FALSE(contains(fenced, "does not come after")) << fenced;
  EXPECT_TRUE(contains(fenced, "[5] comes after [3], through the acquire fence and an earlier read")) << fenced;
}

TEST(printed_execution, says_when_an_old_value_is_read) {
  const std::string stale = with(printed(message_passing), "slots_[i].load(relaxed) = 0");
  EXPECT_TRUE(contains(stale, "slots_[i].load(relaxed) = 0 initial, not [3]")) << stale;
}

TEST(printed_execution, joins_the_halves_of_a_read_modify_write) {
  const std::string both = with(printed({{add(1, 1, order::acq_rel)}, {add(1, 1, order::acq_rel)}}), "of 1 from");
  EXPECT_TRUE(contains(both, "tail_.fetch_add(1, acq_rel) of 0 initial")) << both;
  EXPECT_TRUE(contains(both, "  tail_  0 initial, 1 [3], 2 [4]\n") ||
              contains(both, "  tail_  0 initial, 1 [4], 2 [3]\n"))
      << both;
}

TEST(printed_execution, says_whether_a_compare_exchange_failed) {
  const auto all = printed({{compare_exchange(1, 0, 5)}, {compare_exchange(1, 0, 6)}});
  EXPECT_TRUE(contains(with(all, "fails"), "A.compare_exchange(0 -> 5, seq_cst) initial")) << all[0];
  EXPECT_TRUE(contains(with(all, "fails: 5"), "A.compare_exchange(0 -> 6, relaxed) fails: 5 from [3]")) << all[0];
}

TEST(printed_execution, points_at_the_trouble) {
  telling how = wide();
  how.racing = true;
  how.marks = {{1, 1, "writes `node`, 8 bytes", line(0)}, {2, 2, "reads `node`, 8 bytes", line(0)}};
  const std::string race =
      with(printed({{store(1, 7, order::relaxed, 1)}, {load(1, order::relaxed, 2)}}, how), "= 7 from");
  EXPECT_TRUE(contains(race, ">[3]                    writes `node`, 8 bytes")) << race;
  EXPECT_TRUE(contains(race, "[3] and [6]: neither comes before the other")) << race;
}

TEST(printed_execution, does_not_call_ordered_places_unordered) {
  telling how = wide();
  how.racing = true;
  how.marks = {{1, 1, "frees the block", line(0)}, {2, 2, "reads the block", line(0)}};
  const std::string after =
      with(printed({{store(1, 7, order::release, 1)}, {load(1, order::acquire, 2)}}, how), "= 7 from");
  EXPECT_FALSE(contains(after, "neither")) << after;
}

TEST(printed_execution, does_not_call_waits_unordered) {
  telling how = wide();
  how.marks = {{1, 1, "waits for thread 2 to end", line(5)}, {2, 1, "waits for thread 1 to end", line(5)}};
  const std::string stuck = printed({{store(1, 7, order::relaxed, 1)}, {load(1, order::relaxed, 2)}}, how)[0];
  EXPECT_TRUE(contains(stuck, "waits for thread 2")) << stuck;
  EXPECT_FALSE(contains(stuck, "neither")) << stuck;
}

TEST(printed_execution, leaves_out_what_was_not_reached) {
  telling how = wide();
  how.made = std::array<unsigned, max_threads>{};
  (*how.made)[0] = 3;
  (*how.made)[1] = 2;
  (*how.made)[2] = 1;
  for (const std::string& text : printed(message_passing, how)) {
    EXPECT_TRUE(contains(text, "slots_[i].store(7, relaxed)")) << text;
    EXPECT_FALSE(contains(text, "ready_")) << text;
  }
}

TEST(printed_execution, keeps_to_its_width) {
  EXPECT_LE(widest(with(printed(message_passing, telling{}), "= 7 from")), 140u);
  const program wide(6, {store(1, 1'000'000'007, order::seq_cst, 4), add(2, 100'000, order::acq_rel)});
  thrower stop;
  explorer tree({}, stop);
  ASSERT_TRUE(tree.next());
  run(tree, wide);
  telling how;
  how.where = where;
  const std::string text = print_execution(tree.execution(), how);
  EXPECT_LE(widest(text), 140u) << text;
  for (const char* part :
       {"starts thread 6", "0x3b9aca07", "0x186a0,", "\nsource queue.hpp\n [1]   :15  std::thread reader(read);\n"})
    EXPECT_TRUE(contains(text, part)) << text;
}

TEST(printed_execution, tells_objects_of_one_name_apart) {
  const std::string two = printed({{store(1, 1, order::relaxed, 1), store(2, 1, order::relaxed, 1)}})[0];
  EXPECT_TRUE(contains(two, "ready_.store(1, relaxed)")) << two;
  EXPECT_TRUE(contains(two, "ready_#2.store(1, relaxed)")) << two;
}

TEST(printed_execution, takes_the_name_the_checker_knows) {
  telling how = wide();
  how.object = [](location l) { return l == 1 ? std::string("global `queue`") : std::string("4 bytes on a stack"); };
  const std::string text = printed({{store(1, 1, order::relaxed, 1), compare_exchange(2, 0, 1)}}, how)[0];
  EXPECT_TRUE(contains(text, "queue.store(1, relaxed)")) << text;
  EXPECT_TRUE(contains(text, "A      0 initial, 1 [3]   4 bytes on a stack")) << text;
}

TEST(label, is_what_the_source_calls_the_object) {
  EXPECT_EQ(named_in("if (q->ready_.load(std::memory_order_acquire)) use();"), "ready_");
  EXPECT_EQ(named_in("slots_[at & mask].store(v, std::memory_order_relaxed);"), "slots_[at & mask]");
  EXPECT_EQ(named_in("while (!head.compare_exchange_weak(old, n)) {"), "head");
  EXPECT_EQ(named_in("this->count_->fetch_add(1);"), "count_");
  EXPECT_EQ(named_in("a.store(b.load());"), "") << "which of the two is meant is not known";
  EXPECT_EQ(named_in("++count;"), "");
  EXPECT_EQ(named_in("load(x);"), "");
}

TEST(value, is_decimal_while_it_is_short) {
  EXPECT_EQ(value_text(0), "0");
  EXPECT_EQ(value_text(99'999), "99999");
  EXPECT_EQ(value_text(0xffff'ffff), "0xffffffff");
  EXPECT_EQ(value_text(value{1} << 64 | 2), "0x1'0000000000000002");
}

// ---- semantics ---- a result

result passed_result() {
  result r;
  r.name = "queue.keeps_order";
  r.executions = 118;
  r.blocked = 1236;
  r.seconds = 0.125;
  r.threads = 3;
  r.operations = 21;
  return r;
}

TEST(result_line, says_what_was_proved_and_within_which_bounds) {
  EXPECT_EQ(
      passed_result().line(),
      "queue.keeps_order: passed: every execution of C++20 without load buffering: 118 executions, 1,236 blocked, "
      "0.12 s (10,832/s); bounds: 3 threads, 21 operations; spurious failures 0");
}

TEST(result_line, says_in_which_execution_it_failed) {
  result r = passed_result();
  r.verdict = result::verdict::failed;
  r.trouble = "data race";
  r.execution = "...";
  r.executions = r.blocked = 1;
  r.name.clear();
  EXPECT_EQ(r.line(), "FAILED: data race in execution 3, 0.12 s");
}

TEST(result_line, never_reads_passed_at_a_bound) {
  result r = passed_result();
  r.verdict = result::verdict::not_exhaustive;
  r.not_exhaustive = "stopped at max_executions; raise it";
  EXPECT_FALSE(contains(r.line(), "passed"));
  EXPECT_TRUE(contains(r.line(), "NOT EXHAUSTIVE: none of these fails: 118 executions")) << r.line();
  EXPECT_TRUE(contains(r.line(), "; stopped at max_executions; raise it")) << r.line();
}

TEST(report, has_everything_that_a_failure_takes) {
  result r = passed_result();
  r.verdict = result::verdict::failed;
  r.trouble = "leak";
  r.message = "24 bytes allocated by thread 1 at queue.hpp:31";
  r.execution = "the execution\n";
  r.token = "1-0badcafe-0-ab";
  for (const char* part : {"FAILED: leak", "24 bytes", "the execution", "replay 1-0badcafe-0-ab"})
    EXPECT_TRUE(contains(r.report(), part)) << r.report();
}

TEST(trouble_text, names_each) {
  for (auto k = static_cast<unsigned>(trouble_kind::race); k <= static_cast<unsigned>(trouble_kind::not_modelled);
       ++k) {
    EXPECT_STRNE(name_of(static_cast<trouble_kind>(k)), "");
  }
}

// ---- semantics ---- a token

TEST(replay_token, opens_for_the_test_that_sealed_it) {
  const opened_token opened = open_token(seal_token("abac1b", "queue.keeps_order", 0x1234), "queue.keeps_order");
  EXPECT_EQ(opened.wrong, "");
  EXPECT_EQ(opened.choices, "abac1b");
  EXPECT_EQ(opened.shape, 0x1234u);
}

TEST(replay_token, is_refused_by_another_test_another_version_and_as_another_text) {
  const std::string token = seal_token("ab", "queue.keeps_order", 1);
  EXPECT_TRUE(contains(open_token(token, "queue.loses_order").wrong, "of another test than `queue.loses_order`"));
  EXPECT_TRUE(contains(open_token("99" + token.substr(1), "queue.keeps_order").wrong, "version 99"));
  EXPECT_TRUE(contains(open_token("hello", "queue.keeps_order").wrong, "no replay token"));
  EXPECT_TRUE(contains(open_token("", "queue.keeps_order").wrong, "no replay token"));
}

std::array<unsigned, max_threads> all_made = [] {
  std::array<unsigned, max_threads> made{};
  made.fill(max_events);
  return made;
}();

TEST(replay_token, knows_the_shape_of_its_execution) {
  const auto shape = [](const program& p) {
    thrower stop;
    explorer tree({}, stop);
    EXPECT_TRUE(tree.next());
    run(tree, p);
    return shape_of(tree.execution(), all_made);
  };
  const std::uint32_t shipped = shape(message_passing);
  EXPECT_EQ(shipped, shape(message_passing));
  program other = message_passing;
  other[0][0] = store(1, 7, order::release, 4);
  EXPECT_NE(shipped, shape(other)) << "an order changed";
  other = message_passing;
  other[1].push_back(load(1, order::relaxed, 0));
  EXPECT_NE(shipped, shape(other)) << "an operation was added";
  // Other places in memory, the same test.
  EXPECT_EQ(shipped, shape({{store(9, 7, order::relaxed, 4), store(8, 1, order::release, 1)},
                            {load(8, order::acquire, 2), load(9, order::relaxed, 0)}}));
}

}  // namespace

// ---- semantics ---- proving. A check whose answers are written here.

namespace {
std::function<result(const options&)> answer;
std::vector<std::vector<std::string>> asked;  // options::weaken of each check
}  // namespace

namespace acqrel::model {
result check(const options& how, const std::function<void()>&) {
  asked.push_back(how.weaken);
  EXPECT_TRUE(how.shows.empty());
  result r = answer(how);
  r.name = how.name;
  return r;
}
}  // namespace acqrel::model

namespace {

result met(std::vector<std::string> edges) {
  result r = passed_result();
  r.edges = std::move(edges);
  return r;
}
result failing(const char* trouble) {
  result r = passed_result();
  r.verdict = result::verdict::failed;
  r.trouble = trouble;
  return r;
}
options showing(std::vector<std::string> edges) {
  options how;
  how.name = "queue.keeps_order";
  how.shows = std::move(edges);
  return how;
}
result proved(const options& how) {
  asked.clear();
  return prove(how, [] {});
}

TEST(proof, weakens_each_edge_alone) {
  answer = [](const options& how) {
    return how.weaken.empty() ? met({"queue.full", "queue.empty"}) : failing("data race");
  };
  const result r = proved(showing({"queue.full", "queue.empty"}));
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_EQ(asked, (std::vector<std::vector<std::string>>{{}, {"queue.full"}, {"queue.empty"}}));
  EXPECT_TRUE(contains(r.report(), "edge queue.full: weakened, it fails: data race in execution 1,355")) << r.report();
}

TEST(proof, fails_for_an_edge_that_nobody_misses) {
  answer = [](const options&) { return met({"queue.full"}); };
  const result r = proved(showing({"queue.full"}));
  EXPECT_FALSE(r.passed());
  EXPECT_EQ(r.trouble, "edge not shown");
  EXPECT_TRUE(
      contains(r.report(), "edge queue.full is not shown: with it weakened the test passes in all 118 executions"))
      << r.report();
}

TEST(proof, fails_for_an_edge_that_was_not_met) {
  answer = [](const options&) { return met({"queue.full"}); };
  const result r = proved(showing({"queue.fool"}));
  EXPECT_FALSE(r.passed());
  EXPECT_TRUE(contains(r.report(), "no operation tagged `// edge queue.fool: ...` was run. The test met queue.full."))
      << r.report();
  EXPECT_EQ(asked.size(), 1u);
}

TEST(proof, does_not_take_a_check_that_could_not_be_made_for_a_failing_one) {
  for (const char* trouble : {"nondeterministic test", "not modelled"}) {
    answer = [trouble](const options& how) { return how.weaken.empty() ? met({"queue.full"}) : failing(trouble); };
    EXPECT_FALSE(proved(showing({"queue.full"})).passed()) << trouble;
  }
  answer = [](const options& how) {
    result r = met({"queue.full"});
    if (!how.weaken.empty()) r.verdict = result::verdict::not_exhaustive;
    return r;
  };
  EXPECT_FALSE(proved(showing({"queue.full"})).passed());
}

TEST(proof, weakens_nothing_of_what_fails_as_shipped) {
  answer = [](const options&) { return failing("deadlock"); };
  const result r = proved(showing({"queue.full"}));
  EXPECT_EQ(r.trouble, "deadlock");
  EXPECT_EQ(asked.size(), 1u);
}

TEST(proof, writes_what_it_showed_to_a_file) {
  const std::string path = testing::TempDir() + "report_test." + std::to_string(::getpid());
  ASSERT_EQ(::setenv("ACQREL_MODEL_REPORT", path.c_str(), 1), 0);
  answer = [](const options& how) { return how.weaken.empty() ? met({"queue.full"}) : failing("data race"); };
  proved(showing({"queue.full", "queue.none"}));
  ::unsetenv("ACQREL_MODEL_REPORT");
  std::ifstream file(path);
  std::string first, second, rest;
  std::getline(file, first);
  std::getline(file, second);
  EXPECT_EQ(
      first,
      R"({"test": "queue.keeps_order", "edge": "queue.full", "executions": 118, "blocked": 1236, "holds": true, "weakened": "data race"})");
  EXPECT_EQ(
      second,
      R"({"test": "queue.keeps_order", "edge": "queue.none", "executions": 118, "blocked": 1236, "holds": true, "weakened": ""})");
  EXPECT_FALSE(std::getline(file, rest));
  std::remove(path.c_str());
}

TEST(failing_test, wants_its_trouble_and_no_other) {
  answer = [](const options&) { return failing("data race"); };
  EXPECT_EQ(run_failing_test({.name = "a.b"}, "data race", [] {}), "");
  EXPECT_TRUE(contains(run_failing_test({.name = "a.b"}, "deadlock", [] {}), "must fail with `deadlock`"));
  answer = [](const options&) { return met({}); };
  EXPECT_TRUE(contains(run_failing_test({.name = "a.b"}, "data race", [] {}), "must fail with `data race`"));
}

TEST(tested, replays_what_the_environment_says_if_it_is_its_own_token) {
  std::string replayed = "unset";
  answer = [&](const options& how) {
    replayed = how.replay;
    return met({"queue.full"});
  };
  const std::string own = seal_token("ab", "queue.keeps_order", 1);
  ASSERT_EQ(::setenv("ACQREL_MODEL_REPLAY", own.c_str(), 1), 0);
  asked.clear();
  run_test(showing({"queue.full"}), [] {});
  EXPECT_EQ(replayed, own);
  EXPECT_EQ(asked.size(), 1u) << "nothing is weakened in a replay";
  options other = showing({});
  other.name = "queue.other";
  run_test(other, [] {});
  EXPECT_EQ(replayed, "");
  ::unsetenv("ACQREL_MODEL_REPLAY");
}

}  // namespace
