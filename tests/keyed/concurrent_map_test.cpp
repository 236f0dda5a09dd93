// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/concurrent_map.hpp>

#include "../checked_value.hpp"
#include "map_spec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <latch>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using acqrel::concurrent_map;
using namespace std::string_literals;

struct one_hash {
  std::size_t operator()(int) const { return 42; }
};
struct few_hashes {
  std::size_t operator()(int key) const { return static_cast<std::size_t>(key) % 8 << 40; }
};

template <class Hash>
struct concurrent_map_of : testing::Test {
  using map_type = concurrent_map<int, int, Hash>;
  // So many that the map grows several times; a list of them all is slow.
  static constexpr int many = std::is_same_v<Hash, one_hash> ? 300 : std::is_same_v<Hash, few_hashes> ? 1'000 : 20'000;
};
using hashes = testing::Types<acqrel::flat_hash<int>, few_hashes, one_hash>;
TYPED_TEST_SUITE(concurrent_map_of, hashes);
template <class Hash>
struct concurrent_map_stress_of : concurrent_map_of<Hash> {};
TYPED_TEST_SUITE(concurrent_map_stress_of, hashes);

// ---- semantics ----

TEST(concurrent_map, finds_what_was_put_in) {
  concurrent_map<std::string, int> map;
  EXPECT_FALSE(map.find("alice"));
  EXPECT_FALSE(map.contains("alice"s));
  EXPECT_TRUE(map.insert("alice", 1));
  EXPECT_FALSE(map.insert("alice", 2)) << "it is there";
  const auto found = map.find(std::string_view("alice"));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, 1);
  EXPECT_FALSE(map.insert_or_assign("alice", 3));
  EXPECT_TRUE(map.insert_or_assign("bob"s, 4));
  EXPECT_EQ(*found, 1) << "a guard keeps what it found";
  EXPECT_EQ(map.get("alice"), 3);
  EXPECT_EQ(map.get("carol"), std::nullopt);
  EXPECT_EQ(map.size(), 2U);
  int seen = 0;
  EXPECT_TRUE(map.visit("bob", [&](int value) { seen = value; }));
  EXPECT_FALSE(map.visit("carol", [&](int) { seen = 0; }));
  EXPECT_EQ(seen, 4);
}

TEST(concurrent_map, takes_keys_out) {
  concurrent_map<std::string, int> map;
  EXPECT_FALSE(map.erase("alice"));
  EXPECT_EQ(map.take("alice"), std::nullopt);
  map.insert("alice", 1);
  map.insert("bob", 2);
  EXPECT_TRUE(map.erase("alice"));
  EXPECT_FALSE(map.contains("alice"));
  EXPECT_EQ(map.take("bob"), 2);
  EXPECT_EQ(map.size(), 0U);
  map.insert("bob", 3);
  EXPECT_FALSE(map.erase_if("bob", [](int value) { return value == 2; }));
  EXPECT_TRUE(map.erase_if("bob", [](int value) { return value == 3; }));
  EXPECT_FALSE(map.contains("bob"));
}

TEST(concurrent_map, changes_what_it_is_compared_with) {
  concurrent_map<std::string, int> map;
  EXPECT_FALSE(map.compare_and_assign("alice", 1, 2)) << "there is none";
  map.insert("alice", 1);
  EXPECT_FALSE(map.compare_and_assign("alice", 2, 3));
  EXPECT_TRUE(map.compare_and_assign("alice", 1, 2));
  EXPECT_FALSE(map.compare_and_erase("alice", 1));
  EXPECT_EQ(map.get("alice"), 2);
  EXPECT_TRUE(map.compare_and_erase("alice", 2));
  EXPECT_FALSE(map.compare_and_erase("alice", 2));
}

TEST(concurrent_map, changes_by_a_function_of_what_is_there) {
  concurrent_map<std::string, int> map;
  const auto next = [](const int* old) { return std::optional(old == nullptr ? 1 : *old + 1); };
  EXPECT_TRUE(map.update("alice", next));
  EXPECT_TRUE(map.update("alice", next));
  EXPECT_EQ(map.get("alice"), 2);
  EXPECT_FALSE(map.update("alice", [](const int*) { return std::optional<int>(); })) << "nothing is no change";
  EXPECT_EQ(map.get("alice"), 2);
  // The function uses the map, and changes the very key: it is asked again, of what it left.
  int asked = 0;
  EXPECT_TRUE(map.update("alice", [&](const int* old) {
    if (++asked == 1) map.insert_or_assign("alice", 10);
    return std::optional(*old + 1);
  }));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(map.get("alice"), 11);
  EXPECT_EQ(map.size(), 1U);
}

TEST(concurrent_map, makes_a_value_once_where_there_is_none) {
  concurrent_map<std::string, std::unique_ptr<int>> map;
  int made = 0;
  const auto make = [&] { return ++made, std::make_unique<int>(made); };
  {
    const auto first = map.get_or_insert("alice", make);
    EXPECT_EQ(**first, 1);
    const auto second = map.get_or_insert("alice", make);
    EXPECT_EQ(first.get(), second.get());
    map.erase("alice");
    EXPECT_EQ(**first, 1) << "alive until the brace";
  }
  // While it is made, somebody else is first.
  const auto third = map.get_or_insert("bob", [&] {
    map.insert("bob", std::make_unique<int>(7));
    return make();
  });
  EXPECT_EQ(**third, 7);
  EXPECT_EQ(made, 2);
  EXPECT_THROW((void)map.get_or_insert("carol", []() -> std::unique_ptr<int> { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_FALSE(map.contains("carol"));
  EXPECT_EQ(map.size(), 1U);
}

struct pointer_hash {
  using is_transparent = void;
  std::size_t operator()(const std::unique_ptr<int>& p) const { return std::hash<const int*>()(p.get()); }
  std::size_t operator()(const int* p) const { return std::hash<const int*>()(p); }
};
struct pointer_equal {
  using is_transparent = void;
  bool operator()(const std::unique_ptr<int>& a, const auto& b) const { return &*a == &*b; }
};

TEST(concurrent_map, takes_keys_and_values_that_can_only_be_moved) {
  concurrent_map<std::unique_ptr<int>, std::unique_ptr<std::string>, pointer_hash, pointer_equal> map;
  auto key = std::make_unique<int>(1);
  const int* const where = key.get();
  EXPECT_TRUE(map.insert(std::move(key), std::make_unique<std::string>("one")));
  EXPECT_EQ(*map.find(where)->get(), "one");
  map.for_each([&](const std::unique_ptr<int>& k, const std::unique_ptr<std::string>&) { EXPECT_EQ(k.get(), where); });
  EXPECT_TRUE(map.erase(where));
}

struct alignas(64) wide {
  explicit wide(int n) : number(n) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 64, 0U); }
  wide(wide&& other) noexcept : wide(other.number) {}
  wide(const wide& other) : wide(other.number) {}
  int number;
};

TEST(concurrent_map, keeps_large_and_aligned_values) {
  concurrent_map<int, wide> map;
  for (int n = 0; n != 100; ++n) map.insert(n, wide(n));
  for (int n = 0; n != 100; ++n) EXPECT_EQ(map.find(n)->number, n);
}

TEST(concurrent_map, stands_ready_before_main) {
  static constinit concurrent_map<int, int> map;
  EXPECT_TRUE(map.insert(1, 1));
  EXPECT_TRUE(map.erase(1));
  using map_type = concurrent_map<int, int>;
  static_assert(!std::is_copy_constructible_v<map_type> && !std::is_move_constructible_v<map_type>);
  static_assert(!std::is_move_constructible_v<map_type::guard>);
}

TEST(concurrent_map, is_outlived_by_a_guard) {
  auto map = std::make_unique<concurrent_map<int, std::unique_ptr<checked>>>();
  map->insert(1, std::make_unique<checked>(1));
  map->insert(2, std::make_unique<checked>(2));
  {
    const auto found = map->find(1);
    map.reset();
    EXPECT_EQ(checked::live, 1) << "what nobody holds is destroyed with the map";
    EXPECT_TRUE((*found)->whole());
  }
  EXPECT_EQ(live_now(), 0);
}

TEST(concurrent_map, may_be_used_by_what_dies_in_it) {
  struct last_will {
    explicit last_will(concurrent_map<int, std::unique_ptr<last_will>>* map) : map_(map) {}
    ~last_will() {
      if (map_ != nullptr) map_->insert(7, std::make_unique<last_will>(nullptr));
    }
    concurrent_map<int, std::unique_ptr<last_will>>* map_;
  };
  concurrent_map<int, std::unique_ptr<last_will>> map;
  map.insert(1, std::make_unique<last_will>(&map));
  map.erase(1);
  acqrel::drain();
  EXPECT_TRUE(map.contains(7));
}

// A hash, an equality or a copy that throws changes nothing.
struct fragile {
  static inline bool throws = false;
  int number = 0;
  explicit fragile(int n) : number(n) {}
  fragile(fragile&&) = default;
  fragile(const fragile& other) : number(other.number) {
    if (throws) throw std::runtime_error("copied");
  }
};
struct fragile_hash {
  static inline bool throws = false;
  std::size_t operator()(int key) const {
    if (throws) throw std::runtime_error("hashed");
    return static_cast<std::size_t>(key) % 2;
  }
};
struct fragile_equal {
  static inline int until = 0;
  bool operator()(int a, int b) const {
    if (--until == 0) throw std::runtime_error("compared");
    return a == b;
  }
};

TEST(concurrent_map, is_as_before_where_something_throws) {
  concurrent_map<int, fragile, fragile_hash, fragile_equal> map;
  for (int n = 0; n != 8; ++n) map.insert(n, fragile(n));
  fragile_hash::throws = true;
  EXPECT_THROW(map.insert(9, fragile(9)), std::runtime_error);
  EXPECT_THROW((void)map.find(1), std::runtime_error);
  fragile_hash::throws = false;
  for (int until = 1; until != 4; ++until) {
    fragile_equal::until = until;
    EXPECT_THROW(map.erase(1), std::runtime_error);
    fragile_equal::until = until;
    EXPECT_THROW((void)map.contains(9), std::runtime_error);
  }
  fragile_equal::until = 0;
  fragile::throws = true;
  EXPECT_THROW((void)map.take(1), std::runtime_error);
  EXPECT_THROW(map.update(1, [](const fragile* old) { return std::optional<fragile>(*old); }), std::runtime_error);
  fragile::throws = false;
  EXPECT_THROW(map.erase_if(1, [](const fragile&) -> bool { throw std::runtime_error("asked"); }), std::runtime_error);
  EXPECT_EQ(map.size(), 8U);
  for (int n = 0; n != 8; ++n) EXPECT_EQ(map.find(n)->number, n);
  EXPECT_THROW(map.for_each([](int, const fragile&) { throw std::runtime_error("called"); }), std::runtime_error);
  EXPECT_TRUE(map.erase(3)) << "no guard was left behind";
}

TYPED_TEST(concurrent_map_of, does_as_a_standard_map_does) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::minstd_rand random(seed);
  typename TestFixture::map_type map;
  std::map<int, int> reference;
  const unsigned keys = static_cast<unsigned>(this->many);
  for (int call = 0; call != 4 * this->many; ++call) {
    const int key = static_cast<int>(random() % keys), value = static_cast<int>(random() % 4);
    const auto there = reference.find(key);
    const bool is_there = there != reference.end();
    switch (random() % 9) {
      case 0:
      case 1: ASSERT_EQ(map.insert(key, value), reference.emplace(key, value).second); break;
      case 2: ASSERT_EQ(map.insert_or_assign(key, value), reference.insert_or_assign(key, value).second); break;
      case 3: ASSERT_EQ(map.erase(key), reference.erase(key) == 1); break;
      case 4:
        ASSERT_EQ(map.compare_and_assign(key, value, value + 1), is_there && there->second == value);
        if (is_there && there->second == value) ++there->second;
        break;
      case 5:
        ASSERT_EQ(map.compare_and_erase(key, value), is_there && there->second == value);
        if (is_there && there->second == value) reference.erase(there);
        break;
      case 6:
        ASSERT_EQ(*map.get_or_insert(key, [&] { return value; }).operator->(), is_there ? there->second : value);
        reference.emplace(key, value);
        break;
      case 7:
        ASSERT_EQ(map.take(key), is_there ? std::optional(there->second) : std::nullopt);
        reference.erase(key);
        break;
      default: ASSERT_EQ(map.get(key), is_there ? std::optional(there->second) : std::nullopt);
    }
    ASSERT_EQ(map.size(), reference.size());
  }
  std::map<int, int> all;
  map.for_each([&](int key, int value) { EXPECT_TRUE(all.emplace(key, value).second) << key << " twice"; });
  EXPECT_EQ(all, reference);
  map.clear();
  EXPECT_EQ(map.size(), 0U);
  map.for_each([](int key, int) { ADD_FAILURE() << key; });
}

TYPED_TEST(concurrent_map_of, finds_all_of_many) {
  typename TestFixture::map_type map;
  for (int n = 0; n != this->many; ++n) ASSERT_TRUE(map.insert(n, -n));
  for (int n = 0; n != this->many; ++n) ASSERT_EQ(map.get(n), -n);
  for (int n = 0; n < this->many; n += 3) ASSERT_TRUE(map.erase(n));
  for (int n = 0; n != this->many; ++n) ASSERT_EQ(map.contains(n), n % 3 != 0);
}

// The callback takes out what it is called for and what is still to come, changes values, and adds so many keys that the map
// grows: a key that is there all the time is seen once, none is seen twice, none that was taken out before.
TYPED_TEST(concurrent_map_of, is_iterated_while_the_callback_changes_it) {
  typename TestFixture::map_type map;
  const int stable = this->many / 10;
  for (int n = 0; n != stable; ++n) map.insert(n, 0);
  for (int n = 0; n != stable; ++n) map.insert(10 * this->many + n, 0);
  std::set<int> seen;
  int added = 0;
  map.for_each([&](int key, int) {
    EXPECT_TRUE(seen.insert(key).second) << key << " twice";
    map.insert_or_assign(key, 1);
    for (int i = 0; i != 8 && added != this->many; ++i) map.insert(stable + added++, 0);
    if (key >= 10 * this->many) {
      EXPECT_TRUE(map.erase(key));
    }
  });
  for (int n = 0; n != stable; ++n) EXPECT_TRUE(seen.contains(n)) << n;
  EXPECT_EQ(map.size(), static_cast<std::size_t>(stable + added));
  for (int n = 0; n != stable; ++n) EXPECT_EQ(map.get(n), 1);
}

// One thread is held up in a lookup, another changes and takes out: what was taken out is destroyed, but for what one batch
// leaves, and what the reader holds.
TYPED_TEST(concurrent_map_of, destroys_what_was_taken_out_beside_a_stalled_reader) {
  concurrent_map<int, std::unique_ptr<checked>, TypeParam> map;
  constexpr int stable = 100;
  for (int n = 0; n != stable; ++n) map.insert(n, std::make_unique<checked>(n));
  std::latch holding(1), done(1);
  std::jthread reader([&] {
    const auto found = map.find(7);
    holding.count_down();
    done.wait();
    EXPECT_TRUE((*found)->whole());
    EXPECT_EQ((*found)->number, 7);
  });
  holding.wait();
  long most = 0;
  std::thread([&] {
    for (int n = 0; n != 20'000 / fewer_when_sanitized; ++n) {
      map.insert_or_assign(n % stable, std::make_unique<checked>(n));
      map.insert(stable + n, std::make_unique<checked>(n));
      map.erase(stable + n);
      if (n % 100 == 0) most = std::max(most, checked::live.load());
    }
  }).join();
  EXPECT_LE(most, stable + 2 * 1'024 + 100);
  acqrel::drain();
  EXPECT_LE(checked::live, 2 * stable + 1)
      << "the thread that has ended left nothing; the reader's bucket is as it was";
  done.count_down();
  reader.join();
  EXPECT_EQ(live_now(), stable);
  map.clear();
  EXPECT_EQ(live_now(), 0);
}

// ---- stress ----

// Some keys are there all the time, with a value that says which they are. While others put in and take out so many that
// the map grows, the readers never miss one, and an iteration meets each once, and nothing twice.
TYPED_TEST(concurrent_map_stress_of, never_misses_what_is_there) {
  for (int round = 0; round != 3; ++round) {
    typename TestFixture::map_type map;
    const int stable = this->many / 20, loose = this->many / static_cast<int>(fewer_when_sanitized);
    for (int n = 0; n != stable; ++n) map.insert(n, n);
    std::atomic<bool> done{false};
    std::thread reader([&] {
      while (!done) {
        for (int n = 0; n != stable; ++n) ASSERT_EQ(map.get(n), n);
      }
    });
    std::thread walker([&] {
      while (!done) {
        std::vector<int> times(static_cast<std::size_t>(stable));
        std::set<int> others;
        map.for_each([&](int key, int value) {
          ASSERT_EQ(key, value);
          if (key < stable)
            ++times[static_cast<std::size_t>(key)];
          else
            ASSERT_TRUE(others.insert(key).second) << key << " twice";
        });
        for (const int n : times) ASSERT_EQ(n, 1);
      }
    });
    std::vector<std::thread> writers;
    for (int t = 0; t != 2; ++t) {
      writers.emplace_back([&, t] {
        for (int n = 0; n != loose; ++n) {
          const int key = stable + 2 * n + t;
          ASSERT_TRUE(map.insert(key, key));
          if (n % 4 != 0) {
            ASSERT_TRUE(map.erase(key));
          }
          if (n % 16 == 0) map.insert_or_assign(n % stable, n % stable);
        }
      });
    }
    for (auto& one : writers) one.join();
    done = true;
    reader.join();
    walker.join();
    EXPECT_EQ(map.size(), static_cast<std::size_t>(stable + 2 * ((loose + 3) / 4)));
  }
}

// Each increment counts, whoever is beside; each key is added once, and what is taken is taken by one.
TYPED_TEST(concurrent_map_stress_of, loses_no_change) {
  typename TestFixture::map_type map;
  constexpr int keys = 40;
  const int each = 20'000 / static_cast<int>(fewer_when_sanitized);
  std::atomic<int> taken{0}, added{0};
  std::vector<std::thread> running;
  for (int t = 0; t != 3; ++t) {
    running.emplace_back([&, t] {
      for (int n = 0; n != each; ++n) {
        map.update(n % keys, [](const int* old) { return std::optional(old != nullptr ? *old + 1 : 1); });
        if (n % 64 == 0) {
          int mine = 0;
          if (map.erase_if((n / 64 + t) % keys, [&](int value) { return mine = value, true; })) taken += mine;
        }
        if (n < this->many && map.insert(1'000 + n, n)) ++added;
      }
    });
  }
  for (auto& one : running) one.join();
  int left = 0;
  map.for_each([&](int key, int value) { left += key < keys ? value : 0; });
  EXPECT_EQ(left + taken, 3 * each);
  EXPECT_EQ(added, std::min(each, this->many));
}

// Values are whole while they are read, whatever replaces them: see checked_value.hpp.
TEST(concurrent_map_stress, shows_whole_values) {
  concurrent_map<int, std::unique_ptr<checked>> map;
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int t = 0; t != 2; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        for (int key = 0; key != 8; ++key) {
          const auto found = map.find(key);
          const auto other = map.find(key + 1);
          ASSERT_TRUE(!found || (*found)->whole());
          ASSERT_TRUE(!other || (*other)->whole());
        }
        map.for_each([](int, const std::unique_ptr<checked>& value) { ASSERT_TRUE(value->whole()); });
      }
    });
  }
  for (int n = 0; n != 100'000 / fewer_when_sanitized; ++n) {
    map.insert_or_assign(n % 8, std::make_unique<checked>(n));
    if (n % 3 == 0) map.erase((n + 4) % 8);
  }
  done = true;
  for (auto& one : readers) one.join();
  map.clear();
  EXPECT_EQ(live_now(), 0);
}

TYPED_TEST(concurrent_map_stress_of, is_linearizable) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  const auto call = [](typename TestFixture::map_type& map, auto& calls, std::size_t thread, auto& random) {
    calls.record(thread, map_spec::any(random), [&](auto& o) { map_spec::make(map, o); });
  };
  EXPECT_EQ((linearizable::find_broken<map_spec, typename TestFixture::map_type>(
                seed, 2'000 / static_cast<int>(fewer_when_sanitized), 3, 8, call)),
            "");
}

// take() had copied the value when somebody else took it out, and returned the copy all the same: both had it.
struct erased_while_copied {
  explicit erased_while_copied(int v) noexcept : value(v) {}
  erased_while_copied(erased_while_copied&&) noexcept = default;
  erased_while_copied(const erased_while_copied& other) : value(other.value) {
    if (map != nullptr) std::exchange(map, nullptr)->erase(1);
  }
  int value;
  static inline acqrel::concurrent_map<int, erased_while_copied>* map = nullptr;
};

TEST(concurrent_map, does_not_give_what_another_has_taken_out_meanwhile) {
  acqrel::concurrent_map<int, erased_while_copied> map;
  map.insert(1, erased_while_copied(5));
  erased_while_copied::map = &map;
  EXPECT_FALSE(map.take(1));
  EXPECT_EQ(erased_while_copied::map, nullptr);
  EXPECT_EQ(map.size(), 0U);
}

}  // namespace
