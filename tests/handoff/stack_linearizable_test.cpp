// Short histories of a stack, each held to a stack of one thread.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/stack.hpp>

#include "../checked_value.hpp"
#include "../linearizable.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace {

struct stack_spec {
  enum kind { push, pop, pop_all };
  struct operation {
    kind what = push;
    int value = 0;             // pushed
    std::vector<int> taken{};  // what came of a pop
  };
  using state = std::vector<int>;
  static bool step(state& now, const operation& o) {
    if (o.what == push) return now.push_back(o.value), true;
    std::vector<int> taken;
    while (!now.empty() && (o.what == pop_all || taken.empty())) {
      taken.push_back(now.back());
      now.pop_back();
    }
    return o.taken == taken;
  }
  static std::string text(const operation& o) {
    std::string line = o.what == push ? "push " + std::to_string(o.value) : o.what == pop ? "pop:" : "pop_all:";
    for (const int each : o.taken) line += " " + std::to_string(each);
    return line;
  }
  static void make(acqrel::stack<int>& stack, operation& o) {
    if (o.what == push) {
      stack.push(o.value);
    } else if (o.what == pop) {
      if (const auto item = stack.pop()) o.taken.push_back(*item);
    } else {
      for (const int each : stack.pop_all()) o.taken.push_back(each);
    }
  }
};

// Takes all, and puts back all but the first: nothing is lost, but for a moment it looks empty.
template <class Between>
std::optional<int> pop_by_pop_all(acqrel::stack<int>& stack, Between between) {
  std::vector<int> all;
  for (const int each : stack.pop_all()) all.push_back(each);
  between();
  if (all.empty()) return std::nullopt;
  for (auto each = all.rbegin(); each + 1 != all.rend(); ++each) stack.push(*each);
  return all.front();
}

// ---- semantics ----

TEST(stack_linearizable, catches_a_pop_made_of_pop_all) {
  acqrel::stack<int> stack;
  linearizable::history<stack_spec> calls(2);
  for (const int n : {1, 2}) calls.record(0, {stack_spec::push, n}, [&](auto& o) { stack_spec::make(stack, o); });
  calls.record(0, {stack_spec::pop}, [&](auto& o) {
    const auto item = pop_by_pop_all(
        stack, [&] { calls.record(1, {stack_spec::pop}, [&](auto& other) { stack_spec::make(stack, other); }); });
    o.taken.push_back(*item);
  });
  EXPECT_NE(calls.broken(), "") << "there were two, and a pop found none";
}

// ---- stress ----

TEST(stack_linearizable_stress, is_linearizable) {  // L3
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  for (const unsigned threads : {1U, 3U}) {
    const auto call = [](acqrel::stack<int>& stack, auto& calls, std::size_t thread, auto& random) {
      const auto what = random() % 8;
      calls.record(thread,
                   {what < 4   ? stack_spec::push
                    : what < 7 ? stack_spec::pop
                               : stack_spec::pop_all,
                    static_cast<int>(random() % 4)},
                   [&](auto& o) { stack_spec::make(stack, o); });
    };
    EXPECT_EQ((linearizable::find_broken<stack_spec, acqrel::stack<int>>(
                  seed, 2'000 / static_cast<int>(fewer_when_sanitized), threads, 6, call)),
              "");
  }
}

}  // namespace
