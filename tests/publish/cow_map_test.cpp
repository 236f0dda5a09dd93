// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cow_map.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <new>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

using acqrel::cow_map;
using acqrel::drain;

// ---- allocations are counted, and fail on demand: the n-th of this thread from now throws

namespace {
thread_local std::size_t bytes_allocated = 0;
thread_local long allocations_until_failure = -1;
}  // namespace
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (allocations_until_failure >= 0 && allocations_until_failure-- == 0) throw std::bad_alloc();
  bytes_allocated += size;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using names = cow_map<std::string, int>;
using numbers = cow_map<int, int>;

// The version seen is still the one that was kept: what is held has an address to itself.
template <class Snapshot, class Map>
bool is_still(const Snapshot& kept, const Map& map, int key) {
  const auto now = map.read();
  return now.find(key) == kept.find(key);
}

// ---- semantics ----

TEST(cow_map, is_empty_at_first_and_constant_initialised) {
  static constinit names map;
  EXPECT_FALSE(map.get("a"));
  EXPECT_EQ(map.get("a").value_or(7), 7);
  const auto now = map.read();
  EXPECT_TRUE(now.empty());
  EXPECT_EQ(now.find("a"), nullptr);
  EXPECT_FALSE(now.contains("a"));
  EXPECT_TRUE(now.begin() == now.end());
  EXPECT_EQ(map.get_snapshot().size(), 0U);
}

TEST(cow_map, has_the_last_of_equal_keys) {  // F9
  names map{{"a", 1}, {"b", 2}, {"a", 3}};
  EXPECT_EQ(map.read().size(), 2U);
  EXPECT_EQ(*map.get("a").operator->(), 3);
  map.update([](names::edit& edit) {
    EXPECT_TRUE(edit.upsert("c", 4));
    EXPECT_FALSE(edit.upsert("c", 5));
    EXPECT_FALSE(edit.upsert("b", 6));
  });
  EXPECT_EQ(map.get("c").value_or(0), 5);
  EXPECT_EQ(map.get("b").value_or(0), 6);
}

TEST(cow_map, publishes_a_batch_of_upserts_and_erasures_at_once) {  // F4 M10
  names map{{"kept", 1}, {"erased", 2}, {"changed", 3}};
  const auto before = map.get_snapshot();
  EXPECT_TRUE(map.update([&](names::edit& edit) {
    edit.upsert("new", 4);
    EXPECT_TRUE(edit.erase("erased"));
    EXPECT_FALSE(edit.erase("erased"));
    edit.upsert("changed", 5);
    EXPECT_EQ(map.read().size(), 3U) << "nothing shows before the batch is complete";
    EXPECT_TRUE(map.get("erased"));
  }));
  const auto after = map.read();
  EXPECT_EQ((std::map<std::string, int>(after.begin(), after.end())),
            (std::map<std::string, int>{{"kept", 1}, {"changed", 5}, {"new", 4}}));
  EXPECT_EQ((std::map<std::string, int>(before.begin(), before.end())),
            (std::map<std::string, int>{{"kept", 1}, {"changed", 3}, {"erased", 2}}));
  EXPECT_FALSE(map.get("erased"));
}

TEST(cow_map, begins_with_an_update_of_nothing) {  // M9
  numbers map;
  EXPECT_TRUE(map.update([](numbers::edit& edit) {
    EXPECT_TRUE(edit.empty());
    EXPECT_FALSE(edit.contains(1));
    edit.upsert(1, 10);
  }));
  EXPECT_EQ(map.get(1).value_or(0), 10);
}

TEST(cow_map, shows_an_edit_its_own_changes) {
  numbers map{{1, 10}, {2, 20}};
  map.update([](numbers::edit& edit) {
    EXPECT_EQ(*edit.find(1), 10);
    edit.upsert(1, 11);
    edit.upsert(3, 30);
    edit.erase(2);
    EXPECT_EQ(*edit.find(1), 11);
    EXPECT_EQ(edit.size(), 2U);
    EXPECT_FALSE(edit.contains(2));
    int sum = 0;
    for (const auto& [key, value] : edit) sum += value;
    EXPECT_EQ(sum, 41);
    EXPECT_TRUE(edit.clear());
    EXPECT_FALSE(edit.clear());
    edit.upsert(4, 40);
  });
  EXPECT_EQ(map.read().size(), 1U);
  EXPECT_EQ(map.get(4).value_or(0), 40);
}

TEST(cow_map, publishes_nothing_when_nothing_changes) {  // M10
  numbers map{{1, 10}};
  const auto before = map.get_snapshot();
  EXPECT_FALSE(map.update([](numbers::edit&) {}));
  EXPECT_FALSE(map.update([](numbers::edit& edit) { EXPECT_FALSE(edit.erase(2)); }));
  EXPECT_FALSE(map.update([](numbers::edit& edit) {
    edit.upsert(1, 11);
    return false;
  }));
  EXPECT_TRUE(is_still(before, map, 1));
  EXPECT_EQ(map.get(1).value_or(0), 10);
  EXPECT_TRUE(map.update([](numbers::edit& edit) {
    edit.upsert(1, 11);
    return true;
  }));
  EXPECT_EQ(map.get(1).value_or(0), 11);
  numbers none;
  EXPECT_FALSE(none.update([](numbers::edit& edit) { EXPECT_FALSE(edit.clear()); }));
}

TEST(cow_map, allocates_nothing_to_answer) {
  const std::string long_key = "a key that no small string holds in itself";
  names map{{long_key, 1}};
  const std::string_view view = long_key;
  (void)map.get("x");  // a thread's first read makes its record
  const std::size_t before = bytes_allocated;
  EXPECT_EQ(*map.get(view).operator->(), 1);
  EXPECT_TRUE(map.read().contains(view));
  EXPECT_FALSE(map.get("another key that no small string holds in itself"));
  EXPECT_FALSE(map.update([](names::edit& edit) { edit.erase(std::string_view("no key of a map, and a long one")); }));
  EXPECT_EQ(bytes_allocated, before);
}

TEST(cow_map, changes_nothing_when_a_batch_throws) {  // M8 F10
  const long live = live_now();
  cow_map<int, std::shared_ptr<const checked>> map{{1, std::make_shared<checked>(1)}};
  const auto before = map.get_snapshot();
  EXPECT_THROW(map.update([](auto& edit) {
    edit.upsert(1, std::make_shared<checked>(2));
    edit.upsert(2, std::make_shared<checked>(3));
    edit.erase(1);
    throw std::runtime_error("not valid");
  }),
               std::runtime_error);
  EXPECT_TRUE(is_still(before, map, 1));
  EXPECT_EQ(live_now(), live + 1) << "the batch given up leaks";
  EXPECT_TRUE(map.update([](auto& edit) { edit.erase(1); })) << "the turn was kept";
}

TEST(cow_map, changes_nothing_when_any_allocation_fails) {  // M8
  names map;
  map.update([](names::edit& edit) {
    for (int n = 0; n < 20; ++n) edit.upsert("a key that no small string holds in itself, " + std::to_string(n), n);
  });
  const std::string new_key = "another key that no small string holds in itself";
  bool published = false;
  long failures = 0;
  for (; !published; ++failures) {
    try {
      allocations_until_failure = failures;
      published = map.update([&](names::edit& edit) {
        for (int n = 0; n < 40; ++n) edit.upsert(new_key, n);
        edit.erase("a key that no small string holds in itself, 7");
      });
      allocations_until_failure = -1;
    } catch (const std::bad_alloc&) {
      allocations_until_failure = -1;
      ASSERT_EQ(map.read().size(), 20U);
      ASSERT_FALSE(map.get(new_key));
    }
  }
  EXPECT_GT(failures, 20);
  EXPECT_EQ(map.get(new_key).value_or(0), 39);
  EXPECT_EQ(map.read().size(), 20U);
}

TEST(cow_map, has_values_of_its_own) {  // F7
  cow_map<std::string, std::vector<int>> map;
  std::vector<int> mine{1, 2, 3};
  std::string key = "mine";
  map.update([&](auto& edit) { edit.upsert(key, mine); });
  mine[0] = 100;
  key = "yours";
  EXPECT_EQ(map.get("mine")->front(), 1);
}

template <class F>
concept finds = requires(F read) {
  read().find(1);
};
template <class F>
concept iterates = requires(F read) {
  read().begin();
};
template <class F>
concept dereferences = requires(F get) {
  *get();
};

TEST(cow_map, gives_only_const_access_and_only_through_a_name) {
  static_assert(std::is_same_v<decltype(std::declval<const numbers::view&>().find(1)), const int*>);
  static_assert(std::is_same_v<decltype(*std::declval<const numbers::view&>().begin()), const std::pair<int, int>&>);
  static_assert(std::is_same_v<decltype(*std::declval<numbers::found&>()), const int&>);
  static_assert(finds<numbers::view& (*)()> && !finds<numbers::view (*)()> && !finds<numbers::snapshot (*)()>);
  static_assert(iterates<numbers::view& (*)()> && !iterates<numbers::view (*)()>);
  static_assert(dereferences<numbers::found& (*)()> && !dereferences<numbers::found (*)()>);
  static_assert(!std::is_move_constructible_v<numbers::view> && !std::is_move_constructible_v<numbers::found>);
  static_assert(std::is_copy_constructible_v<numbers::snapshot> && !std::is_copy_constructible_v<numbers::edit>);
  static_assert(!std::is_copy_constructible_v<numbers> && !std::is_move_constructible_v<numbers>);
  static_assert(sizeof(numbers) == 64);
  int sum = 0;
  for (const auto& [key, value] : numbers{{1, 10}, {2, 20}}.read()) sum += value;
  EXPECT_EQ(sum, 30);
}

TEST(cow_map, keeps_a_version_for_whoever_holds_it) {  // M2
  auto map = std::make_unique<numbers>(numbers::table{{1, 10}, {2, 20}});
  const auto found = map->get(2);
  const auto now = map->read();
  auto kept = map->get_snapshot();
  for (int n = 0; n < 100'000 / fewer_when_sanitized; ++n)
    map->update([&](numbers::edit& edit) {
      edit.upsert(1, n);
      edit.erase(2);
    });
  map.reset();
  drain();
  EXPECT_EQ(*found, 20);
  EXPECT_EQ(*now.find(1), 10);
  std::thread([mine = std::move(kept)] { EXPECT_EQ(*mine.find(2), 20); }).join();
}

TEST(cow_map, destroys_what_nobody_holds) {  // M3 M5
  const long before = live_now();
  {
    cow_map<int, std::shared_ptr<const checked>> map;
    for (int n = 0; n < 100; ++n) map.update([&](auto& edit) { edit.upsert(n % 10, std::make_shared<checked>(n)); });
    EXPECT_EQ(live_now(), before + 10);
    const auto kept = map.get_snapshot();
    map.update([](auto& edit) { edit.clear(); });
    EXPECT_EQ(live_now(), before + 10);
  }
  EXPECT_EQ(live_now(), before);
}

TEST(cow_map, destroys_large_versions_at_once_even_in_a_storm) {  // M4
  const long before = live_now();
  cow_map<int, std::shared_ptr<const checked>> map;
  map.update([](auto& edit) {
    for (int n = 0; n < 100; ++n) edit.upsert(n, std::make_shared<checked>(n));
  });
  for (int n = 0; n < 500; ++n) {
    map.update([&](auto& edit) { edit.upsert(n % 100, std::make_shared<checked>(n)); });
    ASSERT_EQ(checked::live, before + 100);
  }
  map.update([](auto& edit) { edit.clear(); });
  EXPECT_EQ(checked::live, before);
}

// The document's map grew with its generation.
TEST(cow_map, costs_an_update_what_is_in_it_and_not_what_was) {
  numbers map;
  map.update([](numbers::edit& edit) {
    for (int n = 0; n < 100'000; ++n) edit.upsert(n, n);
  });
  map.update([](numbers::edit& edit) {
    for (int n = 10; n < 100'000; ++n) edit.erase(n);
  });
  for (int n = 0; n < 1000; ++n) map.update([&](numbers::edit& edit) { edit.upsert(n % 10, n); });
  const std::size_t before = bytes_allocated;
  map.update([&](numbers::edit& edit) { edit.upsert(1, 1); });
  EXPECT_LT(bytes_allocated - before, 1000U);
}

TEST(cow_map, is_updated_within_an_update_and_read_meanwhile) {  // M7 M14
  numbers map{{1, 0}, {2, 0}};
  int calls = 0;
  map.update([&](numbers::edit& outer) {
    ++calls;
    if (calls == 1) map.update([](numbers::edit& inner) { inner.upsert(2, 5); });
    std::thread([&] { EXPECT_EQ(map.get(2).value_or(0), 5); }).join();
    outer.upsert(1, *outer.find(2) + 1);
  });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(map.get(1).value_or(0), 6);
}

struct tells_when_it_dies {
  std::shared_ptr<std::function<void()>> at_end;
  ~tells_when_it_dies() {
    if (at_end && at_end.use_count() == 1) (*at_end)();
  }
  explicit tells_when_it_dies(std::function<void()> f)
      : at_end(std::make_shared<std::function<void()>>(std::move(f))) {}
  tells_when_it_dies(const tells_when_it_dies&) = default;
  tells_when_it_dies(tells_when_it_dies&&) = default;
  tells_when_it_dies& operator=(const tells_when_it_dies&) = default;
  tells_when_it_dies& operator=(tells_when_it_dies&&) = default;
};

// What a destructor does while the turn at updating is kept, others wait for; one that waits for them would wait for ever.
TEST(cow_map, destroys_values_while_others_may_update) {  // M11
  cow_map<int, tells_when_it_dies> map;
  int died = 0;
  const auto updates_from_another_thread = [&] {
    ++died;
    std::thread([&] { map.update([](auto& edit) { edit.upsert(2, tells_when_it_dies([] {})); }); }).join();
  };
  map.update([&](auto& edit) { edit.upsert(1, tells_when_it_dies(updates_from_another_thread)); });
  map.update([](auto& edit) { edit.clear(); });
  drain();
  EXPECT_EQ(died, 1);
  EXPECT_THROW(map.update([&](auto& edit) {
    edit.upsert(3, tells_when_it_dies(updates_from_another_thread));
    throw std::runtime_error("given up");
  }),
               std::runtime_error);
  EXPECT_EQ(died, 2);
  EXPECT_TRUE(map.get(2));
}

struct one_hash {
  std::size_t operator()(int) const { return 0; }
};

TEST(cow_map, is_right_where_all_keys_have_one_hash) {
  cow_map<int, int, one_hash> map;
  map.update([](auto& edit) {
    for (int n = 0; n < 500; ++n) edit.upsert(n, n);
  });
  map.update([](auto& edit) {
    for (int n = 0; n < 500; n += 2) edit.erase(n);
  });
  for (int n = 0; n < 500; ++n) ASSERT_EQ(map.get(n).value_or(-1), n % 2 == 0 ? -1 : n);
}

// Random batches against std::map, which is given the same and, where the batch throws, put back.
TEST(cow_map, is_as_a_map_with_transactions_in_random_sequences) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    names map;
    std::map<std::string, int> oracle;
    for (int batch = 0; batch < 200; ++batch) {
      const bool fails = below(4) == 0;
      auto wanted = oracle;
      try {
        map.update([&](names::edit& edit) {
          for (int count = below(8); count != 0; --count) {
            const std::string key = std::to_string(below(30));
            if (below(2) == 0) {
              ASSERT_EQ(edit.upsert(key, count), wanted.insert_or_assign(key, count).second);
            } else {
              ASSERT_EQ(edit.erase(key), wanted.erase(key) == 1);
            }
          }
          if (fails) throw std::runtime_error("given up");
        });
      } catch (const std::runtime_error&) {
      }
      if (!fails) oracle = wanted;
      const auto now = map.read();
      ASSERT_EQ((std::map<std::string, int>(now.begin(), now.end())), oracle);
    }
  }
}

// ---- stress ----

// Each batch gives its number to all of eight keys, and to one of a hundred others, from which it erases another. A reader
// knows a whole version by it: eight equal numbers, never lower than before, and the one key that goes with the number.
void write_versions(numbers& map, int first, int last) {
  for (int n = first; n <= last; ++n)
    map.update([&](numbers::edit& edit) {
      for (int key = 0; key < 8; ++key) edit.upsert(key, n);
      edit.upsert(1000 + n % 100, n);
      edit.erase(1000 + (n - 1) % 100);
    });
}
int whole_version(const numbers::view& now) {
  const int n = *now.find(0);
  for (int key = 1; key < 8; ++key) {
    if (*now.find(key) != n) return -1;
  }
  const int* const other = now.find(1000 + n % 100);
  return now.size() == 9 && other != nullptr && *other == n && !now.contains(1000 + (n - 1) % 100) ? n : -1;
}

TEST(cow_map_stress, whole_versions_are_told_from_others) {
  numbers map;
  write_versions(map, 1, 5);
  EXPECT_EQ(whole_version(map.read()), 5);
  map.update([](numbers::edit& edit) { edit.upsert(7, 4); });
  EXPECT_EQ(whole_version(map.read()), -1);
}

TEST(cow_map_stress, every_reader_sees_whole_versions_in_order) {  // M5
  const int last = static_cast<int>(100'000 / fewer_when_sanitized);
  numbers map;
  write_versions(map, 1, 1);
  std::atomic<int> broken{0}, older{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader)
    readers.emplace_back([&] {
      for (int newest = 0; newest < last;) {
        const int n = whole_version(map.read());
        if (n < 0) {
          broken.fetch_add(1);
          return;
        }
        if (n < newest) older.fetch_add(1);
        newest = n;
        std::this_thread::yield();
      }
    });
  write_versions(map, 2, last);
  for (auto& each : readers) each.join();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(older, 0);
}

// Each of four threads adds to a key of its own and to one that all share.
TEST(cow_map_stress, no_batch_is_lost) {  // M6
  const int rounds = static_cast<int>(20'000 / fewer_when_sanitized);
  numbers map;
  std::vector<std::thread> writers;
  for (int writer = 1; writer <= 4; ++writer)
    writers.emplace_back([&, writer] {
      for (int round = 0; round < rounds; ++round)
        map.update([&](numbers::edit& edit) {
          for (const int key : {0, writer}) {
            const int* const count = edit.find(key);
            edit.upsert(key, count == nullptr ? 1 : *count + 1);
          }
        });
    });
  for (auto& each : writers) each.join();
  EXPECT_EQ(map.get(0).value_or(0), 4 * rounds);
  for (int writer = 1; writer <= 4; ++writer) EXPECT_EQ(map.get(writer).value_or(0), rounds);
}

}  // namespace
