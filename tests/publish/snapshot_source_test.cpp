// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <latch>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

using acqrel::drain;
using acqrel::snapshot_guard;
using acqrel::snapshot_ptr;
using acqrel::snapshot_source;

// ---- allocation that fails on demand: the n-th allocation of this thread from now throws

namespace {
thread_local long allocations_until_failure = -1;
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (allocations_until_failure >= 0 && allocations_until_failure-- == 0) throw std::bad_alloc();
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

std::unique_ptr<checked> make(long n) { return std::make_unique<checked>(n); }

// Longer than the longest interval between scans, so that the next publish scans.
void be_calm() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

// ---- semantics ----

TEST(snapshot_source, gives_nothing_before_the_first_publish) {  // G2
  const snapshot_source<checked> source;
  EXPECT_FALSE(source.read());
  EXPECT_FALSE(source.get_snapshot());
  const snapshot_source<checked> null{std::unique_ptr<checked>()};
  EXPECT_FALSE(null.read());
}

TEST(snapshot_source, gives_the_initial_value_until_another_is_published) {  // G2
  const snapshot_source<checked> source{make(7)};
  ASSERT_TRUE(source.read());
  EXPECT_EQ(source.read()->number, 7);
}

template <class F>
concept dereferences = requires(F read) {
  *read();
};
template <class F>
concept gives_a_raw_pointer = requires(F read) {
  read().get();
};

TEST(snapshot_source, gives_only_const_access_and_only_through_a_named_guard) {  // G5
  using guard = snapshot_guard<checked>;
  using ptr = snapshot_ptr<checked>;
  static_assert(std::is_same_v<decltype(*std::declval<guard&>()), const checked&>);
  static_assert(std::is_same_v<decltype(std::declval<guard&>().operator->()), const checked*>);
  static_assert(std::is_same_v<decltype(std::declval<guard&>().get()), const checked*>);
  static_assert(std::is_same_v<decltype(*std::declval<ptr&>()), const checked&>);
  static_assert(std::is_same_v<decltype(std::declval<ptr&>().get()), const checked*>);
  static_assert(!std::is_assignable_v<decltype((std::declval<guard&>()->number)), long>);
  static_assert(!std::is_move_constructible_v<guard> && !std::is_copy_constructible_v<guard>);
  static_assert(!std::is_copy_constructible_v<snapshot_source<checked>>);
  static_assert(std::is_nothrow_copy_constructible_v<ptr> && std::is_nothrow_move_constructible_v<ptr>);
  // A raw pointer out of a guard that dies at the semicolon does not compile.
  static_assert(!dereferences<guard (*)()> && dereferences<guard& (*)()>);
  static_assert(!gives_a_raw_pointer<guard (*)()> && gives_a_raw_pointer<guard& (*)()>);
  static_assert(sizeof(ptr) == sizeof(void*));
  SUCCEED();
}

TEST(snapshot_source, reads_without_a_lock_by_the_platforms_word) {  // M1
  static_assert(std::atomic<acqrel::hazard_object*>::is_always_lock_free);
  static_assert(noexcept(std::declval<const snapshot_source<checked>&>().read()));
  static_assert(noexcept(std::declval<const snapshot_source<checked>&>().get_snapshot()));
  static_assert(sizeof(snapshot_source<checked>) == 64);
  SUCCEED();
}

TEST(snapshot_source, shows_every_field_of_what_was_published_last) {  // G1
  snapshot_source<checked> source;
  source.publish(make(1));
  EXPECT_TRUE(source.read()->whole());
  source.publish(make(2));
  EXPECT_EQ(source.read()->number, 2);
  source.emplace(3);
  EXPECT_EQ(source.read()->number, 3);
  EXPECT_TRUE(source.read()->whole());
  source.publish(nullptr);
  EXPECT_FALSE(source.read());
}

TEST(snapshot_source, keeps_a_version_as_it_was_for_whoever_holds_it) {
  snapshot_source<checked> source{make(1)};
  const auto guard = source.read();
  const auto kept = source.get_snapshot();
  for (long n = 2; n < 100; ++n) source.publish(make(n));
  EXPECT_EQ(guard->number, 1);
  EXPECT_TRUE(guard->whole());
  EXPECT_EQ(kept->number, 1);
  EXPECT_EQ(snapshot_ptr<checked>(guard), kept);
  EXPECT_NE(source.get_snapshot(), kept);
}

TEST(snapshot_source, keeps_a_version_across_a_million_updates) {  // M2
  snapshot_source<checked> source{make(1)};
  const auto kept = source.get_snapshot();
  const auto guard = source.read();
  for (long n = 0; n < 1'000'000 / fewer_when_sanitized; ++n) source.publish(make(n));
  EXPECT_TRUE(kept->whole());
  EXPECT_EQ(kept->number, 1);
  EXPECT_TRUE(guard->whole());
}

TEST(snapshot_source, destroys_at_once_what_nobody_holds_when_publishes_are_calm) {  // M3
  const long before = live_now();
  snapshot_source<checked> source{make(1)};
  for (long n = 2; n < 10; ++n) {
    be_calm();
    source.publish(make(n));
    EXPECT_EQ(checked::live, before + 1);
  }
}

TEST(snapshot_source, lets_the_last_guard_destroy_what_was_replaced) {  // M3
  const long before = live_now();
  snapshot_source<checked> source{make(1)};
  for (long n = 2; n < 10; ++n) {
    std::optional<long> while_held;
    {
      const auto guard = source.read();
      be_calm();
      source.publish(make(n));
      while_held = checked::live - before;
    }
    EXPECT_EQ(while_held, 2);
    EXPECT_EQ(checked::live, before + 1) << "the guard's end left it alive";
  }
}

TEST(snapshot_source, destroys_each_version_once_after_the_last_pointer) {  // M5
  const long before = live_now();
  {
    snapshot_source<checked> source{make(1)};
    snapshot_ptr<checked> a = source.get_snapshot(), b = a, c;
    c = b;
    source.publish(make(2));
    drain();
    EXPECT_EQ(checked::live, before + 2);
    a = nullptr;
    b = std::move(c);
    EXPECT_FALSE(c);
    EXPECT_EQ(checked::live, before + 2);
    b = nullptr;
    EXPECT_EQ(checked::live, before + 1);
  }
  drain();
  EXPECT_EQ(checked::live, before);
}

TEST(snapshot_source, may_be_outlived_by_guards_and_pointers) {
  const long before = live_now();
  auto source = std::make_unique<snapshot_source<checked>>(make(5));
  {
    const auto guard = source->read();
    const auto kept = source->get_snapshot();
    source.reset();
    drain();
    EXPECT_TRUE(guard->whole());
    EXPECT_EQ(kept->number, 5);
  }
  drain();
  EXPECT_EQ(checked::live, before);
}

TEST(snapshot_source, gives_more_guards_than_a_thread_has_slots) {
  const long before = live_now();
  {
    snapshot_source<checked> source{make(0)};
    // Ends in another order than it began: recursion ends the inner guard, which was the later one,
    // while a pointer taken from it lives on.
    std::vector<snapshot_ptr<checked>> kept;
    const auto deeper = [&](const auto& self, long depth) -> void {
      if (depth == 12) return;
      const auto guard = source.read();
      source.publish(make(depth + 1));
      be_calm();
      kept.emplace_back(guard);
      self(self, depth + 1);
      EXPECT_TRUE(guard->whole());
      EXPECT_EQ(guard->number, depth);
    };
    deeper(deeper, 0);
    for (long n = 0; n < 12; ++n) EXPECT_EQ(kept[static_cast<std::size_t>(n)]->number, n);
  }
  drain();
  EXPECT_EQ(checked::live, before);
}

TEST(snapshot_source, gives_guards_that_end_in_any_order) {
  const long before = live_now();
  {
    snapshot_source<checked> source{make(0)};
    struct holder {
      explicit holder(const snapshot_source<checked>& s) : guard(s.read()) {}
      snapshot_guard<checked> guard;
    };
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::pair<long, std::unique_ptr<holder>>> held;
      for (long n = 0; n < 8; ++n) {
        held.emplace_back(source.read()->number, std::make_unique<holder>(source));
        source.publish(make(round * 8 + n));
      }
      std::shuffle(held.begin(), held.end(), random);
      while (!held.empty()) {
        ASSERT_TRUE(held.back().second->guard->whole());
        ASSERT_EQ(held.back().second->guard->number, held.back().first);
        held.pop_back();
        if (round % 2 == 0) drain();
      }
    }
  }
  drain();
  EXPECT_EQ(checked::live, before);
}

TEST(snapshot_source, keeps_a_guard_of_an_empty_source_apart_from_others) {
  snapshot_source<checked> empty, full{make(1)};
  struct holder {
    explicit holder(const snapshot_source<checked>& s) : guard(s.read()) {}
    snapshot_guard<checked> guard;
  };
  auto outer = std::make_unique<holder>(empty);
  const auto inner = full.read();
  outer.reset();  // must not end inner's protection
  full.publish(make(2));
  drain();
  EXPECT_TRUE(inner->whole());
}

TEST(snapshot_source, returns_what_an_exchange_replaced) {  // M13
  snapshot_source<checked> source;
  EXPECT_FALSE(source.exchange(make(1)));
  const snapshot_ptr<checked> first = source.exchange(make(2));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->number, 1);
  EXPECT_EQ(source.exchange(nullptr)->number, 2);
  EXPECT_FALSE(source.read());
}

TEST(snapshot_source, hands_the_value_back_when_the_expected_version_is_gone) {
  snapshot_source<checked> source{make(1)};
  snapshot_ptr<checked> expected = source.get_snapshot();
  auto next = make(2);
  EXPECT_TRUE(source.compare_exchange(expected, next));
  EXPECT_EQ(next, nullptr);
  EXPECT_EQ(expected->number, 1) << "the version replaced stays with the caller";
  next = make(3);
  const checked* const mine = next.get();
  EXPECT_FALSE(source.compare_exchange(expected, next));
  EXPECT_EQ(next.get(), mine);
  EXPECT_EQ(expected->number, 2) << "what is current instead";
  EXPECT_TRUE(source.compare_exchange(expected, next));
  snapshot_source<checked> empty;
  snapshot_ptr<checked> nothing;
  next = make(4);
  EXPECT_TRUE(empty.compare_exchange(nothing, next));
  EXPECT_EQ(empty.read()->number, 4);
}

// Every value lives at one of two addresses, which are handed out again at once.
struct recycled {
  static void* operator new(std::size_t) { return free_places.empty() ? nullptr : take(); }
  static void operator delete(void* p) { free_places.push_back(p); }
  static void* take() {
    void* const p = free_places.back();
    free_places.pop_back();
    return p;
  }
  static inline std::vector<void*> free_places;
  long number;
};

TEST(snapshot_source, compares_versions_and_not_addresses) {  // M12
  alignas(recycled) unsigned char places[2][sizeof(recycled)];
  recycled::free_places = {&places[0], &places[1]};
  {
    snapshot_source<recycled> source{std::unique_ptr<recycled>(new recycled{1})};
    const recycled* first_address;
    snapshot_ptr<recycled> expected;
    {
      const auto guard = source.read();
      first_address = guard.get();
    }
    source.publish(std::unique_ptr<recycled>(new recycled{2}));
    drain();  // 1 is dead, its place is free
    expected = source.get_snapshot();
    source.publish(std::unique_ptr<recycled>(new recycled{3}));
    EXPECT_EQ(source.read().operator->(), first_address) << "the allocator did not reuse the address";
    std::unique_ptr<recycled> none;
    EXPECT_FALSE(source.compare_exchange(expected, none));
    EXPECT_EQ(expected->number, 3);
  }
  drain();
}

TEST(snapshot_source, updates_by_a_function_of_the_current_value) {
  snapshot_source<checked> source{make(1)};
  EXPECT_TRUE(source.update([](const checked& old) { return make(old.number + 1); }));
  EXPECT_EQ(source.read()->number, 2);
  EXPECT_TRUE(source.update_optimistic([](const checked* old) { return make(old->number + 1); }));
  EXPECT_EQ(source.read()->number, 3);
}

TEST(snapshot_source, updates_an_empty_source) {  // M9
  snapshot_source<checked> source;
  EXPECT_TRUE(source.update([](const checked* old) { return make(old == nullptr ? 1 : 2); }));
  EXPECT_EQ(source.read()->number, 1);
  snapshot_source<checked> empty;
  try {
    empty.update([](const checked& old) { return make(old.number); });
    FAIL() << "took a reference to nothing";
  } catch (const std::logic_error& e) {
    EXPECT_NE(std::string(e.what()).find("const T*"), std::string::npos);
  }
}

TEST(snapshot_source, publishes_nothing_when_an_update_returns_null) {  // M10
  snapshot_source<checked> source{make(1)};
  const auto before = source.get_snapshot();
  EXPECT_FALSE(source.update([](const checked&) { return std::unique_ptr<checked>(); }));
  EXPECT_EQ(source.get_snapshot(), before);
}

TEST(snapshot_source, keeps_its_value_when_an_update_throws) {  // M8
  const long before = live_now();
  {
    snapshot_source<checked> source{make(1)};
    EXPECT_THROW(source.update([](const checked&) -> std::unique_ptr<checked> {
      auto lost = make(2);
      throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_EQ(source.read()->number, 1);
    EXPECT_TRUE(source.update([](const checked& old) { return make(old.number + 1); })) << "the turn was kept";
  }
  drain();
  EXPECT_EQ(checked::live, before);
}

TEST(snapshot_source, runs_an_update_again_on_what_a_nested_update_left) {  // M7
  const long before = live_now();
  {
    snapshot_source<checked> source{make(1)}, other{make(100)};
    int runs = 0;
    source.update([&](const checked& old) {
      if (++runs == 1) source.update([](const checked& inner) { return make(inner.number + 10); });
      other.update([](const checked& inner) { return make(inner.number + 1); });
      return make(old.number + 1);
    });
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(source.read()->number, 12);
    EXPECT_EQ(other.read()->number, 102);
  }
  drain();
  EXPECT_EQ(checked::live, before);
}

TEST(snapshot_source, crosses_two_updates_without_a_deadlock) {
  snapshot_source<checked> a{make(0)}, b{make(0)};
  const auto add = [](snapshot_source<checked>& outer, snapshot_source<checked>& inner) {
    outer.update([&](const checked& o) {
      inner.update([](const checked& i) { return make(i.number + 1); });
      return make(o.number + 1);
    });
  };
  const long rounds = 2000 / fewer_when_sanitized;
  std::thread other([&] {
    for (long n = 0; n < rounds; ++n) add(b, a);
  });
  for (long n = 0; n < rounds; ++n) add(a, b);
  other.join();
  EXPECT_GE(a.read()->number, 2 * rounds);
  EXPECT_GE(b.read()->number, 2 * rounds);
}

// What an update replaces is destroyed after the update's turn, whoever else it was that kept it until then: each of these
// destructors waits for an update by another thread.
TEST(snapshot_source, destroys_what_updates_replace_when_others_may_update) {  // M11
  struct waits_for_an_update {
    snapshot_source<waits_for_an_update>* source = nullptr;
    int* died = nullptr;
    ~waits_for_an_update() {
      if (source == nullptr) return;
      ++*died;
      std::thread([&] { source->update([](const auto&) { return std::make_unique<waits_for_an_update>(); }); }).join();
    }
  };
  for (const bool calm : {true, false}) {
    int died = 0;
    snapshot_source<waits_for_an_update> source{std::make_unique<waits_for_an_update>()};
    const auto next = [&](const auto&) {
      auto made = std::make_unique<waits_for_an_update>();
      made->source = &source;
      made->died = &died;
      return made;
    };
    const int rounds = calm ? 3 : static_cast<int>(2000 / fewer_when_sanitized);  // until a publish scans
    for (int n = 0; n < rounds; ++n) {
      if (calm) be_calm();
      source.update(next);
    }
    source.update([](const auto&) { return std::make_unique<waits_for_an_update>(); });
    drain();
    EXPECT_EQ(died, rounds);
  }
}

TEST(snapshot_source, leaves_everything_in_place_when_memory_runs_out) {
  // In a thread of its own, which keeps no spare header that would do without an allocation.
  std::thread([] {
    snapshot_source<checked> source{make(1)};
    auto next = make(2);
    const checked* const mine = next.get();
    const auto expect_failure = [&](auto&& call) {
      allocations_until_failure = 0;
      EXPECT_THROW(call(), std::bad_alloc);
      allocations_until_failure = -1;
      EXPECT_EQ(next.get(), mine);
      EXPECT_EQ(source.read()->number, 1);
    };
    expect_failure([&] { source.publish(std::move(next)); });
    expect_failure([&] { (void)source.exchange(std::move(next)); });
    snapshot_ptr<checked> expected = source.get_snapshot();
    expect_failure([&] { (void)source.compare_exchange(expected, next); });
    expect_failure([&] { source.emplace(3); });
    expect_failure([&] { source.update([](const checked&) { return make(4); }); });
  }).join();
}

// ---- destructors that use the library

struct publisher_of_its_number {
  static inline snapshot_source<checked>* target;
  long number;
  explicit publisher_of_its_number(long n) : number(n) {}
  ~publisher_of_its_number() {
    const auto guard = target->read();  // M11
    target->update([&](const checked& old) { return make(old.number + number); });
  }
};

TEST(snapshot_source, may_be_published_to_from_a_destructor) {  // M11
  snapshot_source<checked> target{make(0)};
  publisher_of_its_number::target = &target;
  {
    snapshot_source<publisher_of_its_number> source{std::make_unique<publisher_of_its_number>(1)};
    for (long n = 2; n <= 5000; ++n) source.publish(std::make_unique<publisher_of_its_number>(n));
  }
  drain();
  drain();  // what destructors replaced during the first
  EXPECT_EQ(target.read()->number, 5000l * 5001 / 2);
}

struct republisher {
  static inline snapshot_source<republisher>* source;
  static inline long left = 0;
  ~republisher() {
    if (source != nullptr && left-- > 0) source->publish(std::make_unique<republisher>());
  }
};

TEST(snapshot_source, bears_destructors_that_publish_to_the_same_source_300000_deep) {
  snapshot_source<republisher> source{std::make_unique<republisher>()};
  republisher::source = &source;
  republisher::left = 300'000;
  source.publish(std::make_unique<republisher>());
  while (republisher::left > 0) drain();
  republisher::source = nullptr;
}

struct link_of_a_chain {
  static inline std::atomic<long> live{0};
  explicit link_of_a_chain(snapshot_ptr<link_of_a_chain> n) : next(std::move(n)) { ++live; }
  ~link_of_a_chain() { --live; }
  snapshot_ptr<link_of_a_chain> next;
};

TEST(snapshot_source, destroys_a_chain_of_a_million_versions_on_a_flat_stack) {
  snapshot_source<link_of_a_chain> source;
  for (long n = 0; n < 1'000'000; ++n) source.emplace(source.get_snapshot());
  EXPECT_EQ(link_of_a_chain::live, 1'000'000);
  source.publish(nullptr);
  drain();
  EXPECT_EQ(link_of_a_chain::live, 0);
}

// ---- static construction and destruction: this one lives before and after main

struct reader_before_and_after_main {
  reader_before_and_after_main() : seen(source.read() ? source.read()->number : -1) { source.publish(make(11)); }
  ~reader_before_and_after_main() {
    source.publish(make(12));
    drain();
    if (source.read()->number != 12) std::abort();
  }
  static snapshot_source<checked> source;
  long seen;
};
const reader_before_and_after_main static_user;                           // constructed before...
constinit snapshot_source<checked> reader_before_and_after_main::source;  // ...and needs no constructor to run

TEST(snapshot_source, works_before_main) {
  EXPECT_EQ(static_user.seen, -1);
  EXPECT_EQ(reader_before_and_after_main::source.read()->number, 11);
}

TEST(snapshot_source_death, works_after_main) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static reader_before_and_after_main late;
        std::exit(late.seen == 11 ? 3 : 4);
      },
      testing::ExitedWithCode(3), "");
}

// ---- who waits for whom

TEST(snapshot_source, lets_neither_side_wait_for_a_stalled_one) {  // M4 M14
  const long before = live_now();
  snapshot_source<checked> source{make(0)};
  std::latch stalled(2), go_on(1);
  std::thread reader([&] {
    const auto guard = source.read();
    const auto kept = source.get_snapshot();
    stalled.count_down();
    go_on.wait();
    EXPECT_TRUE(guard->whole());
    EXPECT_EQ(kept->number, 0);
  });
  std::thread writer([&] {
    bool first = true;
    source.update([&](const checked& old) {
      if (std::exchange(first, false)) {
        stalled.count_down();
        go_on.wait();
      }
      return make(old.number + 1);
    });
  });
  stalled.wait();
  long most = 0;
  const long publishes = 1'000'000 / fewer_when_sanitized;
  for (long n = 1; n <= publishes; ++n) {
    source.publish(make(n));
    if (n % 100 == 0) most = std::max<long>(most, checked::live - before);
    if (n % 1000 == 0) {
      EXPECT_TRUE(source.read()->whole());
      EXPECT_TRUE(source.update_optimistic([](const checked& old) { return make(old.number); }));
    }
  }
  drain();
  EXPECT_EQ(checked::live, before + 2) << "the current one and the one the stalled reader holds";
  EXPECT_LE(most, 1024 + 64 + 3) << "one version for the stalled reader, one batch for this writer";
  go_on.count_down();
  reader.join();
  writer.join();
  EXPECT_EQ(source.read()->number, publishes + 1);
}

TEST(snapshot_source, counts_exactly_under_concurrent_updates) {  // M6
  for (const bool optimistic : {false, true}) {
    const long before = live_now();
    {
      snapshot_source<checked> source{make(0)};
      const int threads = 4;
      const long each = 20'000 / fewer_when_sanitized;
      std::atomic<long> runs{0};
      std::vector<std::thread> all;
      for (int t = 0; t < threads; ++t) {
        all.emplace_back([&] {
          const auto step = [&](const checked& old) {
            runs.fetch_add(1, std::memory_order_relaxed);
            return make(old.number + 1);
          };
          for (long n = 0; n < each; ++n) {
            const bool published = optimistic ? source.update_optimistic(step) : source.update(step);
            ASSERT_TRUE(published);
          }
        });
      }
      for (auto& t : all) t.join();
      EXPECT_EQ(source.read()->number, threads * each);
      if (!optimistic) {
        EXPECT_EQ(runs, threads * each) << "updates take turns, so each function runs once";
      }
    }
    drain();
    EXPECT_EQ(checked::live, before) << "results that lost must be destroyed";  // M7
  }
}

TEST(snapshot_source, carries_a_chain_of_two_publications) {  // G6
  // A publishes x, B sees it and publishes y, C sees y: C must see what A wrote, plainly, before x.
  for (long round = 0; round < 2000 / fewer_when_sanitized; ++round) {
    snapshot_source<checked> x, y;
    long plain = 0;
    std::thread a([&] {
      plain = 42;
      x.publish(make(1));
    });
    std::thread b([&] {
      while (!x.read()) std::this_thread::yield();
      y.publish(make(2));
    });
    while (!y.read()) std::this_thread::yield();
    ASSERT_EQ(plain, 42);
    a.join();
    b.join();
  }
}

// ---- stress ----
// Writers publish versions that carry their own number, taken from one counter. A reader sees only
// whole, living versions (a destroyed one is poisoned), and never one older than what it has seen
// before: publishing is serialised here, so numbers grow in the order of publication. When all is
// over exactly the current version is alive.

class snapshot_source_stress : public testing::TestWithParam<int> {};

TEST_P(snapshot_source_stress, every_read_is_whole_alive_and_never_older_than_the_last) {  // G1 G3 G4 G13 M5 M13
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const int readers = GetParam();
  const long publishes = 60'000 / fewer_when_sanitized;
  const long before = live_now();
  std::atomic<long> broken{0}, older{0}, reads{0};
  {
    snapshot_source<checked> source{make(0)}, side{make(0)};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < readers; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed + static_cast<unsigned>(t));
        snapshot_ptr<checked> kept;
        long newest = 0, count = 0;
        const auto look = [&](const auto& guard) {
          if (!guard->whole()) broken.fetch_add(1);
          if (guard->number < newest) older.fetch_add(1);
          newest = std::max(newest, guard->number);
        };
        const auto nest = [&](const auto& self, unsigned long depth) -> void {
          const auto guard = source.read();
          look(guard);
          if (depth != 0) {
            const auto other = side.read();
            self(self, depth - 1);
            if (!other->whole()) broken.fetch_add(1);
          } else if (random() % 16 == 0) {
            std::this_thread::yield();
          }
          if (!guard->whole()) broken.fetch_add(1);
        };
        while (!stop.load(std::memory_order_relaxed)) {
          ++count;
          const auto what = random() % 16;
          if (what < 12) {
            nest(nest, 0);
          } else if (what < 14) {
            nest(nest, random() % 5);
          } else {
            if (kept && !kept->whole()) broken.fetch_add(1);
            kept = source.get_snapshot();
            look(kept);
          }
        }
        reads.fetch_add(count);
      });
    }
    std::thread side_writer([&] {
      std::mt19937 random(seed - 1);
      for (long n = 1; !stop.load(std::memory_order_relaxed); ++n) {
        side.publish(make(n));
        if (random() % 4 == 0) std::this_thread::yield();
      }
    });
    std::thread updater([&] {
      for (long n = 0; n < publishes / 4; ++n) source.update([](const checked& old) { return make(old.number + 1); });
    });
    for (long n = 0; n < publishes; ++n) {
      source.update([](const checked& old) { return make(old.number + 1); });
      if (n % 64 == 0) std::this_thread::yield();
    }
    updater.join();
    stop = true;
    side_writer.join();
    for (auto& t : threads) t.join();
    EXPECT_EQ(source.read()->number, publishes + publishes / 4);
  }
  drain();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(older, 0);
  EXPECT_GT(reads, 0);
  EXPECT_EQ(checked::live, before) << "something leaked, or was destroyed twice";
}

INSTANTIATE_TEST_SUITE_P(readers, snapshot_source_stress, testing::Values(1, 2, 4, 16));

}  // namespace
