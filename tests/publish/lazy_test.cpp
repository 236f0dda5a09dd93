// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/lazy.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include "../counted_allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <latch>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::lazy;
using acqrel::on_error;
using acqrel::once_value;

constexpr auto long_enough = 30s;  // no test waits this long unless it fails

struct failure : std::runtime_error {
  failure() : std::runtime_error("as told") {}
};

int runs_at_namespace_scope = 0;
constinit lazy at_namespace_scope([] { return ++runs_at_namespace_scope; });  // no dynamic initialisation
constinit lazy<std::string (*)()> of_a_pointer(+[] { return std::string(50, 'x'); });

// Which exception a get throws.
template <class Lazy>
const failure* failure_of(const Lazy& it) {
  try {
    (void)it.get();
  } catch (const failure& error) {
    return &error;
  }
  return nullptr;
}

// ---- semantics ----

TEST(lazy, makes_its_value_at_the_first_get_and_never_again) {  // O1 O4
  EXPECT_FALSE(at_namespace_scope.has_value());
  EXPECT_EQ(runs_at_namespace_scope, 0);
  const int* const first = &at_namespace_scope.get();
  EXPECT_TRUE(at_namespace_scope.has_value());
  EXPECT_EQ(&at_namespace_scope(), first);
  EXPECT_EQ(&*at_namespace_scope, first);
  EXPECT_EQ(at_namespace_scope.wait_for(0s), first);
  EXPECT_EQ(*first, 1);
  EXPECT_EQ(of_a_pointer->size(), 50U);
}

template <class L>
concept readable = requires(L it) {
  std::forward<L>(it).get();
};
template <class L>
concept callable = requires(L it) {
  std::forward<L>(it)();
};

TEST(lazy, gives_only_const_access_and_only_through_a_named_lazy) {
  using seven = lazy<int (*)()>;
  static_assert(std::is_same_v<decltype(std::declval<seven&>().get()), const int&>);
  static_assert(std::is_same_v<decltype(std::declval<seven&>().wait()), const int&>);
  static_assert(std::is_same_v<decltype(std::declval<seven&>().wait_for(1s)), const int*>);
  static_assert(readable<seven&> && readable<const seven&> && callable<const seven&>);
  static_assert(!readable<seven> && !readable<const seven> && !callable<seven>, "the value would dangle");
  static_assert(!std::is_copy_constructible_v<seven> && !std::is_move_constructible_v<seven>);
  static_assert(sizeof(seven) <= 4 + 4 + 8, "the function and the value share their place");
}

struct immovable {
  explicit immovable(int n) : number(n) {}
  immovable(immovable&&) = delete;
  int number;
};

TEST(lazy, takes_values_and_functions_of_every_kind) {
  auto owned = std::make_unique<int>(5);
  const auto move_only = once_value([owned = std::move(owned)] { return std::make_unique<int>(*owned + 1); });
  EXPECT_EQ(**move_only, 6);
  const auto in_place = once_value([] { return immovable(7); });
  EXPECT_EQ(in_place->number, 7);
  const auto several = once_value([] { return std::tuple(1, std::string("two")); });
  const auto& [one, two] = several.get();
  EXPECT_EQ(one, 1);
  EXPECT_EQ(two, "two");
  const auto of_const = once_value([]() -> const std::string { return "const"; });
  EXPECT_EQ(of_const->size(), 5U);
  auto consumes = [parts = std::vector<int>{1, 2, 3}]() mutable { return std::move(parts); };
  const auto whole = once_value(std::move(consumes));
  EXPECT_EQ(whole->size(), 3U);
}

TEST(lazy, allocates_nothing) {
  const long before = allocations;
  const auto value = once_value([] { return 7; });
  EXPECT_EQ(value.get(), 7);
  EXPECT_EQ(allocations, before);
}

// Counts those that hold what was captured, and says when the last goes.
struct capture {
  explicit capture(int& count, void (*at_end)(void*) = nullptr, void* context = nullptr)
      : gone(&count), end(at_end), of(context) {}
  capture(capture&& from) noexcept : gone(std::exchange(from.gone, nullptr)), end(from.end), of(from.of) {}
  ~capture() {
    if (gone == nullptr) return;
    ++*gone;
    if (end != nullptr) end(of);
  }
  int* gone;
  void (*end)(void*);
  void* of;
};

TEST(lazy, lets_captures_go_when_the_value_is_there_and_outside_the_turn) {
  int gone = 0;
  struct context {
    const int* (*look)(const void*) = nullptr;
    const void* where = nullptr;
    const int* seen = nullptr;
  } at_end;
  const auto ask = [](void* of) {
    auto& it = *static_cast<context*>(of);
    it.seen = it.look(it.where);
  };
  const auto value = once_value([held = capture(gone, ask, &at_end)] { return 7; });
  using type = decltype(value);
  at_end.where = &value;
  at_end.look = [](const void* where) { return static_cast<type*>(where)->wait_for(0s); };
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(value.get(), 7);
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(at_end.seen, &value.get()) << "a capture that goes may use the value";
}

TEST(lazy, lets_captures_go_once_whether_it_runs_throws_or_neither) {
  int never_run = 0, kept = 0, tried = 0;
  {
    const auto value = once_value([held = capture(never_run)] { return 7; });
    const auto fails = once_value([held = capture(kept)]() -> int { throw failure(); });
    EXPECT_NE(failure_of(fails), nullptr);
    EXPECT_EQ(kept, 1) << "it has run";
    const auto retries = once_value<on_error::retry>([held = capture(tried)]() -> int { throw failure(); });
    EXPECT_NE(failure_of(retries), nullptr);
    EXPECT_EQ(tried, 0) << "it will run again";
  }
  EXPECT_EQ(never_run, 1);
  EXPECT_EQ(kept, 1);
  EXPECT_EQ(tried, 1);
}

TEST(lazy, destroys_its_value_with_itself_and_no_value_it_never_made) {
  const long before = checked::live.load();
  {
    const auto made = once_value([] { return checked(1); });
    const auto not_made = once_value([] { return checked(2); });
    EXPECT_EQ(made->number, 1);
    EXPECT_EQ(checked::live.load(), before + 1);
  }
  EXPECT_EQ(checked::live.load(), before);
}

TEST(lazy, keeps_a_failure_and_throws_the_same_each_time) {  // O5 O7 O8
  int runs = 0;
  const auto never = once_value([&]() -> int {
    ++runs;
    throw failure();
  });
  const failure* const first = failure_of(never);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(failure_of(never), first);
  EXPECT_THROW((void)never.wait_for(0s), failure);
  std::thread([&] { EXPECT_EQ(failure_of(never), first); }).join();
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(never.has_value());
}

TEST(lazy, tries_again_where_it_was_told_to) {  // O5 O6 O8
  const auto third = once_value<on_error::retry>([tries = 0, text = std::string(50, 'x')]() mutable {
    if (++tries < 3) throw failure();
    return text + std::to_string(tries);
  });
  EXPECT_NE(failure_of(third), nullptr);
  EXPECT_NE(failure_of(third), nullptr);
  EXPECT_FALSE(third.has_value());
  EXPECT_EQ(third.get(), std::string(50, 'x') + '3');
}

TEST(lazy, gives_all_who_wait_the_failure_it_keeps) {  // O7, no convoy
  std::latch running{1}, may_end{1};
  const auto never = once_value([&]() -> int {
    running.count_down();
    may_end.wait();
    throw failure();
  });
  std::atomic<const failure*> seen[4] = {};
  std::vector<std::thread> threads;
  for (auto& mine : seen) threads.emplace_back([&] { mine = failure_of(never); });
  running.wait();
  std::this_thread::sleep_for(2ms);
  may_end.count_down();
  for (auto& thread : threads) thread.join();
  ASSERT_NE(seen[0].load(), nullptr);
  for (const auto& each : seen) EXPECT_EQ(each.load(), seen[0].load());
}

TEST(lazy, a_waiter_gives_up_while_another_makes_it) {
  std::latch running{1}, may_end{1};
  const auto slow = once_value([&] {
    running.count_down();
    may_end.wait();
    return 7;
  });
  std::thread maker([&] { EXPECT_EQ(slow.get(), 7); });
  running.wait();
  std::stop_source stop;
  EXPECT_EQ(slow.wait_for(1ms), nullptr);
  EXPECT_EQ(slow.wait_until(acqrel::steady_deadline::min(), stop.get_token()), nullptr);
  stop.request_stop();
  EXPECT_EQ(slow.wait(stop.get_token()), nullptr);
  may_end.count_down();
  EXPECT_EQ(slow.wait(), 7);
  EXPECT_EQ(slow.wait(stop.get_token()), &slow.get());
  EXPECT_EQ(slow.wait_for(long_enough), &slow.get());
  maker.join();
}

TEST(lazy, makes_its_value_whatever_the_deadline) {
  const auto value = once_value([] { return 7; });
  const int* const made = value.wait_until(acqrel::steady_deadline::min());
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(*made, 7);
}

TEST(lazy, that_asks_for_itself_throws_instead_of_hanging) {  // O9
  struct cycle {
    const int* (*ask)(const void*) = nullptr;
    const void* of = nullptr;
  } within;
  const auto again = once_value<on_error::retry>([&] { return within.of == nullptr ? 7 : *within.ask(within.of); });
  using type = decltype(again);
  within = {[](const void* of) { return &static_cast<type*>(of)->get(); }, &again};
  EXPECT_THROW((void)again.get(), std::logic_error);
  within.of = nullptr;
  EXPECT_EQ(again.get(), 7);
}

// ---- stress ----

// Every reader checks the whole value, which is plain memory; whoever made it also sees its captures go.
TEST(lazy_stress, every_reader_sees_the_one_whole_value) {  // O1 O2 O3
  const long rounds = 500 / fewer_when_sanitized;
  for (long round = 0; round != rounds; ++round) {
    int runs = 0;
    int gone = 0;
    const auto value = once_value<on_error::retry>([&, held = capture(gone)] {
      if (++runs < 3) throw failure();
      return checked(runs);
    });
    std::vector<std::thread> readers;
    for (int i = 0; i != 3; ++i) {
      readers.emplace_back([&] {
        while (failure_of(value) != nullptr) {
        }
        EXPECT_TRUE(value->whole());
        EXPECT_EQ(value->number, 3);
      });
    }
    for (auto& reader : readers) reader.join();
    ASSERT_EQ(runs, 3);
    ASSERT_EQ(gone, 1);
  }
}

// The sanitizers watch: neither the value's maker nor its captures touch the lazy afterwards.
TEST(lazy_stress, whoever_got_the_value_may_destroy_it) {
  const long rounds = 2000 / fewer_when_sanitized;
  for (long round = 0; round != rounds; ++round) {
    auto make = [owned = std::make_unique<int>(7), me = std::this_thread::get_id()] {
      return std::this_thread::get_id() == me;
    };
    auto* const value = new lazy(std::move(make));
    std::thread other([value] { (void)value->get(); });
    const bool mine = value->get();
    if (mine) other.join();
    delete value;
    if (!mine) other.join();
  }
}

}  // namespace
