// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/resource_pool.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::resource_pool;
using acqrel::testing::fake_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 1'500;
#else
constexpr int rounds = 15'000;
#endif

struct dial_failed : std::runtime_error {
  dial_failed() : std::runtime_error("nobody answers") {}
};

// What was dialled, and what is left of it.
struct network {
  std::atomic<int> dials{0}, alive{0};
  std::atomic<bool> down{false};
};

class connection {
 public:
  explicit connection(network& of) : of_(&of), serial(++of.dials) {
    if (of.down) throw dial_failed();
    ++of.alive;
  }
  connection(const connection&) = delete;  // it stays where it was dialled
  connection& operator=(const connection&) = delete;
  ~connection() { --of_->alive; }

 private:
  network* of_;

 public:
  const int serial;
  bool healthy = true;
};

using pool_type = resource_pool<std::string, connection>;
using lease = pool_type::lease;
using options = pool_type::options;

auto dialling(network& net) {
  return [&net](const std::string&, const std::stop_token&) { return connection(net); };
}
bool is_healthy(connection& one) { return one.healthy; }

template <class Pool>
void expect_counts(const Pool& pool, std::size_t open, std::size_t idle, std::size_t waiting) {
  const auto now = pool.count();
  EXPECT_EQ(now.open, open);
  EXPECT_EQ(now.idle, idle);
  EXPECT_EQ(now.waiting, waiting);
}

// Waits until so many wait for a lease.
template <class Pool>
void until_waiting(const Pool& pool, std::size_t callers) {
  while (pool.count().waiting != callers) std::this_thread::yield();
}

// ---- semantics ----

TEST(resource_pool, dials_when_it_is_first_asked_and_lends_the_same_again) {  // K1
  network net;
  pool_type pool(dialling(net));
  EXPECT_EQ(net.dials, 0);
  for (int i = 0; i != 3; ++i) {
    const lease one = pool.acquire("a");
    ASSERT_TRUE(one);
    EXPECT_EQ(one->serial, 1);
    EXPECT_EQ((*one).serial, 1);
    expect_counts(pool, 1, 0, 0);
  }
  expect_counts(pool, 1, 1, 0);
  EXPECT_TRUE(pool.acquire("b"));
  EXPECT_EQ(net.dials, 2);
  EXPECT_EQ(pool.count("a").open, 1U);
  EXPECT_EQ(pool.count("b").idle, 1U);
  EXPECT_EQ(pool.count("c").open, 0U);
}

TEST(resource_pool, lends_each_to_one_at_a_time_and_no_more_than_the_maximum) {  // K8 K10
  network net;
  pool_type pool(dialling(net), {.most_per_key = 2});
  const lease first = pool.acquire("a");
  lease second = pool.acquire("a");
  EXPECT_NE(first->serial, second->serial);
  EXPECT_FALSE(pool.acquire_for("a", 0s));
  EXPECT_FALSE(pool.acquire_for("a", 1ms));
  EXPECT_FALSE(pool.acquire_until("a", std::chrono::steady_clock::now() + 1ms));
  EXPECT_TRUE(pool.acquire("b")) << "the maximum is of each key";
  expect_counts(pool, 3, 1, 0);
  const int serial = second->serial;
  second.reset();
  EXPECT_FALSE(second);
  EXPECT_EQ(pool.acquire_for("a", 0s)->serial, serial);
}

TEST(resource_pool, tries_without_a_dial_and_without_a_wait) {
  network net;
  pool_type pool(dialling(net), {.healthy = is_healthy});
  EXPECT_FALSE(pool.try_acquire("a"));
  EXPECT_EQ(net.dials, 0);
  EXPECT_TRUE(pool.acquire("a"));
  {
    lease one = pool.try_acquire("a");
    ASSERT_TRUE(one);
    EXPECT_FALSE(pool.try_acquire("a"));
    one->healthy = false;
  }
  EXPECT_FALSE(pool.try_acquire("a"));
  EXPECT_EQ(net.dials, 1);
  expect_counts(pool, 0, 0, 0);
}

TEST(resource_pool, serves_who_waits_in_the_order_of_the_calls) {
  network net;
  pool_type pool(dialling(net), {.most_per_key = 1});
  lease mine = pool.acquire("a");
  std::vector<int> served;  // by who holds the connection
  std::vector<std::unique_ptr<sleeper>> callers;
  for (int i = 0; i != 4; ++i) {
    callers.push_back(std::make_unique<sleeper>([&, i] {
      const lease one = pool.acquire("a");
      EXPECT_TRUE(one);
      served.push_back(i);
    }));
    until_waiting(pool, static_cast<std::size_t>(i) + 1);
  }
  mine.reset();
  callers.clear();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(net.dials, 1);
}

TEST(resource_pool, ends_a_wait_when_it_is_asked_to) {
  network net;
  pool_type pool(dialling(net), {.most_per_key = 1});
  const lease mine = pool.acquire("a");
  std::stop_source stop;
  sleeper caller([&] { EXPECT_FALSE(pool.acquire("a", stop.get_token())); });
  until_waiting(pool, 1);
  stop.request_stop();
  caller.join();
  EXPECT_FALSE(pool.acquire("a", stop.get_token()));
  EXPECT_FALSE(pool.acquire_for("a", 1h, stop.get_token()));
  EXPECT_FALSE(pool.acquire_until("a", acqrel::steady_deadline::max(), stop.get_token()));
  expect_counts(pool, 1, 0, 0);
}

TEST(resource_pool, does_not_remember_a_failed_dial) {  // K5 K7
  network net;
  pool_type pool(dialling(net), {.most_per_key = 1});
  net.down = true;
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  EXPECT_EQ(net.dials, 2);
  expect_counts(pool, 0, 0, 0);
  net.down = false;
  EXPECT_EQ(pool.acquire("a")->serial, 3);
}

TEST(resource_pool, leaves_a_key_alone_for_a_while_after_failures) {  // K7
  network net;
  fake_clock clock;
  pool_type pool(dialling(net),
                 {.backoff = [](std::uint32_t failures) noexcept -> std::chrono::nanoseconds { return failures * 1s; },
                  .time = clock});
  net.down = true;
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  net.down = false;
  clock.advance(1s - 1ns);
  EXPECT_THROW((void)pool.acquire("a"), dial_failed) << "the same again";
  EXPECT_EQ(net.dials, 1);
  EXPECT_TRUE(pool.acquire("b"));
  net.down = true;
  clock.advance(1ns);
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  EXPECT_EQ(net.dials, 3);
  clock.advance(2s - 1ns);
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  EXPECT_EQ(net.dials, 3);
  clock.advance(1ns);
  net.down = false;
  const lease one = pool.acquire("a");
  EXPECT_EQ(one->serial, 4);
  net.down = true;
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  clock.advance(1s);
  net.down = false;
  EXPECT_TRUE(pool.acquire("a")) << "a success begins the count anew";
}

TEST(resource_pool, lends_what_is_idle_while_dials_must_wait) {
  network net;
  fake_clock clock;
  pool_type pool(dialling(net),
                 {.backoff = [](std::uint32_t) noexcept { return std::chrono::nanoseconds::max(); }, .time = clock});
  lease one = pool.acquire("a");
  net.down = true;
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  one.reset();
  EXPECT_TRUE(pool.acquire("a"));
  clock.set(acqrel::steady_deadline::max() - 1ns);
  one = pool.acquire("a");
  EXPECT_THROW((void)pool.acquire("a"), dial_failed);
  EXPECT_EQ(net.dials, 2);
}

TEST(resource_pool, never_lends_a_broken_one_again) {  // K9
  network net;
  pool_type pool(dialling(net));
  lease one = pool.acquire("a");
  lease moved = std::move(one);
  EXPECT_FALSE(one);
  moved.mark_broken();
  moved.reset();
  EXPECT_EQ(net.alive, 0);
  expect_counts(pool, 0, 0, 0);
  EXPECT_EQ(pool.acquire("a")->serial, 2);
}

TEST(resource_pool, lets_who_waits_dial_where_one_was_broken) {  // K9
  network net;
  pool_type pool(dialling(net), {.most_per_key = 1});
  lease mine = pool.acquire("a");
  sleeper caller([&] { EXPECT_EQ(pool.acquire("a")->serial, 2); });
  until_waiting(pool, 1);
  mine.mark_broken();
  mine.reset();
  caller.join();
  expect_counts(pool, 1, 1, 0);
}

TEST(resource_pool, lets_who_waits_dial_after_the_dial_of_another_failed) {
  network net;
  acqrel::event go;
  pool_type pool(
      [&](const std::string&, const std::stop_token&) {
        if (net.dials == 0) {
          go.wait();
          ++net.dials;
          throw dial_failed();
        }
        return connection(net);
      },
      {.most_per_key = 1});
  sleeper first([&] { EXPECT_THROW((void)pool.acquire("a"), dial_failed); });
  while (pool.count().open != 1) std::this_thread::yield();
  sleeper second([&] { EXPECT_EQ(pool.acquire("a")->serial, 2); });
  until_waiting(pool, 1);
  go.notify();
  second.join();
  first.join();
}

// ERRATA 2.12: ten callers of a host that is down need not wait for each other's dials, one after the other.
TEST(resource_pool, tells_all_who_wait_of_a_failure_that_is_not_tried_again) {
  network net;
  acqrel::event go;
  net.down = true;
  fake_clock clock;
  pool_type pool(
      [&](const std::string&, const std::stop_token&) {
        go.wait();
        return connection(net);
      },
      {.most_per_key = 1,
       .backoff = [](std::uint32_t) noexcept -> std::chrono::nanoseconds { return 1s; },
       .time = clock});
  std::vector<std::unique_ptr<sleeper>> callers;
  for (int i = 0; i != 5; ++i)
    callers.push_back(std::make_unique<sleeper>([&] { EXPECT_THROW((void)pool.acquire("a"), dial_failed); }));
  until_waiting(pool, 4);
  go.notify();
  callers.clear();
  EXPECT_EQ(net.dials, 1);
}

// A dial that goes on until it is asked to stop.
struct endless {
  connection operator()(const std::string&, const std::stop_token& stop) const {
    begun->notify();
    acqrel::event never;
    (void)never.wait(stop);
    if (*fails) throw dial_failed();
    return connection(*net);
  }
  network* net;
  acqrel::event* begun;
  std::atomic<bool>* fails;
};

TEST(resource_pool, asks_a_dial_to_stop_when_its_callers_patience_ends) {
  network net;
  std::atomic<bool> fails{true};
  for (const bool by_deadline : {true, false}) {
    acqrel::event begun;
    pool_type pool(endless{&net, &begun, &fails}, {.most_per_key = 1});
    std::stop_source stop;
    sleeper caller([&] {
      EXPECT_FALSE(by_deadline ? pool.acquire_for("a", 5ms, stop.get_token()) : pool.acquire("a", stop.get_token()))
          << "what the dial then throws is no failure";
    });
    begun.wait();
    if (!by_deadline) stop.request_stop();
    caller.join();
    expect_counts(pool, 0, 0, 0);
  }
  fails = false;
  acqrel::event begun;
  pool_type pool(endless{&net, &begun, &fails});
  EXPECT_TRUE(pool.acquire_for("a", 1ms)) << "it came late, but it came";
}

TEST(resource_pool, counts_no_dial_that_was_stopped_as_a_failure) {
  network net;
  acqrel::event begun;
  std::atomic<bool> fails{true};
  pool_type pool(endless{&net, &begun, &fails},
                 {.backoff = [](std::uint32_t) noexcept { return std::chrono::nanoseconds::max(); }});
  EXPECT_FALSE(pool.acquire_for("a", 1ms));
  fails = false;
  EXPECT_TRUE(pool.acquire_for("a", 1ms));
}

TEST(resource_pool, drops_what_was_idle_too_long) {
  network net;
  fake_clock clock;
  pool_type pool(dialling(net), {.idle_for = 30s, .time = clock});
  (void)pool.acquire("a").operator bool();
  clock.advance(30s - 1ns);
  EXPECT_EQ(pool.acquire("a")->serial, 1);
  clock.advance(30s);
  EXPECT_EQ(net.alive, 1) << "nobody has asked yet";
  EXPECT_EQ(pool.acquire("a")->serial, 2);
  EXPECT_EQ(net.alive, 1);
}

TEST(resource_pool, drops_all_that_was_idle_too_long_when_it_is_told_to) {
  network net;
  fake_clock clock;
  pool_type pool(dialling(net), {.idle_for = 30s, .time = clock});
  { const lease one = pool.acquire("a"), two = pool.acquire("a"), other = pool.acquire("b"); }
  clock.advance(20s);
  int young = 0;
  {
    const lease one = pool.acquire("a");
    young = one->serial;
  }
  clock.advance(10s);
  const lease out = pool.acquire("c");
  pool.drop_expired();
  expect_counts(pool, 2, 1, 0);
  EXPECT_EQ(net.alive, 2);
  EXPECT_EQ(pool.acquire("a")->serial, young);
  clock.advance(1h);
  pool.drop_expired();
  expect_counts(pool, 1, 0, 0);
}

TEST(resource_pool, keeps_nothing_if_it_is_told_to) {
  network net;
  pool_type pool(dialling(net), {.idle_for = 0s});
  EXPECT_EQ(pool.acquire("a")->serial, 1);
  EXPECT_EQ(pool.acquire("a")->serial, 2);
}

TEST(resource_pool, asks_whether_it_is_healthy_before_it_lends_one_again) {  // K9
  network net;
  std::vector<int> asked;
  pool_type pool(dialling(net), {.healthy = [&](connection& one) {
                   asked.push_back(one.serial);
                   return one.healthy;
                 }});
  {
    const lease first = pool.acquire("a"), second = pool.acquire("a"), third = pool.acquire("a");
    EXPECT_TRUE(asked.empty()) << "they are new";
    third->healthy = second->healthy = false;
  }
  // The last given back is the first to be lent.
  EXPECT_EQ(pool.acquire("a")->serial, 1);
  expect_counts(pool, 3, 3, 0);
  {
    const lease one = pool.acquire("a"), other = pool.acquire("a");
    EXPECT_EQ(one->serial, 1);
    EXPECT_EQ(other->serial, 4) << "none of the sick ones, but a new one";
  }
  EXPECT_EQ(net.alive, 2);
  EXPECT_EQ(asked, (std::vector<int>{1, 1, 2, 3}));
}

TEST(resource_pool, asks_whether_it_is_healthy_before_it_hands_one_over) {
  network net;
  pool_type pool(dialling(net), {.most_per_key = 1, .healthy = is_healthy});
  lease mine = pool.acquire("a");
  sleeper caller([&] { EXPECT_EQ(pool.acquire("a")->serial, 2); });
  until_waiting(pool, 1);
  mine->healthy = false;
  mine.reset();
  caller.join();
}

TEST(resource_pool, passes_on_what_the_question_throws_and_drops_the_one_it_was_about) {
  network net;
  bool throws = true;
  pool_type pool(dialling(net), {.most_per_key = 1, .healthy = [&](connection&) -> bool {
                                   if (throws) throw std::logic_error("do not ask");
                                   return true;
                                 }});
  (void)pool.acquire("a").operator bool();
  EXPECT_THROW((void)pool.acquire("a"), std::logic_error);
  expect_counts(pool, 0, 0, 0);
  throws = false;
  EXPECT_EQ(pool.acquire_for("a", 0s)->serial, 2);
}

TEST(resource_pool, refuses_all_once_it_is_closed) {
  network net;
  pool_type pool(dialling(net), {.most_per_key = 1});
  lease out = pool.acquire("a");
  (void)pool.acquire("b").operator bool();
  std::vector<std::unique_ptr<sleeper>> callers;
  for (int i = 0; i != 3; ++i) callers.push_back(std::make_unique<sleeper>([&] { EXPECT_FALSE(pool.acquire("a")); }));
  until_waiting(pool, 3);
  EXPECT_FALSE(pool.closed());
  pool.close();
  callers.clear();
  EXPECT_TRUE(pool.closed());
  EXPECT_EQ(net.alive, 1);
  expect_counts(pool, 1, 0, 0);
  EXPECT_FALSE(pool.acquire("a"));
  EXPECT_FALSE(pool.acquire("c"));
  EXPECT_FALSE(pool.try_acquire("b"));
  pool.close();
  EXPECT_EQ(out->serial, 1);
  out.reset();
  EXPECT_EQ(net.alive, 0);
  expect_counts(pool, 0, 0, 0);
}

TEST(resource_pool, stops_the_dials_when_it_is_closed) {
  for (const bool throws : {true, false}) {
    network net;
    acqrel::event begun;
    std::atomic<bool> fails{throws};
    pool_type pool(endless{&net, &begun, &fails});
    sleeper caller([&] { EXPECT_FALSE(pool.acquire("a")); });
    begun.wait();
    pool.close();
    caller.join();
    EXPECT_EQ(net.dials, throws ? 0 : 1);
    EXPECT_EQ(net.alive, 0);
    expect_counts(pool, 0, 0, 0);
  }
}

TEST(resource_pool, may_be_destroyed_before_its_leases) {
  network net;
  auto pool = std::make_unique<pool_type>(dialling(net), options{.most_per_key = 2});
  lease first = pool->acquire("a"), second = pool->acquire("a"), third = pool->acquire("b");
  sleeper caller([&] { EXPECT_FALSE(pool->acquire("a")); });
  until_waiting(*pool, 1);
  pool_type* const watched = pool.get();
  pool.reset();
  caller.join();
  EXPECT_NE(watched, nullptr);
  EXPECT_EQ(first->serial, 1);
  first.reset();
  third = std::move(second);
  EXPECT_EQ(net.alive, 1);
  EXPECT_EQ(third->serial, 2);
  third.reset();
  EXPECT_EQ(net.alive, 0);
}

TEST(resource_pool, dials_two_keys_at_once) {  // K2 K3
  network net;
  std::barrier both(2);
  pool_type pool([&](const std::string&, const std::stop_token&) {
    both.arrive_and_wait();
    return connection(net);
  });
  std::thread other([&] { EXPECT_TRUE(pool.acquire("b")); });
  EXPECT_TRUE(pool.acquire("a"));
  other.join();
}

// Asks the pool something whenever it is called, which would not end if the pool held its mutex.
struct curious {
  void ask() const {
    if (*pool != nullptr) (*pool)->ask();
  }
  struct asked {
    virtual void ask() = 0;
    virtual ~asked() = default;
  };
  asked** pool;
};
struct curious_key {
  explicit curious_key(int n, const curious* c) : number(n), who(c) {}
  curious_key(const curious_key& other) : number(other.number), who(other.who) { who->ask(); }
  curious_key& operator=(const curious_key&) = delete;
  ~curious_key() { who->ask(); }
  bool operator==(const curious_key& other) const { return number == other.number; }
  int number;
  const curious* who;
};
struct curious_hash {
  std::size_t operator()(const curious_key& key) const noexcept { return static_cast<std::size_t>(key.number); }
};
struct curious_thing {
  explicit curious_thing(const curious* c) : who(c) {}
  curious_thing(const curious_thing&) = delete;
  curious_thing& operator=(const curious_thing&) = delete;
  ~curious_thing() { who->ask(); }
  const curious* who;
};

TEST(resource_pool, holds_no_lock_while_it_runs_what_is_not_its_own) {
  using pool_of_curious = resource_pool<curious_key, curious_thing, curious_hash>;
  struct asks final : curious::asked {
    explicit asks(pool_of_curious& of) : pool(of) {}
    void ask() override {
      ++times;
      (void)pool.count();
    }
    pool_of_curious& pool;
    int times = 0;
  };
  curious::asked* answers = nullptr;
  const curious who{&answers};
  fake_clock clock;
  pool_of_curious pool(
      [&](const curious_key& key, const std::stop_token&) {
        who.ask();
        if (key.number == 7) throw dial_failed();
        return curious_thing(&who);
      },
      {.idle_for = 1s,
       .healthy =
           [&](curious_thing&) {
             who.ask();
             return true;
           },
       .backoff = [](std::uint32_t) noexcept -> std::chrono::nanoseconds { return 1s; },
       .time = clock});
  asks all(pool);
  answers = &all;
  {
    auto one = pool.acquire(curious_key(1, &who)), two = pool.acquire(curious_key(1, &who));
    two.mark_broken();
  }
  EXPECT_TRUE(pool.acquire(curious_key(1, &who)));
  EXPECT_THROW((void)pool.acquire(curious_key(7, &who)), dial_failed);
  clock.advance(2s);
  pool.drop_expired();
  expect_counts(pool, 0, 0, 0);
  EXPECT_TRUE(pool.acquire(curious_key(1, &who)));
  EXPECT_THROW((void)pool.acquire(curious_key(7, &who)), dial_failed);
  pool.close();
  EXPECT_GT(all.times, 10);
  answers = nullptr;
}

// K8: what is known of a key goes with its last resource, or when its back-off has passed.
TEST(resource_pool, keeps_nothing_of_a_key_that_is_not_used) {
  static int alive = 0;
  struct key {
    explicit key(int n) : number(n) { ++alive; }
    key(const key& other) : number(other.number) { ++alive; }
    key& operator=(const key&) = delete;
    ~key() { --alive; }
    bool operator==(const key& other) const { return number == other.number; }
    int number;
  };
  struct hash {
    std::size_t operator()(const key& k) const noexcept { return static_cast<std::size_t>(k.number); }
  };
  fake_clock clock;
  bool down = false;
  {
    resource_pool<key, int, hash> pool(
        [&](const key& k, const std::stop_token&) { return down ? throw dial_failed() : k.number; },
        {.backoff = [](std::uint32_t) noexcept -> std::chrono::nanoseconds { return 1s; }, .time = clock});
    for (int i = 0; i != 100; ++i) {
      auto one = pool.acquire(key(i));
      EXPECT_EQ(*one, i);
      one.mark_broken();
    }
    EXPECT_EQ(alive, 0);
    down = true;
    for (int i = 0; i != 100; ++i) EXPECT_THROW((void)pool.acquire(key(i)), dial_failed);
    EXPECT_EQ(alive, 100);
    pool.drop_expired();
    EXPECT_EQ(alive, 100);
    clock.advance(1s);
    pool.drop_expired();
    EXPECT_EQ(alive, 0);
    EXPECT_THROW((void)pool.acquire(key(1)), dial_failed);
    pool.close();
    EXPECT_EQ(alive, 0);
  }
}

TEST(resource_pool, takes_a_dial_that_can_only_be_moved) {
  resource_pool<int, std::unique_ptr<int>> pool([more = std::make_unique<int>(1)](int key, const std::stop_token&) {
    return std::make_unique<int>(key + *more);
  });
  EXPECT_EQ(**pool.acquire(1), 2);
  static_assert(!std::is_copy_constructible_v<decltype(pool)::lease>);
  static_assert(std::is_nothrow_move_constructible_v<decltype(pool)::lease>);
  static_assert(sizeof(decltype(pool)::lease) == sizeof(void*));
}

TEST(resource_pool, refuses_options_that_make_no_sense) {
  network net;
  EXPECT_THROW(pool_type(dialling(net), {.most_per_key = 0}), std::invalid_argument);
  EXPECT_THROW(pool_type(dialling(net), {.idle_for = -1ns}), std::invalid_argument);
}

// ---- stress ----

// Four threads borrow from three keys, two of each at most. Dials fail, connections break, the health check finds some
// sick, callers give up, idle ones expire. The oracle: each connection knows whether somebody has it, each key how many
// connections it has; and at the end all that was dialled is destroyed or idle, and after close() all is destroyed.
TEST(resource_pool_stress, lends_no_connection_twice_and_never_more_than_the_maximum) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  struct host {
    std::atomic<int> alive{0};
  };
  struct link {
    link(host& on, bool fails) : of(on) {
      if (fails) throw dial_failed();
      EXPECT_LE(++of.alive, 2);
    }
    link(const link&) = delete;
    link& operator=(const link&) = delete;
    ~link() {
      EXPECT_EQ(users, 0);
      --of.alive;
    }
    host& of;
    std::atomic<int> users{0};
    int used = 0;  // by the holder
    bool sick = false;
  };
  std::array<host, 3> hosts;
  std::atomic<int> lent{0}, refused{0}, failed{0}, uses{0};
  for (const bool closes : {false, true}) {
    resource_pool<int, link> pool(
        [&](int key, const std::stop_token&) {
          thread_local std::minstd_rand random(seed);
          return link(hosts[static_cast<std::size_t>(key)], random() % 8 == 0);
        },
        {.most_per_key = 2, .idle_for = 20us, .healthy = [](link& one) { return !one.sick; }});
    std::vector<std::thread> callers;
    for (unsigned t = 0; t != 4; ++t) {
      callers.emplace_back([&, t] {
        std::minstd_rand random(seed + t);
        for (int i = 0; i != rounds; ++i) {
          try {
            const int key = static_cast<int>(random() % 3);
            auto one = random() % 4 == 0   ? pool.acquire_for(key, std::chrono::microseconds(random() % 20))
                       : random() % 8 == 0 ? pool.try_acquire(key)
                                           : pool.acquire(key);
            if (!one) {
              ++refused;
              continue;
            }
            ++lent;
            EXPECT_EQ(++one->users, 1);
            ++one->used;
            if (random() % 4 == 0) std::this_thread::yield();
            one->sick = random() % 8 == 0;
            if (random() % 8 == 0) one.mark_broken();
            --one->users;
          } catch (const dial_failed&) {
            ++failed;
          }
          if (random() % 64 == 0) pool.drop_expired();
          if (closes && i == rounds / 2 && t == 0) pool.close();
        }
      });
    }
    for (auto& caller : callers) caller.join();
    const auto left = pool.count();
    EXPECT_EQ(left.open, left.idle);
    EXPECT_EQ(left.waiting, 0U);
    EXPECT_EQ(left.open, static_cast<std::size_t>(hosts[0].alive + hosts[1].alive + hosts[2].alive));
    pool.close();
    EXPECT_EQ(pool.count().open, 0U);
    for (auto& one : hosts) EXPECT_EQ(one.alive, 0);
  }
  EXPECT_GT(lent, rounds);
  EXPECT_GT(failed, 0);
  EXPECT_GT(refused, 0);
}

// A pool is destroyed while its leases end on two threads: whoever comes last takes everything along (the sanitizer finds
// what is left, or touched too late).
TEST(resource_pool_stress, ends_with_its_last_lease) {
  network net;
  for (int i = 0; i != rounds / 10; ++i) {
    auto pool = std::make_unique<pool_type>(dialling(net));
    lease one = pool->acquire("a"), other = pool->acquire("b");
    std::barrier together(3);
    std::thread first([&] {
      together.arrive_and_wait();
      one.reset();
    });
    std::thread second([&] {
      together.arrive_and_wait();
      other.reset();
    });
    together.arrive_and_wait();
    pool.reset();
    first.join();
    second.join();
    ASSERT_EQ(net.alive, 0);
  }
}

}  // namespace
