// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>
#include <acqrel/signal/timer_queue.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::cancel_callback;
using acqrel::cancel_key;
using acqrel::cancel_source;
using acqrel::cancel_token;
using acqrel::steady_deadline;
using acqrel::timer_queue;
using acqrel::testing::fake_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 100;
constexpr int deep = 20'000;  // frames are larger here
#else
constexpr int rounds = 2'000;
constexpr int deep = 100'000;
#endif

std::exception_ptr because(const char* why) { return std::make_exception_ptr(std::runtime_error(why)); }
std::string what(const std::exception_ptr& cause) {
  if (cause == nullptr) return "";
  try {
    std::rethrow_exception(cause);
  } catch (const std::exception& known) {
    return known.what();
  }
}

// ---- semantics ----

TEST(cancel, never_happens_to_a_token_made_from_nothing) {
  const cancel_token none;
  EXPECT_FALSE(none.cancelled());
  EXPECT_EQ(none.cause(), nullptr);
  EXPECT_EQ(none.deadline(), steady_deadline::max());
  EXPECT_FALSE(none.stop_token().stop_possible());
  EXPECT_FALSE(none.wait_for(1us));
  none.throw_if_cancelled();
  const cancel_callback never(none, [] { ADD_FAILURE(); });
  const cancel_source child(none);
  EXPECT_FALSE(child.token().cancelled());
  EXPECT_FALSE(cancel_token::any(none, none).cancelled());
}

TEST(cancel, keeps_the_first_cause) {
  const cancel_source source;
  const cancel_token token = source.token();
  EXPECT_EQ(token.cause(), nullptr);
  EXPECT_TRUE(source.cancel(because("first")));
  EXPECT_FALSE(source.cancel(because("second")));
  EXPECT_TRUE(token.cancelled());
  EXPECT_EQ(what(token.cause()), "first");
  EXPECT_THROW(token.throw_if_cancelled(), std::runtime_error);

  const cancel_source other;
  other.cancel();
  EXPECT_THROW(other.token().throw_if_cancelled(), acqrel::operation_cancelled);
}

TEST(cancel, goes_down_the_tree_and_not_up) {  // W15
  const cancel_source service;
  const cancel_source left(service.token()), right(service.token());
  const cancel_source leaf(left.token());
  left.cancel(because("left"));
  EXPECT_TRUE(leaf.token().cancelled());
  EXPECT_FALSE(service.token().cancelled());
  EXPECT_FALSE(right.token().cancelled());
  service.cancel(because("service"));
  EXPECT_TRUE(right.token().cancelled());
  EXPECT_EQ(what(right.token().cause()), "service");
  EXPECT_EQ(what(leaf.token().cause()), "left") << "it was cancelled before";
  const cancel_source late(service.token());
  EXPECT_EQ(what(late.token().cause()), "service") << "a child of what is cancelled is born so";
}

TEST(cancel, reaches_every_descendant_before_it_calls_a_function) {
  const cancel_source service;
  const cancel_source child(service.token());
  const cancel_source leaf(child.token());
  int called = 0;
  const cancel_callback first(service.token(), [&] { called += leaf.token().cancelled() ? 1 : 100; });
  const cancel_callback last(leaf.token(), [&] { called += service.token().cancelled() ? 1 : 100; });
  service.cancel();
  EXPECT_EQ(called, 2);
}

TEST(cancel, holds_nobody_who_left) {
  const cancel_source service;
  const auto held = std::make_shared<int>(0);
  static constexpr cancel_key<std::shared_ptr<int>> key;
  for (int i = 0; i != 1000; ++i) {
    const cancel_source child(service.token().with(key, held));
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  service.cancel();
}

TEST(cancel, keeps_ancestors_whose_own_tokens_are_gone) {
  std::optional<cancel_source> service(std::in_place);
  const cancel_source leaf{cancel_source(service->token()).token()};
  service->cancel(because("far away"));
  service.reset();
  EXPECT_EQ(what(leaf.token().cause()), "far away");
}

TEST(cancel, is_not_recursive) {
  const cancel_source service;
  {
    cancel_token token = service.token();
    for (int i = 0; i != deep; ++i) token = cancel_source(token).token();
  }
  EXPECT_FALSE(service.token().cancelled());
  cancel_token token = service.token(), merged = service.token();
  for (int i = 0; i != deep; ++i) token = cancel_source(token).token();
  for (int i = 0; i != deep; ++i) merged = cancel_token::any(cancel_source().token(), merged);
  service.cancel(because("at the top"));
  EXPECT_EQ(what(token.cause()), "at the top");
  EXPECT_EQ(what(merged.cause()), "at the top");
}

TEST(cancel, merges_tokens) {
  for (int which = 0; which != 3; ++which) {
    const cancel_source sources[3];
    const cancel_token any = cancel_token::any(sources[0].token(), sources[1].token(), sources[2].token());
    EXPECT_FALSE(any.cancelled());
    sources[which].cancel(because("one of them"));
    EXPECT_EQ(what(any.cause()), "one of them");
    sources[(which + 1) % 3].cancel(because("another"));
    EXPECT_EQ(what(any.cause()), "one of them");
    EXPECT_FALSE(sources[(which + 2) % 3].token().cancelled());
  }
  const cancel_source once;
  EXPECT_FALSE(cancel_token::any(once.token(), once.token()).cancelled());
  EXPECT_FALSE(cancel_token::any(once.token(), cancel_token()).cancelled());
  const cancel_token same = cancel_token::any(once.token(), once.token());
  once.cancel();
  EXPECT_TRUE(same.cancelled());
}

TEST(cancel, comes_with_the_earliest_deadline_of_the_line) {
  fake_clock clock;
  timer_queue timers(clock);
  const auto soon = clock.now() + 1s, later = clock.now() + 2s;
  {
    const cancel_source parent({}, later, timers);
    const cancel_source child(parent.token(), soon, timers);
    const cancel_source patient(parent.token(), steady_deadline::max(), timers);
    EXPECT_EQ(child.token().deadline(), soon);
    EXPECT_EQ(patient.token().deadline(), later);
    EXPECT_EQ(cancel_token::any(patient.token(), child.token()).deadline(), soon);
    EXPECT_EQ(timers.armed(), 2U) << "the parent's timer serves for both";
    clock.set(soon - 1ns);
    EXPECT_FALSE(child.token().cancelled());
    clock.set(soon);
    child.token().wait();
    EXPECT_THROW(child.token().throw_if_cancelled(), acqrel::deadline_exceeded);
    EXPECT_FALSE(parent.token().cancelled());
    clock.set(later);
    patient.token().wait();
    EXPECT_THROW(patient.token().throw_if_cancelled(), acqrel::deadline_exceeded);
  }
  const cancel_source too_late({}, clock.now(), timers);
  EXPECT_TRUE(too_late.token().cancelled()) << "at once";
}

TEST(cancel, leaves_no_timer_behind) {
  fake_clock clock;
  timer_queue timers(clock);
  const auto soon = clock.now() + 1s;
  { const cancel_source dropped({}, soon, timers); }
  EXPECT_EQ(timers.armed(), 0U);
  const cancel_source cancelled({}, soon, timers);
  cancelled.cancel(because("no time to lose"));
  EXPECT_EQ(timers.armed(), 0U);
  const cancel_source parent;
  const cancel_source child(parent.token(), soon, timers);
  parent.cancel();
  EXPECT_EQ(timers.armed(), 0U);
  clock.advance(1h);
  EXPECT_EQ(what(cancelled.token().cause()), "no time to lose");
}

TEST(cancel, has_a_queue_of_timers_of_its_own) {
  const cancel_source source({}, acqrel::deadline_after(2ms));
  EXPECT_TRUE(source.token().wait_for(30s));
  EXPECT_THROW(source.token().throw_if_cancelled(), acqrel::deadline_exceeded);
}

inline constexpr cancel_key<std::string> user, trace;

TEST(cancel, finds_values_by_key_up_the_line) {
  const cancel_source service;
  const cancel_token known = service.token().with(user, "ada").with(trace, "17");
  const cancel_source request(known);
  const cancel_token again = request.token().with(trace, "18");
  EXPECT_EQ(service.token().value(user), nullptr);
  EXPECT_EQ(*request.token().value(user), "ada");
  EXPECT_EQ(*request.token().value(trace), "17");
  EXPECT_EQ(*again.value(trace), "18");
  EXPECT_EQ(*cancel_token::any(again, service.token()).value(user), "ada");
  EXPECT_EQ(*cancel_token().with(user, "nobody").value(user), "nobody");
  static_assert(std::is_same_v<decltype(again.value(user)), const std::string*>);
  request.cancel();
  EXPECT_TRUE(again.cancelled());
  EXPECT_FALSE(known.cancelled());
}

TEST(cancel, calls_each_function_once_or_at_once) {
  const cancel_source source;
  int called = 0;
  {
    const cancel_callback gone(source.token(), [&] { called += 100; });
  }
  const cancel_callback one(source.token(), [&] { ++called; });
  const cancel_callback two(source.token(), [&, only_moved = std::make_unique<int>(1)] { called += *only_moved; });
  source.cancel();
  source.cancel();
  EXPECT_EQ(called, 2);
  const cancel_callback late(source.token(), [&] { called += 10; });
  EXPECT_EQ(called, 12);
}

TEST(cancel, lets_a_function_destroy_itself_and_all_that_is_left) {
  struct everything {
    std::unique_ptr<cancel_source> source = std::make_unique<cancel_source>();
    std::optional<cancel_callback<std::function<void()>>> itself{}, other{};
    bool called = false;
  } all;
  all.other.emplace(all.source->token(), [] {});
  all.itself.emplace(all.source->token(), [&all] {
    everything& left = all;  // what the function holds goes with it
    left.itself.reset();
    left.other.reset();
    left.source.reset();
    left.called = true;
  });
  cancel_source(*all.source).cancel();
  EXPECT_TRUE(all.called);
}

TEST(cancel, waits_for_a_function_that_runs_elsewhere_before_it_is_gone) {
  const cancel_source source;
  std::promise<void> begun;
  bool ended = false;
  auto callback = std::make_optional<cancel_callback<std::function<void()>>>(source.token(), [&] {
    begun.set_value();
    std::this_thread::sleep_for(2ms);
    ended = true;
  });
  std::thread other([&] { source.cancel(); });
  begun.get_future().wait();
  callback.reset();
  EXPECT_TRUE(ended);
  other.join();
}

TEST(cancel, calls_functions_while_it_holds_no_lock) {
  const cancel_source source;
  const cancel_callback uses_all(source.token(), [&] {
    const cancel_source child(source.token());
    EXPECT_TRUE(child.token().cancelled());
    EXPECT_FALSE(source.cancel());
    EXPECT_TRUE(source.token().stop_token().stop_requested());
    const cancel_callback nested(source.token(), [] {});
  });
  source.cancel();
}

TEST(cancel, becomes_a_stop_token_and_comes_from_one) {
  const cancel_source source;
  const cancel_token token = source.token();
  const std::stop_token stop = token.stop_token();
  EXPECT_EQ(stop, token.stop_token());
  EXPECT_FALSE(stop.stop_requested());
  bool called = false;
  const std::stop_callback then(stop, [&] { called = true; });
  source.cancel();
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_TRUE(called);

  std::stop_source outside;
  const cancel_source follower(outside.get_token());
  EXPECT_FALSE(follower.token().cancelled());
  outside.request_stop();
  EXPECT_THROW(follower.token().throw_if_cancelled(), acqrel::operation_cancelled);
  EXPECT_TRUE(cancel_source(outside.get_token()).token().cancelled());
  EXPECT_FALSE(cancel_source(std::stop_token()).token().cancelled());

  std::stop_source dropped;
  { const cancel_source gone(dropped.get_token()); }
  dropped.request_stop();
}

TEST(cancel, ends_every_wait_of_the_library) {
  const cancel_source source;
  const cancel_token token = source.token(), other = cancel_source().token();
  std::thread canceller([&] {
    std::this_thread::sleep_for(1ms);
    source.cancel();
  });
  EXPECT_FALSE(other.wait_for(30s, token.stop_token()));
  token.wait();
  canceller.join();
  EXPECT_TRUE(token.wait_until(steady_deadline::min()));
}

// The document's worker selects on both and takes a job although it was cancelled: 974 of 2,000 times.
TEST(cancel, is_seen_by_the_next_poll_after_it) {
  int taken = 0;
  for (int i = 0; i != 2000; ++i) {
    const cancel_source source;
    source.cancel();
    if (!source.token().cancelled()) ++taken;
  }
  EXPECT_EQ(taken, 0);
}

// ---- stress ----

// Of a deadline, a parent and explicit calls one wins, and everybody sees its cause and no other, ever.
TEST(cancel_stress, has_one_cause_for_all) {
  timer_queue timers;
  for (int round = 0; round != rounds; ++round) {
    const cancel_source parent;
    const cancel_source source(parent.token(), std::chrono::steady_clock::now() + 50us, timers);
    const cancel_source child(source.token());
    std::atomic<int> called{0};
    const cancel_callback count(child.token(), [&] { called.fetch_add(1); });
    bool won = false;
    std::thread up([&] { parent.cancel(because("parent")); });
    std::thread own([&] { won = source.cancel(because("own")); });
    child.token().wait();
    const std::string seen = what(child.token().cause());
    up.join();
    own.join();
    EXPECT_EQ(what(source.token().cause()), seen);
    EXPECT_EQ(what(child.token().cause()), seen);
    EXPECT_EQ(won, seen == "own");
    EXPECT_EQ(what(parent.token().cause()), "parent");
    EXPECT_LE(called.load(), 1);
  }
}

// Children come and go, callbacks come and go, while their parent is cancelled. The sanitizers watch.
TEST(cancel_stress, survives_all_coming_and_going) {
  for (int round = 0; round != rounds; ++round) {
    auto parent = std::make_unique<cancel_source>();
    std::vector<std::thread> threads;
    for (int i = 0; i != 2; ++i) {
      threads.emplace_back([token = parent->token()] {
        for (int turn = 0; turn != 20 && !token.cancelled(); ++turn) {
          const auto bell = std::make_unique<std::atomic<int>>(0);
          const cancel_source child(token);
          const cancel_token merged = cancel_token::any(child.token(), token);
          const cancel_callback ring(merged, [&bell] { bell->fetch_add(1); });
        }
      });
    }
    if (round % 2 == 0) std::this_thread::yield();
    parent->cancel();
    parent.reset();
    for (auto& thread : threads) thread.join();
  }
}

}  // namespace
