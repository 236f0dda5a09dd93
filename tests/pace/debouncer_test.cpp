// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/debouncer.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "../signal/asleep.hpp"

namespace {

using namespace std::chrono_literals;
using acqrel::debouncer;
using acqrel::event;
using acqrel::steady_deadline;
using acqrel::timer_queue;
using acqrel::testing::fake_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 500;
#else
constexpr int rounds = 5'000;
#endif

// Returns when every timer that was due has been called: one armed now comes after them.
void let_all_due_run(timer_queue& timers, fake_clock& clock) {
  timers.arm(clock.now(), [] {}).wait();
}

struct calls {
  explicit calls(fake_clock& by) : clock(by) {}
  auto function() {
    return [this](int given) {
      got.push_back(given);
      at.push_back(clock.now());
    };
  }
  fake_clock& clock;
  std::vector<int> got{};
  std::vector<steady_deadline> at{};
};

// ---- semantics ----

// D1, D2, D3
TEST(debouncer, calls_once_with_the_last_argument_when_the_triggers_have_paused) {
  fake_clock clock;
  timer_queue timers(clock);
  calls seen(clock);
  debouncer<int> one(timers, 20ms, seen.function());
  const auto start = clock.now();
  for (int i = 0; i != 5; ++i) {
    one.trigger(i);
    clock.advance(10ms);
    let_all_due_run(timers, clock);
  }
  clock.advance(10ms - 1ns);
  let_all_due_run(timers, clock);
  EXPECT_TRUE(seen.got.empty()) << "a nanosecond is left";
  EXPECT_TRUE(one.pending());
  clock.advance(1ns);
  one.wait();
  EXPECT_EQ(seen.got, std::vector{4});
  EXPECT_EQ(seen.at, std::vector{start + 60ms});
  EXPECT_FALSE(one.pending());
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(seen.got.size(), 1U);
  one.trigger(9);
  clock.advance(20ms);
  one.wait();
  EXPECT_EQ(seen.got, (std::vector{4, 9}));
}

// D7
TEST(debouncer, calls_at_the_latest_when_the_longest_delay_has_passed) {
  fake_clock clock;
  timer_queue timers(clock);
  calls seen(clock);
  debouncer<int> one(timers, 20ms, 100ms, seen.function());
  const auto start = clock.now();
  for (int i = 0; i != 200; ++i) {  // the document's never runs
    one.trigger(i);
    clock.advance(2ms);
    let_all_due_run(timers, clock);
  }
  clock.advance(20ms);
  one.wait();
  ASSERT_GE(seen.at.size(), 4U);
  for (std::size_t i = 0; i != 3; ++i) {
    EXPECT_EQ(seen.at[i], start + 100ms * static_cast<int>(i + 1));
    EXPECT_EQ(seen.got[i], 50 * static_cast<int>(i + 1) - 1);
  }
  EXPECT_EQ(seen.got.back(), 199);
}

TEST(debouncer, takes_any_arguments_and_functions) {
  fake_clock clock;
  timer_queue timers(clock);
  std::string got;
  debouncer<std::unique_ptr<std::string>, int> two(
      timers, 1s, [&got, own = std::make_unique<int>(1)](std::unique_ptr<std::string> text, int number) {
        got = *text + std::to_string(number + *own);
      });
  two.trigger(std::make_unique<std::string>("a"), 1);
  two.trigger(std::make_unique<std::string>("b"), 2);
  EXPECT_TRUE(two.flush());
  EXPECT_EQ(got, "b3");
  int rung = 0;
  debouncer<> none(timers, 0s, [&] { ++rung; });
  none.trigger();
  none.wait();
  EXPECT_EQ(rung, 1) << "without a delay it is due at once";
  static_assert(!std::is_copy_constructible_v<debouncer<>> && !std::is_move_constructible_v<debouncer<>>);
}

TEST(debouncer, refuses_delays_that_are_none) {
  timer_queue timers;
  const auto nothing = [] {};
  EXPECT_THROW(debouncer<>(timers, -1ns, nothing), std::invalid_argument);
  EXPECT_THROW(debouncer<>(timers, 2s, 1s, nothing), std::invalid_argument);
  EXPECT_THROW(debouncer<>(timers, 0s, -1s, nothing), std::invalid_argument);
  EXPECT_THROW(debouncer<>(timers, std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()), nothing),
               std::invalid_argument);
  debouncer<> longest(timers, std::chrono::hours::max(), nothing);
  longest.trigger();
  EXPECT_TRUE(longest.cancel());
}

// D6
TEST(debouncer, does_not_call_what_was_cancelled) {
  fake_clock clock;
  timer_queue timers(clock);
  calls seen(clock);
  debouncer<int> one(timers, 20ms, seen.function());
  EXPECT_FALSE(one.cancel());
  one.trigger(1);
  EXPECT_TRUE(one.cancel());
  EXPECT_FALSE(one.cancel());
  one.wait();
  clock.advance(10ms);
  one.trigger(2);
  clock.advance(19ms);
  let_all_due_run(timers, clock);
  EXPECT_TRUE(seen.got.empty()) << "nor sooner, because of the timer of the first";
  clock.advance(1ms);
  one.wait();
  EXPECT_EQ(seen.got, std::vector{2});
  one.trigger(3);
  EXPECT_TRUE(one.cancel_and_wait());
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(seen.got.size(), 1U);
}

// D6. The function goes on when it is let; until then cancel_and_wait() sleeps, and cancel() does not.
TEST(debouncer, waits_for_the_call_under_way) {
  fake_clock clock;
  timer_queue timers(clock);
  event begun, go;
  std::atomic<bool> ended{false};
  debouncer<> one(timers, 0s, [&] {
    begun.notify();
    go.wait();
    ended = true;
  });
  one.trigger();
  begun.wait();
  EXPECT_FALSE(one.cancel());
  EXPECT_FALSE(one.wait_for(1ms));
  sleeper canceller([&] {
    EXPECT_FALSE(one.cancel_and_wait());
    EXPECT_TRUE(ended);
  });
  canceller.until_asleep();
  EXPECT_FALSE(ended);
  go.notify();
  canceller.join();
}

// D5, D6
TEST(debouncer, lets_its_function_trigger_and_cancel) {
  fake_clock clock;
  timer_queue timers(clock);
  int runs = 0;
  debouncer<int>* self = nullptr;
  debouncer<int> one(timers, 10ms, [&](int left) {
    ++runs;
    EXPECT_FALSE(self->cancel_and_wait()) << "from inside it does not wait";
    if (left != 0) self->trigger(left - 1);
    if (left == 2) {
      EXPECT_TRUE(self->cancel_and_wait());
    }
  });
  self = &one;
  one.trigger(1);
  clock.advance(10ms);
  let_all_due_run(timers, clock);
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(one.pending()) << "one more, after its delay";
  clock.advance(10ms);
  one.wait();
  EXPECT_EQ(runs, 2);
  one.trigger(2);
  clock.advance(10ms);
  one.wait();
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(runs, 3);
}

// D10
TEST(debouncer, calls_at_once_when_it_is_flushed) {
  fake_clock clock;
  timer_queue timers(clock);
  calls seen(clock);
  debouncer<int> one(timers, 20ms, seen.function());
  EXPECT_FALSE(one.flush());
  one.trigger(1);
  one.trigger(2);
  EXPECT_TRUE(one.flush());
  EXPECT_EQ(seen.got, std::vector{2});
  EXPECT_FALSE(one.flush());
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(seen.got.size(), 1U) << "once";
}

// D4, D5. The timer of the first trigger comes while the call that was flushed is under way, and another is pending.
TEST(debouncer, does_not_call_beside_a_call_that_was_flushed) {
  fake_clock clock;
  timer_queue timers(clock);
  event begun, go;
  std::atomic<int> inside{0}, most{0}, runs{0};
  debouncer<> one(timers, 10ms, [&] {
    most = std::max(most.load(), ++inside);
    begun.notify();
    if (runs++ == 0) go.wait();
    --inside;
  });
  one.trigger();
  std::thread flushing([&] { EXPECT_TRUE(one.flush()); });
  begun.wait();
  one.trigger();
  clock.advance(20ms);
  let_all_due_run(timers, clock);
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(one.pending());
  go.notify();
  flushing.join();
  one.wait();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(most, 1);
}

TEST(debouncer, calls_next_what_its_function_flushes) {
  fake_clock clock;
  timer_queue timers(clock);
  int runs = 0;
  debouncer<>* self = nullptr;
  debouncer<> one(timers, 1h, [&] {
    if (++runs % 2 == 0) return;
    self->trigger();
    EXPECT_FALSE(self->flush());
  });
  self = &one;
  one.trigger();
  EXPECT_TRUE(one.flush());
  one.wait();
  EXPECT_EQ(runs, 2) << "not an hour later";
  one.trigger();
  clock.advance(1h);
  one.wait();
  EXPECT_EQ(runs, 4);
}

// D9
TEST(debouncer, goes_on_after_its_function_has_thrown) {
  fake_clock clock;
  timer_queue timers(clock);
  int runs = 0;
  debouncer<bool> one(timers, 1s, [&](bool fail) {
    ++runs;
    if (fail) throw std::runtime_error("as it must");
  });
  one.trigger(true);
  clock.advance(1s);
  one.wait();
  EXPECT_EQ(one.exceptions(), 1U);
  one.trigger(true);
  EXPECT_THROW(one.flush(), std::runtime_error);
  EXPECT_EQ(one.exceptions(), 1U) << "that one was told";
  one.trigger(false);
  EXPECT_TRUE(one.flush());
  one.trigger(false);
  clock.advance(1s);
  one.wait();
  EXPECT_EQ(runs, 4);
}

// An argument that is replaced or dropped is destroyed under no lock: here its destructor triggers.
TEST(debouncer, runs_no_destructor_under_its_lock) {
  fake_clock clock;
  timer_queue timers(clock);
  struct noisy {
    explicit noisy(debouncer<int>* whom) : tell(whom) {}
    noisy(noisy&& other) noexcept : tell(std::exchange(other.tell, nullptr)) {}
    ~noisy() {
      if (tell != nullptr) tell->trigger(1);
    }
    debouncer<int>* tell;
  };
  int told = 0;
  debouncer<noisy>* self = nullptr;
  debouncer<int> other(timers, 0s, [&](int n) {
    told += n;
    if (self != nullptr) {
      EXPECT_FALSE(self->flush());
    }
  });
  debouncer<noisy> one(timers, 1h, [](const noisy&) {});
  self = &one;
  one.trigger(noisy(&other));
  one.trigger(noisy(&other));
  one.cancel();
  self = nullptr;
  other.wait();
  EXPECT_GE(told, 1);
}

// D8
TEST(debouncer, calls_nothing_after_its_end) {
  fake_clock clock;
  timer_queue timers(clock);
  int runs = 0;
  {
    debouncer<> one(timers, 1s, [&] { ++runs; });
    one.trigger();
    clock.advance(1s - 1ns);
  }
  clock.advance(1h);
  let_all_due_run(timers, clock);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(timers.armed(), 0U);
  {
    debouncer<>* self = nullptr;
    event begun;
    debouncer<> again(timers, 0s, [&] {
      ++runs;
      begun.notify();
      self->trigger();  // for as long as it lives
    });
    self = &again;
    again.trigger();
    begun.wait();
  }
  const int before = runs;
  let_all_due_run(timers, clock);
  EXPECT_EQ(runs, before);
  EXPECT_GE(runs, 1);
}

TEST(debouncer_death, ends_the_program_if_its_function_destroys_it) {
  EXPECT_DEATH(
      {
        timer_queue timers;
        debouncer<>* self = nullptr;
        self = new debouncer<>(timers, 1h, [&] { delete self; });
        self->trigger();
        self->flush();
      },
      "acqrel: debouncer: destroyed by its own function");
}

// ---- stress ----

// D1, D3, D4, X5. In each round eight threads trigger together, and then the delay passes: one call, with what the last
// gave, which is one of the eight of this round. The document's runs up to four.
TEST(debouncer_stress, calls_once_for_eight_triggers_in_one_delay) {
  constexpr int triggers = 8, times = 300;
  fake_clock clock;
  timer_queue timers(clock);
  std::vector<int> got;
  std::atomic<int> inside{0};
  debouncer<int> one(timers, 20ms, [&](int given) {
    EXPECT_EQ(inside.fetch_add(1), 0);
    got.push_back(given);
    inside.fetch_sub(1);
  });
  std::barrier together(triggers, [&]() noexcept {
    clock.advance(20ms);
    one.wait();
  });
  std::vector<std::thread> threads;
  for (int i = 0; i != triggers; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round != times; ++round) {
        one.trigger(round * triggers + i);
        together.arrive_and_wait();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(got.size(), static_cast<std::size_t>(times));
  for (int round = 0; round != times; ++round) EXPECT_EQ(got[static_cast<std::size_t>(round)] / triggers, round);
}

// D4, D5, D6, D10. Two threads trigger with numbers that grow, one flushes, one cancels, and the queue calls. Never two at
// once: what the function writes is not atomic. Of each thread the numbers come in order, and its last one comes, or was
// cancelled; so after a last trigger and flush it has come.
TEST(debouncer_stress, never_runs_twice_at_once) {
  fake_clock clock;
  timer_queue timers(clock);
  int last[2] = {-1, -1};
  std::uint64_t runs = 0;
  std::atomic<int> inside{0};
  debouncer<int, int> one(timers, 1us, 5us, [&](int thread, int number) {
    EXPECT_EQ(inside.fetch_add(1), 0);
    std::this_thread::yield();
    EXPECT_LT(last[thread], number);
    last[thread] = number;
    ++runs;
    inside.fetch_sub(1);
  });
  std::atomic<int> left{2};
  std::vector<std::thread> threads;
  for (int thread = 0; thread != 2; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i != rounds; ++i) {
        one.trigger(thread, i);
        clock.advance(500ns);
      }
      --left;
    });
  }
  threads.emplace_back([&] {
    while (left != 0) {
      one.flush();
      std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    while (left != 0) {
      one.cancel_and_wait();
      std::this_thread::yield();
    }
  });
  for (auto& thread : threads) thread.join();
  one.trigger(0, rounds);
  one.flush();
  EXPECT_EQ(last[0], rounds);
  EXPECT_FALSE(one.pending());
  EXPECT_GE(runs, 1U);
}

// D8. It ends while its call begins: what the function uses is destroyed right after.
TEST(debouncer_stress, leaves_nothing_behind) {
  fake_clock clock;
  timer_queue timers(clock);
  for (int round = 0; round != rounds / 5; ++round) {
    auto used = std::make_unique<int>(0);
    {
      debouncer<> one(timers, 1us, [raw = used.get()] { ++*raw; });
      one.trigger();
      clock.advance(1us);
      if (round % 2 == 0) one.trigger();
    }
    used.reset();
  }
  let_all_due_run(timers, clock);
  EXPECT_EQ(timers.armed(), 0U);
}

}  // namespace
