// Threads under the checker: their beginning and end, what is done once, what each has for itself, and the time.
// SPDX-License-Identifier: Apache-2.0
#include "counting.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>

namespace {

using namespace counting;
using namespace std::chrono_literals;
using acqrel::model::expect;

int data = 0;

// ---- made, joined, ended

MODEL(thread, sees_what_came_before_it_and_is_seen_after_its_join) {
  data = 1;
  std::thread t([] { expect(++data == 2); });
  t.join();
  expect(data == 2);
}
MODEL_FAILS(thread, is_looked_after_before_its_join, "data race") {
  std::thread t([] { ++data; });
  ++data;
  t.join();
}
MODEL(thread, has_an_identity) {
  const auto mine = std::this_thread::get_id();
  std::thread::id its;
  std::thread t([&] { its = std::this_thread::get_id(); });
  const auto known = t.get_id();
  t.join();
  expect(its == known && its != mine);
}
MODEL(thread, ends_on_its_own_if_it_is_detached) {
  std::atomic<bool> done{false};
  auto* const shared = &done;
  std::thread([shared] { shared->store(true, release); }).detach();
  while (!done.load(acquire)) {
  }
}
MODEL_FAILS(thread, is_not_joined, "assertion") {
  std::thread t([] {});
}
MODEL_FAILS(thread, is_joined_twice, "misuse") {
  std::thread t([] {});
  const pthread_t handle = t.native_handle();
  t.join();
  pthread_join(handle, nullptr);
}
MODEL(thread, is_stopped_by_its_token) {
  std::atomic<int> done{0};
  {
    const std::jthread t([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
      }
      done.store(1, relaxed);
    });
  }
  expect(done.load(relaxed) == 1);
}
MODEL(thread, unwinds_when_it_calls_pthread_exit) {
  struct counted {
    ~counted() { ++data; }
  };
  pthread_t t;
  pthread_create(
      &t, nullptr,
      [](void* argument) -> void* {
        const counted local;
        pthread_exit(argument);
      },
      &data);
  void* result = nullptr;
  pthread_join(t, &result);
  expect(result == &data && data == 1);
}
TEST(thread, throws_and_catches_on_its_own) {
  explores({1}, [] {
    in_threads<2>([](unsigned me) {
      try {
        throw std::runtime_error(me == 0 ? "zero" : "one");
      } catch (const std::exception& e) {
        expect(e.what()[0] == (me == 0 ? 'z' : 'o'));
      }
    });
  });
}
MODEL(thread, shares_a_pointer_that_counts) {
  auto p = std::make_shared<int>(1);
  std::thread t([q = p]() mutable { q.reset(); });
  p.reset();
  t.join();
}

// ---- once

std::once_flag once;

TEST(call_once, runs_once_and_is_waited_for) {
  explores({4, 2}, [] {
    in_threads<2>([](unsigned) {
      std::call_once(once, [] { ++data; });
      expect(data == 1);
    });
  });
}
MODEL_FAILS(call_once, is_left_out_by_one, "data race") {
  together([] { std::call_once(once, [] { ++data; }); }, [] { ++data; });
}
MODEL(call_once, runs_again_after_an_exception) {
  const auto attempt = [] {
    try {
      std::call_once(once, [] {
        if (++data == 1) throw std::runtime_error("the first time");
      });
    } catch (const std::runtime_error&) {
    }
  };
  in_threads<3>([&](unsigned) { attempt(); });
  expect(data == 2);
}
MODEL_FAILS(call_once, is_called_from_within, "deadlock") {
  std::call_once(once, [] { std::call_once(once, [] {}); });
}

int& made_once() {
  static auto* const made = new int(++data);
  return *made;
}
TEST(function_static, is_made_once_and_waited_for) {
  explores({6, 2}, [] { in_threads<2>([](unsigned) { expect(made_once() == 1); }); });
}
MODEL_FAILS(function_static, does_not_order_what_follows, "data race") {
  in_threads<2>([](unsigned) { ++made_once(); });
}

// ---- what a thread has for itself

thread_local int own = 5;
int destroyed = 0;
struct noted {
  int order = 0;
  ~noted() {
    if (order != 0) destroyed = destroyed * 10 + order;
  }
};
thread_local noted first, second;

MODEL(thread_local_object, is_each_threads_own) {
  in_threads<2>([](unsigned) { expect(++own == 6); });
  expect(own == 5);
}
MODEL_FAILS(thread_local_object, is_no_longer_its_own_if_its_address_is_given_away, "data race") {
  std::atomic<int*> given{nullptr};
  std::thread t([&] {
    given.store(&own, relaxed);
    ++own;
  });
  while (given.load(relaxed) == nullptr) {
  }
  ++*given.load(relaxed);
  t.join();
}

pthread_key_t key_made_before_the_test = [] {
  pthread_key_t key;
  pthread_key_create(&key, [](void*) { destroyed = destroyed * 10 + 8; });
  return key;
}();

// The values of keys outlive the thread_local objects, as glibc has it.
MODEL(thread_local_object, is_destroyed_at_the_end_of_its_thread_in_reverse_and_before_values_of_keys) {
  std::thread t([] {
    static pthread_key_t key;
    pthread_key_create(&key, [](void* value) {
      expect(pthread_getspecific(key) == nullptr);
      destroyed = destroyed * 10 + 9;
      if (destroyed < 1'000) pthread_setspecific(key, value);  // and then once more
    });
    pthread_setspecific(key, &destroyed);
    first.order = 1;
    second.order = 2;
  });
  t.join();
  expect(destroyed == 2199, "the second, the first, the value, the value again");
}
MODEL(thread_specific_key, made_before_the_test_holds_in_it) {
  std::thread t([] {
    expect(pthread_getspecific(key_made_before_the_test) == nullptr);
    pthread_setspecific(key_made_before_the_test, &data);
    expect(pthread_getspecific(key_made_before_the_test) == &data);
  });
  t.join();
  expect(destroyed == 8 && pthread_getspecific(key_made_before_the_test) == nullptr);
}

// ---- the time

MODEL(time, passes_by_sleeping_and_is_told_by_happens_before) {
  const auto start = std::chrono::steady_clock::now();
  const auto since = [=] { return std::chrono::steady_clock::now() - start; };
  std::atomic<bool> flag{false};
  std::thread t([&] {
    std::this_thread::sleep_for(5ms);
    flag.store(true, release);
  });
  std::this_thread::sleep_until(start + 1ms);
  expect(since() == 1ms);
  const bool told = flag.load(acquire);
  expect(since() == (told ? 5ms : 1ms));
  t.join();
  expect(since() == 5ms);
}
MODEL(time, does_not_end_a_loop_that_sleeps_until_it_is_told) {
  std::atomic<bool> flag{false};
  std::thread t([&] {
    while (!flag.load(relaxed)) std::this_thread::sleep_for(1ms);
  });
  flag.store(true, relaxed);
  t.join();
}
MODEL_FAILS(time, does_not_wait_for_anybody, "data race") {
  std::thread t([] { ++data; });
  std::this_thread::sleep_for(1h);
  ++data;
  t.join();
}

// ---- what has no model is refused by its name

TEST(refused, names_the_function) {
  const auto result = acqrel::model::check([] { pthread_kill(pthread_self(), 0); });
  EXPECT_EQ(result.trouble, "not modelled");
  EXPECT_NE(result.message.find("pthread_kill"), std::string::npos) << result.message;
  fails("not modelled", [] { fork(); });
}

}  // namespace
