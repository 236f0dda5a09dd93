// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/object_pool.hpp>
#include <acqrel/handoff/stack.hpp>
#include <acqrel/testing/fake_clock.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <iostream>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::object_pool;
using acqrel::pooled;
using acqrel::testing::fake_clock;

// The plain answer. Its objects are never too old, and any of them may be handed out.
template <class T>
class reference_pool {
 public:
  std::unique_ptr<T> get() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return ++made_, std::make_unique<T>();
    auto object = std::move(idle_.back());
    idle_.pop_back();
    return object;
  }
  void put(std::unique_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(object));
  }
  std::size_t made() const { return made_; }
  std::size_t cached() const { return idle_.size(); }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;
  std::size_t made_ = 0;
};

// Counts its likes.
struct item {
  item() { alive.fetch_add(1); }
  item(const item&) = delete;
  item& operator=(const item&) = delete;
  ~item() {
    number = -1;
    alive.fetch_sub(1);
  }
  static inline std::atomic<long> alive{0};
  long number = 0;
};

template <class F>
void on_another_thread(F f) {
  std::thread(std::move(f)).join();
}

// ---- semantics ----

TEST(object_pool, hands_out_again_what_was_returned) {
  object_pool<item> items;
  item* first;
  {
    const auto held = items.get();
    first = held.get();
    held->number = 5;
  }
  const auto again = items.get();
  EXPECT_EQ(again.get(), first);
  EXPECT_EQ(again->number, 5) << "nothing resets it unless asked to";
  const auto other = items.get();
  EXPECT_NE(other.get(), first);
  EXPECT_EQ(items.counts().made, 2u);
  EXPECT_EQ(items.counts().cached, 0u);
}

TEST(object_pool, gives_the_newest_first) {
  object_pool<item> items;
  std::array<pooled<item>, 3> held{items.get(), items.get(), items.get()};
  std::array<item*, 3> order{held[1].get(), held[2].get(), held[0].get()};
  for (const int i : {1, 2, 0}) held[static_cast<std::size_t>(i)].reset();
  EXPECT_EQ(items.counts().cached, 3u);
  for (int i = 2; i >= 0; --i) {
    held[static_cast<std::size_t>(i)] = items.get();
    EXPECT_EQ(held[static_cast<std::size_t>(i)].get(), order[static_cast<std::size_t>(i)]);
  }
}

TEST(object_pool, returns_an_object_once_however_its_handle_is_moved) {
  object_pool<item> items;
  {
    pooled<item> one = items.get();
    item* const object = one.get();
    pooled<item> two = std::move(one);
    EXPECT_FALSE(one);
    EXPECT_EQ(two.get(), object);
    pooled<item> three = items.get();
    three = std::move(two);
    EXPECT_EQ(three.get(), object);
    EXPECT_EQ(items.counts().cached, 1u) << "what it had was returned";
    pooled<item>& itself = three;
    three = std::move(itself);
    EXPECT_EQ(three.get(), object);
    three.reset();
    three.reset();
    EXPECT_FALSE(three);
    EXPECT_EQ(items.counts().cached, 2u);
  }
  EXPECT_EQ(items.counts().cached, 2u);
  static_assert(!std::is_copy_constructible_v<pooled<item>> && std::is_nothrow_move_constructible_v<pooled<item>>);
  static_assert(!std::is_copy_constructible_v<object_pool<item>> && !std::is_move_constructible_v<object_pool<item>>);
}

struct alignas(256) wide {
  explicit wide(int n) : number(n) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 256, 0u); }
  wide(wide&&) = delete;
  int number;
};

TEST(object_pool, makes_what_can_not_be_moved_and_aligns_it) {
  object_pool<wide> wides([n = 7] { return wide(n); });
  const auto one = wides.get(), two = wides.get();
  EXPECT_EQ(one->number + two->number, 14);
  object_pool<char> chars;
  const auto letter = chars.get();
  *letter = 'a';
}

TEST(object_pool, destroys_what_it_keeps_when_it_ends) {
  {
    object_pool<item> items({.per_thread = 4, .shared = 8});
    {
      std::vector<pooled<item>> held;
      for (int i = 0; i != 10; ++i) held.push_back(items.get());
    }
    on_another_thread([&] { const auto one = items.get(); });
    EXPECT_GT(item::alive, 0);
  }
  EXPECT_EQ(item::alive, 0);
}

TEST(object_pool, stands_ready_before_main) {
  static constinit object_pool<std::string> words;
  {
    const auto word = words.get();
    word->assign(100, 'x');
  }
  EXPECT_EQ(words.get()->size(), 100u);
}

TEST(object_pool, resets_what_is_returned) {
  object_pool<std::string> words([] { return std::string("new"); }, [](std::string& word) { word.clear(); });
  { EXPECT_EQ(*words.get(), "new"); }
  EXPECT_EQ(*words.get(), "");
}

TEST(object_pool, is_as_before_when_the_maker_throws) {
  int left = 1;
  object_pool<item> items([&left] {
    if (left-- == 0) throw std::runtime_error("no more");
    return item();
  });
  {
    const auto one = items.get();
    EXPECT_THROW((void)items.get(), std::runtime_error);
    EXPECT_EQ(items.counts().made, 1u);
    EXPECT_EQ(item::alive, 1);
  }
  EXPECT_EQ(items.counts().cached, 1u);
  EXPECT_TRUE(items.get());
  EXPECT_EQ(item::alive, 1);
}

TEST(object_pool, destroys_what_can_not_be_reset) {
  object_pool<item> items([] { return item(); },
                          [](item& one) {
                            if (one.number == 1) throw std::runtime_error("broken");
                          });
  {
    const auto good = items.get();
    const auto bad = items.get();
    bad->number = 1;
  }
  EXPECT_EQ(item::alive, 1);
  const auto counts = items.counts();
  EXPECT_EQ(counts.failed_resets, 1u);
  EXPECT_EQ(counts.destroyed, 1u);
  EXPECT_EQ(counts.made, 2u);
  EXPECT_EQ(counts.cached, 1u);
  EXPECT_EQ(items.get()->number, 0);
}

TEST(object_pool, keeps_no_more_than_its_limits) {
  for (const std::size_t per_thread : {0u, 1u, 2u, 3u, 64u}) {
    for (const std::size_t shared : {0u, 1u, 5u}) {
      object_pool<item> items({.per_thread = per_thread, .shared = shared});
      for (int round = 0; round != 3; ++round) {
        std::vector<pooled<item>> held;
        for (int i = 0; i != 100; ++i) held.push_back(items.get());
        held.clear();
        const auto counts = items.counts();
        EXPECT_LE(counts.cached, per_thread + shared);
        EXPECT_GE(counts.cached, per_thread / 2 + shared) << "half a thread's may be on its way";
        EXPECT_EQ(counts.made - counts.destroyed, counts.cached);
        EXPECT_EQ(static_cast<std::uint64_t>(item::alive), counts.cached);
      }
    }
  }
}

TEST(object_pool, refuses_limits_that_make_no_sense) {
  EXPECT_THROW(object_pool<item>({.per_thread = 65}), std::invalid_argument);
  EXPECT_THROW(object_pool<item>({.idle = -1ns}), std::invalid_argument);
  EXPECT_THROW(object_pool<item>({.shared = ~std::size_t{0}}), std::invalid_argument);
}

// ---- threads that come and go

TEST(object_pool, takes_back_on_another_thread) {
  object_pool<item> items({.per_thread = 2, .shared = 100});
  std::vector<pooled<item>> held;
  std::set<item*> objects;
  for (int i = 0; i != 20; ++i) objects.insert(held.emplace_back(items.get()).get());
  on_another_thread([&] {
    held.clear();
    EXPECT_EQ(items.counts().cached, 20u);
  });
  EXPECT_EQ(items.counts().cached, 20u) << "and as it ends";
  for (int i = 0; i != 20; ++i) EXPECT_EQ(objects.count(held.emplace_back(items.get()).get()), 1u);
  EXPECT_EQ(items.counts().made, 20u);
}

TEST(object_pool, gets_back_what_a_thread_kept_as_it_ends) {
  object_pool<item> items;
  item* object = nullptr;
  on_another_thread([&] { object = items.get().get(); });
  EXPECT_EQ(items.get().get(), object);
  EXPECT_EQ(items.counts().made, 1u);
}

TEST(object_pool, destroys_what_ending_threads_kept_beyond_its_limit) {
  object_pool<item> items({.per_thread = 64, .shared = 3});
  on_another_thread([&] {
    std::vector<pooled<item>> held;
    for (int i = 0; i != 50; ++i) held.push_back(items.get());
  });
  EXPECT_EQ(item::alive, 3);
  EXPECT_EQ(items.counts().cached, 3u);
}

TEST(object_pool, ends_before_threads_that_used_it) {
  std::optional<object_pool<item>> items;
  std::latch used(1), ended(1);
  items.emplace();
  std::thread user([&] {
    { const auto one = items->get(); }
    used.count_down();
    ended.wait();
  });
  used.wait();
  items.reset();
  EXPECT_EQ(item::alive, 0);
  ended.count_down();
  user.join();
}

// A new pool has the index of one that ended; what the thread kept of that is not taken for the new one's.
TEST(object_pool, is_not_taken_for_one_that_ended) {
  std::latch over(1);
  std::barrier step(2);
  std::optional<object_pool<item>> items;
  std::thread other([&] {
    for (int round = 0; round != 3; ++round) {
      step.arrive_and_wait();
      {
        const auto one = items->get();
        EXPECT_EQ(one->number, 0);
        one->number = 1;
      }
      EXPECT_EQ(items->get()->number, 1);
      step.arrive_and_wait();
    }
  });
  for (int round = 0; round != 3; ++round) {
    items.emplace();
    step.arrive_and_wait();
    step.arrive_and_wait();
    EXPECT_EQ(items->counts().made, 1u);
    items.reset();
    EXPECT_EQ(item::alive, 0);
  }
  other.join();
}

TEST(object_pool, keeps_many_pools_of_a_thread_apart) {
  std::vector<std::unique_ptr<object_pool<item>>> pools;
  const auto use = [&](std::size_t i, long expected) {
    const auto one = pools[i]->get();
    EXPECT_EQ(one->number, expected);
    one->number = static_cast<long>(i) + 1;
  };
  for (std::size_t i = 0; i != 40; ++i) {
    pools.push_back(std::make_unique<object_pool<item>>());
    use(i, 0);
  }
  for (std::size_t i = 0; i != 40; ++i) use(i, static_cast<long>(i) + 1);
  for (std::size_t i = 1; i < 40; i += 2) {
    pools[i].reset();
    pools[i] = std::make_unique<object_pool<item>>();
    use(i, 0);
  }
  for (std::size_t i = 0; i != 40; ++i) use(i, static_cast<long>(i) + 1);
  EXPECT_EQ(item::alive, 40);
  pools.clear();
  EXPECT_EQ(item::alive, 0);
}

// A thread_local that is destroyed after what the thread kept was given back, or before: both are returned.
TEST(object_pool, takes_back_what_a_dying_thread_still_holds) {
  object_pool<item> items;
  on_another_thread([&] {
    thread_local pooled<item> first = items.get();
    first->number = 1;
    static pthread_key_t late = [] {
      pthread_key_t key;
      pthread_key_create(&key, [](void* p) { delete static_cast<pooled<item>*>(p); });
      return key;
    }();
    pthread_setspecific(late, new pooled<item>(items.get()));
  });
  EXPECT_EQ(items.counts().made, 2u);
  EXPECT_EQ(items.counts().cached, 2u);
  EXPECT_EQ(item::alive, 2);
}

// Objects that hold objects of the same pool: its end and its limits return more.
struct nest {
  explicit nest(std::atomic<long>& count) : alive(count) { alive.fetch_add(1); }
  ~nest() { alive.fetch_sub(1); }
  std::atomic<long>& alive;
  pooled<nest> inner;
};

TEST(object_pool, holds_objects_that_hold_objects_of_the_same_pool) {
  std::atomic<long> alive{0};
  for (const std::size_t limit : {0u, 1u, 3u, 64u}) {
    object_pool<nest> nests([&] { return nest(alive); }, {.per_thread = limit, .shared = limit});
    for (int i = 0; i != 5; ++i) {
      pooled<nest> chain;
      for (int n = 0; n != 20; ++n) {
        auto next = nests.get();
        next->inner = std::move(chain);
        chain = std::move(next);
      }
    }
    on_another_thread([&] { nests.get()->inner = nests.get(); });
    EXPECT_LE(nests.counts().cached, 2 * limit);
  }
  EXPECT_EQ(alive, 0);
}

using object_pool_death = testing::Test;
TEST(object_pool_death, says_so_when_it_ends_before_an_object) {
  EXPECT_DEATH(
      {
        pooled<item> out;
        object_pool<item> items;
        out = items.get();
      },
      "acqrel: object_pool: it ends while 1 of its objects are out");
}

// ---- age

TEST(object_pool, trims_the_shared_that_were_idle_for_so_long) {
  fake_clock clock;
  object_pool<item> items({.per_thread = 0, .idle = 10s, .time = &clock});
  std::vector<pooled<item>> held;
  for (int i = 0; i != 20; ++i) held.push_back(items.get());
  held.resize(10);
  clock.advance(5s);
  EXPECT_EQ(items.trim(), 0u);
  held.clear();
  clock.advance(4s + 999'999'999ns);
  EXPECT_EQ(items.trim(), 0u);
  clock.advance(1ns);
  EXPECT_EQ(items.trim(), 10u);
  EXPECT_EQ(items.counts().cached, 10u);
  clock.advance(5s);
  EXPECT_EQ(items.trim(), 10u);
  EXPECT_EQ(item::alive, 0);
}

TEST(object_pool, trims_more_than_it_destroys_at_a_time) {
  fake_clock clock;
  object_pool<item> items({.per_thread = 0, .shared = 1000, .idle = 1s, .time = &clock});
  std::vector<pooled<item>> held;
  for (int i = 0; i != 1000; ++i) held.push_back(items.get());
  held.clear();
  clock.advance(1s);
  EXPECT_EQ(items.trim(), 1000u);
}

// What a thread keeps has no time of its own: it is noted by one trim, and goes by one so long after, if nobody took it.
TEST(object_pool, trims_what_a_thread_keeps_and_nobody_took_since_it_was_noted) {
  fake_clock clock;
  object_pool<item> items({.idle = 10s, .time = &clock});
  std::vector<pooled<item>> held;
  for (int i = 0; i != 5; ++i) held.push_back(items.get());
  held.clear();
  clock.advance(1h);
  EXPECT_EQ(items.trim(), 0u) << "only noted";
  {
    const auto one = items.get(), two = items.get();
    clock.advance(9s);
    EXPECT_EQ(items.trim(), 0u);
    clock.advance(1s);
    EXPECT_EQ(items.trim(), 3u);
    EXPECT_EQ(items.trim(), 0u);
  }
  EXPECT_EQ(items.counts().cached, 2u);
  EXPECT_EQ(items.trim(), 0u) << "noted";
  clock.advance(10s);
  { const auto one = items.get(); }
  EXPECT_EQ(items.trim(), 1u) << "the other was taken since";
  EXPECT_EQ(item::alive, 1);
}

TEST(object_pool, has_each_thread_trim_its_own_as_it_comes_by) {
  fake_clock clock;
  object_pool<item> items({.idle = 10s, .time = &clock});
  std::barrier step(2);
  std::thread other([&] {
    { const auto one = items.get(), two = items.get(), three = items.get(); }
    step.arrive_and_wait();  // trim
    step.arrive_and_wait();
    { const auto one = items.get(); }
    EXPECT_EQ(items.counts().cached, 3u) << "noted";
    step.arrive_and_wait();  // trim, ten seconds later
    step.arrive_and_wait();
    { const auto one = items.get(); }
    EXPECT_EQ(items.counts().cached, 1u);
    EXPECT_EQ(items.counts().destroyed, 2u);
  });
  step.arrive_and_wait();
  EXPECT_EQ(items.trim(), 0u);
  step.arrive_and_wait();
  step.arrive_and_wait();
  clock.advance(10s);
  EXPECT_EQ(items.trim(), 0u);
  step.arrive_and_wait();
  other.join();
}

TEST(object_pool, destroys_old_ones_where_objects_pass_from_thread_to_thread) {
  fake_clock clock;
  object_pool<item> items({.per_thread = 0, .idle = 10s, .time = &clock});
  std::vector<pooled<item>> held;
  for (int i = 0; i != 9; ++i) held.push_back(items.get());
  held.clear();
  clock.advance(10s);
  { const auto one = items.get(); }
  EXPECT_EQ(items.counts().destroyed, 8u) << "eight at a time";
}

// A clock that counts its readings.
class counted_clock final : public acqrel::time_source {
 public:
  acqrel::steady_deadline now() noexcept override {
    ++readings;
    return acqrel::steady_deadline(1h);
  }
  bool park_until(const acqrel::park_word&, std::uint32_t, acqrel::steady_deadline) noexcept override { return false; }
  int readings = 0;
};

TEST(object_pool, reads_no_clock_while_a_thread_takes_and_returns) {
  for (const std::chrono::nanoseconds idle : {std::chrono::nanoseconds(10s), std::chrono::nanoseconds::max()}) {
    counted_clock clock;
    object_pool<item> items({.idle = idle, .time = &clock});
    { const auto one = items.get(); }
    const int before = clock.readings;
    for (int i = 0; i != 1000; ++i) {
      const auto one = items.get();
    }
    EXPECT_EQ(clock.readings, before);
    items.trim();
    EXPECT_EQ(clock.readings - before, idle == 10s ? 1 : 0);
  }
}

TEST(object_pool, trims_nothing_by_a_clock_that_goes_back) {
  for (const auto start : {acqrel::steady_deadline::min() + 5s, acqrel::steady_deadline(1h)}) {
    fake_clock clock(start);
    object_pool<item> items({.per_thread = 0, .idle = 10s, .time = &clock});
    { const auto one = items.get(); }
    clock.advance(-5s);
    EXPECT_EQ(items.trim(), 0u);
    clock.set(acqrel::steady_deadline::max());
    EXPECT_EQ(items.trim(), 1u);
  }
}

// The slow, obvious pool gives and takes the same numbers of objects in every sequence of calls of one thread.
TEST(object_pool, makes_as_many_as_the_reference_in_random_sequences) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  for (int round = 0; round != 50; ++round) {
    object_pool<item> items({.per_thread = random() % 65, .shared = 1000});
    reference_pool<item> reference;
    std::vector<pooled<item>> held;
    std::vector<std::unique_ptr<item>> expected;
    for (int call = 0; call != 500; ++call) {
      if (held.empty() || random() % 100 < 52) {
        held.push_back(items.get());
        expected.push_back(reference.get());
      } else {
        const std::size_t i = random() % held.size();
        std::swap(held[i], held.back());
        std::swap(expected[i], expected.back());
        held.pop_back();
        reference.put(std::move(expected.back()));
        expected.pop_back();
      }
      const auto counts = items.counts();
      ASSERT_EQ(counts.made, reference.made());
      ASSERT_EQ(counts.cached, reference.cached());
    }
  }
  EXPECT_EQ(item::alive, 0);
}

// ---- stress ----

// Each object has one owner: who has it writes its number and finds it unchanged; the next owner finds what the last wrote.
// Objects go to other threads on a stack now and then, and are returned there. At the end all that was made is destroyed,
// once, and nothing is out.
struct owned : checked {
  owned() : checked(1) {}
  std::atomic<int> owners{0};
  long uses = 0;
};

void pass_around(int threads, long calls, acqrel::object_pool_options options, bool trims) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  fake_clock clock;
  options.time = &clock;
  const long alive = checked::live;
  {
    object_pool<owned> items([] { return owned(); }, [](owned& one) { EXPECT_EQ(one.owners, 0); }, options);
    acqrel::stack<pooled<owned>> passed;
    std::vector<std::thread> users;
    for (int t = 0; t != threads; ++t) {
      users.emplace_back([&, t] {
        std::minstd_rand random(seed + static_cast<unsigned>(t));
        std::vector<pooled<owned>> held;
        for (long call = 0; call != calls; ++call) {
          auto one = items.get();
          ASSERT_EQ(one->owners.fetch_add(1, std::memory_order_relaxed), 0);
          ASSERT_TRUE(one->whole());
          ++one->uses;
          one->owners.store(0, std::memory_order_relaxed);
          const auto what = random() % 8;
          if (what == 0) passed.push(std::move(one));
          if (what == 1) (void)passed.pop();
          if (what == 2) held.push_back(std::move(one));
          if (held.size() == 10) held.clear();
          if (what == 3 && trims) {
            clock.advance(1ms);
            items.trim();
          }
        }
      });
    }
    for (auto& user : users) user.join();
    (void)passed.pop_all();
    const auto counts = items.counts();
    EXPECT_EQ(counts.made, counts.destroyed + counts.cached);
    EXPECT_EQ(static_cast<long>(counts.cached), checked::live - alive);
  }
  EXPECT_EQ(checked::live, alive);
}

TEST(object_pool_stress, counts_rightly_alone) { pass_around(1, 1'000, {.per_thread = 2, .shared = 4}, true); }
TEST(object_pool_stress, gives_each_object_to_one_at_a_time) {
  pass_around(4, 50'000 / fewer_when_sanitized, {.per_thread = 2, .shared = 4}, false);
  pass_around(4, 20'000 / fewer_when_sanitized, {.per_thread = 0, .shared = 4}, false);
}
TEST(object_pool_stress, gives_each_object_to_one_at_a_time_while_it_is_trimmed) {
  pass_around(4, 20'000 / fewer_when_sanitized, {.per_thread = 8, .shared = 64, .idle = 2ms}, true);
}

// Threads end while pools that they used do. Whatever comes first: each object is destroyed once, before its pool's
// destructor has returned.
TEST(object_pool_stress, ends_while_its_threads_do) {
  const int rounds = 1'000 / static_cast<int>(fewer_when_sanitized);
  for (int round = 0; round != rounds; ++round) {
    std::optional<object_pool<item>> one, two;
    one.emplace(acqrel::object_pool_options{.shared = 0});
    two.emplace(acqrel::object_pool_options{.shared = 2});
    std::latch used(2);
    std::vector<std::thread> users;
    for (int t = 0; t != 2; ++t) {
      users.emplace_back([&] {
        {
          const auto a = one->get(), b = one->get();
          const auto c = two->get(), d = two->get();
        }
        used.count_down();
      });
    }
    used.wait();
    one.reset();
    two.reset();
    ASSERT_EQ(item::alive, 0);
    for (auto& user : users) user.join();
    ASSERT_EQ(item::alive, 0);
  }
}

}  // namespace
