// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/contention.hpp>

#include "../../src/observe/site_table.hpp"
#include "../signal/asleep.hpp"

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/handoff/channel.hpp>
#include <acqrel/handoff/stack.hpp>
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/publish/synchronized.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/task/worker_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using acqrel::contention;
using acqrel::probe;
using namespace std::chrono_literals;

// What this test's own waits add, while it lives; the profile of a process only grows.
class watched {
 public:
  explicit watched(contention::sampling how) : before_(contention::so_far()) { contention::observe(how); }
  ~watched() { contention::ignore(); }
  contention now() const { return contention::so_far().since(before_); }

 private:
  const contention before_;
};

constexpr contention::sampling each_one{.every = 1ns, .retries = 1};

double times(const contention& all, probe what) {
  return std::accumulate(all.sites.begin(), all.sites.end(), 0.0, [&](double sum, const contention::site& each) {
    return sum + (each.what == what ? each.times : 0);
  });
}

// Waits for `mutex`, which another thread lets go of once this one sleeps.
template <class Mutex>
[[gnu::noinline]] void wait_for_it(Mutex& mutex) {
  mutex.lock();
  sleeper waiter([&] {
    mutex.lock();
    mutex.unlock();
  });
  waiter.until_asleep();
  mutex.unlock();
}

// ---- semantics ----

TEST(contention, sees_each_wait_for_a_lock_when_asked_to) {
  const watched on(each_one);
  acqrel::fair_mutex mutex;
  for (int i = 0; i != 5; ++i) wait_for_it(mutex);
  const contention seen = on.now();
  EXPECT_EQ(times(seen, probe::lock), 5);
  for (const contention::site& each : seen.sites) EXPECT_GT(each.waited, 0ns);
}

TEST(contention, sees_mutexes_that_are_not_of_this_library) {
  const watched on(each_one);
  acqrel::profiled<std::mutex> mutex;
  wait_for_it(mutex);
  acqrel::profiled<std::shared_mutex> shared;
  shared.lock();
  sleeper waiter([&] { const std::shared_lock lock(shared); });
  waiter.until_asleep();
  shared.unlock();
  waiter.join();
  EXPECT_EQ(times(on.now(), probe::lock), 2);
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_TRUE(shared.try_lock_shared());
  mutex.unlock();
  shared.unlock_shared();
}

TEST(contention, sees_waits_for_items) {
  const watched on(each_one);
  acqrel::channel<int> items(acqrel::rendezvous);
  sleeper receiver([&] { EXPECT_EQ(items.receive(), 1); });
  receiver.until_asleep();
  ASSERT_TRUE(items.send(1));
  receiver.join();
  EXPECT_GE(times(on.now(), probe::wait), 1);
}

// Whether some place of this kind has a function of this name among the callers of the library.
bool leads_to(const contention& seen, probe what, const char* function) {
  return seen.only({what}).table(100).find(function) != std::string::npos;
}

[[gnu::noinline]] void ask_a_synchronized(acqrel::synchronized<int>& value) {
  value.with_lock([](int& inside) { ++inside; });
  asm volatile("" ::: "memory");  // no tail call, after which the frame would be gone: here and below
}
[[gnu::noinline]] void send_where_there_is_no_room(acqrel::channel<int>& to) {
  EXPECT_TRUE(to.send(2));
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void receive_where_there_is_nothing(acqrel::channel<int>& from) {
  EXPECT_TRUE(from.receive());
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void post_where_there_is_no_room(acqrel::worker_pool& pool) {
  EXPECT_TRUE(pool.post([] {}));
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void await_a_result(acqrel::task_result<int>& result) {
  EXPECT_EQ(result.get(), 5);
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void await_an_event(const acqrel::event& event) {
  event.wait();
  asm volatile("" ::: "memory");
}

// Each kind of wait of the library that a program meets, by who waits there.
TEST(contention, shows_who_waits_for_a_synchronized) {
  const watched on(each_one);
  acqrel::synchronized<int> value(0);
  std::optional<sleeper> waiter;
  value.with_lock([&](int&) {
    waiter.emplace([&] { ask_a_synchronized(value); });
    waiter->until_asleep();
  });
  waiter->join();
  EXPECT_TRUE(leads_to(on.now(), probe::lock, "ask_a_synchronized")) << on.now().table(100);
}

TEST(contention, shows_who_waits_at_a_channel) {
  const watched on(each_one);
  acqrel::channel<int> items(acqrel::bounded(1));
  sleeper receiver([&] { receive_where_there_is_nothing(items); });
  receiver.until_asleep();
  EXPECT_TRUE(items.send(1));
  receiver.join();
  EXPECT_TRUE(items.send(1));
  sleeper sender([&] { send_where_there_is_no_room(items); });
  sender.until_asleep();
  EXPECT_TRUE(items.receive());
  sender.join();
  const contention seen = on.now();
  EXPECT_TRUE(leads_to(seen, probe::wait, "receive_where_there_is_nothing")) << seen.table(100);
  EXPECT_TRUE(leads_to(seen, probe::wait, "send_where_there_is_no_room")) << seen.table(100);
}

TEST(contention, shows_who_waits_for_a_pool) {
  const watched on(each_one);
  acqrel::worker_pool pool(1, {.queue = 1});
  acqrel::event begun, go_on;
  auto result = pool.submit([&] {
    begun.notify();
    go_on.wait();
    return 5;
  });
  begun.wait();
  ASSERT_TRUE(pool.post([] {}));
  sleeper poster([&] { post_where_there_is_no_room(pool); });
  sleeper owner([&] { await_a_result(result); });
  poster.until_asleep();
  owner.until_asleep();
  go_on.notify();
  poster.join();
  owner.join();
  const contention seen = on.now();
  EXPECT_TRUE(leads_to(seen, probe::wait, "post_where_there_is_no_room")) << seen.table(100);
  EXPECT_TRUE(leads_to(seen, probe::wait, "await_a_result")) << seen.table(100);
}

TEST(contention, shows_who_waits_for_an_event) {
  const watched on(each_one);
  acqrel::event event;
  sleeper waiter([&] { await_an_event(event); });
  waiter.until_asleep();
  event.notify();
  waiter.join();
  EXPECT_TRUE(leads_to(on.now(), probe::wait, "await_an_event")) << on.now().table(100);
}

[[gnu::noinline]] void update_what_changes_meanwhile(acqrel::snapshot_source<int>& source) {
  int calls = 0;
  EXPECT_TRUE(source.update_optimistic([&](const int& old) {
    if (++calls < 4) source.publish(std::make_unique<int>(10));
    return std::make_unique<int>(old + 1);
  }));
  const auto now = source.read();
  EXPECT_EQ(*now, 11);
}

TEST(contention, shows_who_tries_an_update_again) {
  const watched on(each_one);
  acqrel::snapshot_source<int> source(std::make_unique<int>(1));
  update_what_changes_meanwhile(source);
  EXPECT_EQ(times(on.now(), probe::retry), 3);
  EXPECT_TRUE(leads_to(on.now(), probe::retry, "update_what_changes_meanwhile")) << on.now().table(100);
}

[[gnu::noinline]] void push_and_pop(acqrel::stack<int>& stack) {
  stack.push(1);
  (void)stack.pop();
  asm volatile("" ::: "memory");
}

TEST(contention, shows_who_tries_a_stack_again) {
  const watched on(each_one);
  acqrel::stack<int> stack;
  std::atomic<bool> seen{false};
  std::vector<std::thread> all;
  for (int t = 0; t != 3; ++t) {
    all.emplace_back([&] {
      while (!seen) push_and_pop(stack);
    });
  }
  while (times(on.now(), probe::retry) == 0) std::this_thread::yield();
  seen = true;
  for (auto& each : all) each.join();
  EXPECT_TRUE(leads_to(on.now(), probe::retry, "push_and_pop")) << on.now().table(100);
}

TEST(contention, names_who_called_the_library_first) {
  const watched on(each_one);
  acqrel::fair_mutex mutex;
  wait_for_it(mutex);
  const std::string table = on.now().only({probe::lock}).table();
  EXPECT_NE(table.find("100.0 %"), table.npos) << table;
  const std::size_t place = table.find("      ");
  ASSERT_NE(place, table.npos) << table;
  const std::string first = table.substr(place, table.find('\n', place) - place);
  EXPECT_NE(first.rfind("      acqrel::", 0), 0U) << table;  // not the library's own
  EXPECT_NE(table.find("wait_for_it"), table.npos) << table;
}

TEST(contention, writes_a_line_for_each_stack_with_its_nanoseconds) {
  const watched on(each_one);
  acqrel::fair_mutex mutex;
  wait_for_it(mutex);
  const contention seen = on.now().only({probe::lock});
  const std::string lines = seen.folded();
  ASSERT_EQ(std::count(lines.begin(), lines.end(), '\n'), std::ssize(seen.sites)) << lines;
  EXPECT_NE(lines.find("wait_for_it"), lines.npos) << lines;
  EXPECT_EQ(std::stoll(lines.substr(lines.rfind(' '))), seen.sites.front().waited.count()) << lines;
}

TEST(contention, draws_each_function_as_wide_as_it_waited) {
  const watched on(each_one);
  acqrel::fair_mutex mutex;
  wait_for_it(mutex);
  const std::string picture = on.now().flame_graph();
  EXPECT_EQ(picture.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\" ", 0), 0u);
  EXPECT_NE(picture.find("wait_for_it"), picture.npos) << picture;
  EXPECT_NE(picture.find(", 100.0 %</title><rect x=\"0.0\" "), picture.npos) << picture;
  EXPECT_EQ(picture.find("lock_guard<"), picture.npos) << "a `<` within a text is `&lt;`";
  const auto count = [&](const std::string& what) {
    std::size_t n = 0;
    for (auto at = picture.find(what); at != picture.npos; at = picture.find(what, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("<g>"), count("</g>"));
  EXPECT_EQ(count("<rect "), count("<g>"));
  EXPECT_GT(count("<g>"), 2u);
  EXPECT_EQ(contention().flame_graph().find("<g>"), std::string::npos) << "of nothing";
}

TEST(contention, sees_nothing_once_it_is_off) {
  const watched on(each_one);
  contention::ignore();
  acqrel::fair_mutex mutex;
  wait_for_it(mutex);
  EXPECT_EQ(times(on.now(), probe::lock), 0);
}

TEST(contention, estimates_from_samples_how_often_it_happened) {
  // 40,000 retries, each seen with a probability of 1 %: 400 samples, give or take 20. Six times that.
  const watched on({.every = 1ns, .retries = 100});
  for (int i = 0; i != 40'000; ++i) acqrel::probe_retry();
  EXPECT_NEAR(times(on.now(), probe::retry), 40'000, 12'000);
}

// A sample of a wait shorter than the rate counts for all that it stands for; the sum comes out right.
TEST(contention, estimates_from_samples_how_long_it_took) {
  acqrel::park_word word{0};
  const watched on({.every = 200us, .retries = 1});
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i != 400; ++i) EXPECT_FALSE(acqrel::park_until(word, 0, acqrel::deadline_after(20us)));
  const std::chrono::nanoseconds all = std::chrono::steady_clock::now() - begin;
  const contention seen = on.now();
  std::chrono::nanoseconds waited{0};
  for (const contention::site& each : seen.sites) waited += each.waited;
  // The waits are nearly all of the time; at least 40 samples of 200 us.
  EXPECT_GT(waited, all / 4);
  EXPECT_LT(waited, all * 3);
}

TEST(contention, refuses_rates_that_mean_nothing) {
  EXPECT_THROW(contention::observe({.every = 0ns}), std::invalid_argument);
  EXPECT_THROW(contention::observe({.every = 1ns, .retries = 0}), std::invalid_argument);
}

TEST(contention, counts_the_samples_that_found_no_room) {
  acqrel::site_table table(2);
  for (std::uintptr_t place = 1; place != 6; ++place) {
    void* const stack[] = {reinterpret_cast<void*>(place)};
    table.add({probe::lock, 256, 10, 1, stack});
  }
  contention seen;
  table.read(seen);
  EXPECT_EQ(seen.sites.size(), 2U);
  EXPECT_EQ(seen.lost, 3U);
}

// ---- stress ----

// Oracle: each wait is recorded, so that the numbers of all places add up to the waits there were, however often somebody
// reads meanwhile.
TEST(contention_stress, loses_no_sample) {
  constexpr int threads = 4, waits = 2'000;
  const watched on(each_one);
  std::atomic<bool> done{false};
  std::thread reader([&] {
    double before = 0;
    while (!done) {
      const double now = times(on.now(), probe::lock);
      EXPECT_GE(now, before);
      before = now;
    }
  });
  std::vector<std::thread> all;
  for (int t = 0; t != threads; ++t) {
    all.emplace_back([] {
      for (int i = 0; i != waits; ++i) const acqrel::probe_wait waiting(probe::lock);
    });
  }
  for (auto& each : all) each.join();
  done = true;
  reader.join();
  const contention seen = on.now();
  EXPECT_EQ(seen.lost, 0U);
  EXPECT_EQ(times(seen, probe::lock), threads * waits);
}

}  // namespace
