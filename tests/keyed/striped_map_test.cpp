// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/striped_map.hpp>

#include "../checked_value.hpp"
#include "locked_map.hpp"
#include "map_spec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using acqrel::striped_map;
using names = striped_map<std::string, int>;

constexpr int rounds = 10'000 / static_cast<int>(fewer_when_sanitized);

std::map<std::string, int> all_of(const names& map) {
  std::map<std::string, int> all;
  map.for_each(
      [&](const std::string& key, int value) { EXPECT_TRUE(all.emplace(key, value).second) << key << " twice"; });
  return all;
}

// ---- semantics ----

TEST(striped_map, is_empty_at_first) {
  names map;
  EXPECT_EQ(map.size(), 0U);
  EXPECT_EQ(map.get("a"), std::nullopt);
  EXPECT_FALSE(map.contains("a"));
  EXPECT_FALSE(map.erase("a"));
  EXPECT_EQ(map.take("a"), std::nullopt);
  EXPECT_FALSE(map.compare_and_assign("a", 0, 1));
  EXPECT_TRUE(all_of(map).empty());
  map.clear();
}

TEST(striped_map, does_to_a_key_what_is_asked) {
  names map;
  EXPECT_TRUE(map.insert("a", 1));
  EXPECT_FALSE(map.insert("a", 2));
  EXPECT_EQ(map.get("a"), 1);
  EXPECT_FALSE(map.insert_or_assign("a", 3));
  EXPECT_TRUE(map.insert_or_assign("b", 4));
  EXPECT_EQ(map.get("a"), 3);
  EXPECT_FALSE(map.compare_and_assign("a", 1, 5));
  EXPECT_TRUE(map.compare_and_assign("a", 3, 5));
  EXPECT_EQ(map.size(), 2U);
  EXPECT_EQ(all_of(map), (std::map<std::string, int>{{"a", 5}, {"b", 4}}));
  EXPECT_EQ(map.take("a"), 5);
  EXPECT_EQ(map.take("a"), std::nullopt);
  EXPECT_TRUE(map.erase("b"));
  EXPECT_FALSE(map.erase("b"));
  EXPECT_EQ(map.size(), 0U);
}

TEST(striped_map, reads_changes_adds_and_erases_in_one_step) {
  names map;
  EXPECT_EQ(map.with("a", [](auto& value) { return value.has_value(); }), false);
  EXPECT_EQ(map.size(), 0U) << "asking adds nothing";
  EXPECT_FALSE(map.contains("a"));
  map.with("a", [](std::optional<int>& value) { value = 1; });
  EXPECT_EQ(map.size(), 1U);
  EXPECT_EQ(map.with("a", [](auto& value) { return std::exchange(value, 2); }), 1) << "the result, by value";
  EXPECT_EQ(map.get("a"), 2);
  map.with("a", [](auto& value) { value.reset(); });
  EXPECT_FALSE(map.contains("a"));
  EXPECT_EQ(map.size(), 0U);
  map.with("a", [](auto& value) { value = 1, value.reset(); });
  EXPECT_EQ(map.size(), 0U);
}

TEST(striped_map, keeps_what_a_function_did_before_it_threw) {
  names map;
  const auto and_throw = [&](std::string_view key, std::optional<int> then) {
    EXPECT_THROW(map.with(key, [&](auto& value) { value = then, throw std::runtime_error("as asked"); }),
                 std::runtime_error);
  };
  and_throw("a", std::nullopt);
  EXPECT_EQ(map.size(), 0U);
  and_throw("a", 1);
  EXPECT_EQ(map.get("a"), 1);
  and_throw("a", 2);
  EXPECT_EQ(map.get("a"), 2);
  and_throw("a", std::nullopt);
  EXPECT_EQ(map.get("a"), std::nullopt);
  EXPECT_EQ(map.size(), 0U);
}

// More keys than buckets and stripes, several times over, and all gone again.
TEST(striped_map, grows) {
  for (const std::size_t stripes : {1U, 2U, 3U, 64U}) {
    striped_map<int, int> map(stripes);
    EXPECT_EQ(map.stripes(), std::bit_ceil(stripes));
    for (int n = 0; n != 3000; ++n) EXPECT_TRUE(map.insert(n, -n));
    EXPECT_EQ(map.size(), 3000U);
    for (int n = 0; n != 3000; ++n) EXPECT_EQ(map.get(n), -n);
    for (int n = 0; n != 3000; n += 2) EXPECT_EQ(map.take(n), -n);
    for (int n = 0; n != 3000; ++n) EXPECT_EQ(map.contains(n), n % 2 == 1);
    map.clear();
    EXPECT_EQ(map.size(), 0U);
    EXPECT_FALSE(map.contains(1));
    EXPECT_TRUE(map.insert(1, 1));
  }
  EXPECT_GE(names().stripes(), 64U);
  EXPECT_THROW((striped_map<int, int>(SIZE_MAX)), std::length_error);
}

TEST(striped_map, is_asked_by_what_is_not_a_key_but_compares_with_one) {
  names strings;
  strings.with(std::string_view("one two", 3), [](auto& value) { value = 1; });
  EXPECT_EQ(strings.get(std::string_view("one")), 1);
  EXPECT_TRUE(strings.compare_and_assign("one", 1, 2));
  EXPECT_EQ(strings.take(std::string("one")), 2);
  striped_map<long, int> numbers;
  EXPECT_TRUE(numbers.insert(1L << 40, 1));
  EXPECT_EQ(numbers.get(1LL << 40), 1);
  numbers.with(1LL << 40, [](auto& value) { ++*value; });
  EXPECT_TRUE(numbers.compare_and_assign(1LL << 40, 2, 3));
  EXPECT_TRUE(numbers.erase(1LL << 40));
}

TEST(striped_map, takes_values_that_only_move_and_values_that_do_not) {
  striped_map<std::string, std::unique_ptr<int>> movable;
  EXPECT_TRUE(movable.insert("a", std::make_unique<int>(1)));
  EXPECT_FALSE(movable.insert_or_assign("a", std::make_unique<int>(2)));
  EXPECT_EQ(movable.with("a", [](auto& value) { return **value; }), 2);
  EXPECT_EQ(**movable.take("a"), 2);
  striped_map<std::unique_ptr<int>, int> keys_too;
  EXPECT_TRUE(keys_too.insert(std::make_unique<int>(1), 1));
  keys_too.with(std::make_unique<int>(2), [](auto& value) { value = 2; });
  EXPECT_EQ(keys_too.size(), 2U);
  striped_map<int, std::atomic<int>> fixed;
  for (int i = 0; i != 100; ++i) {
    fixed.with(i % 50, [](auto& value) {
      if (!value) value.emplace(0);
      value->fetch_add(1, std::memory_order_relaxed);
    });
  }
  EXPECT_EQ(fixed.with(49, [](auto& value) { return value->load(std::memory_order_relaxed); }), 2);
  EXPECT_TRUE(fixed.erase(49));
}

// Nor is what was to be moved in gone.
TEST(striped_map, makes_no_key_of_one_that_is_there) {
  names map;
  std::string key(100, 'k');
  EXPECT_TRUE(map.insert(std::as_const(key), 1));
  EXPECT_FALSE(map.insert(std::move(key), 2));
  EXPECT_EQ(key, std::string(100, 'k'));
  EXPECT_FALSE(map.insert_or_assign(std::move(key), 3));
  EXPECT_EQ(key, std::string(100, 'k'));
  EXPECT_FALSE(map.insert(std::string_view(key), 4));
  EXPECT_EQ(map.get(key), 3);
  EXPECT_TRUE(map.insert(std::move(key) + "2", 5));
}

// A value whose end calls the map: what a lock that is still held would turn into an error.
struct caller {
  explicit caller(striped_map<int, std::shared_ptr<caller>>& whom) : map(whom) {}
  ~caller() {
    map.insert_or_assign(100, nullptr);
    ++ended;
  }
  striped_map<int, std::shared_ptr<caller>>& map;
  static inline int ended = 0;
};

TEST(striped_map, destroys_what_ends_after_the_lock_was_let_go) {
  striped_map<int, std::shared_ptr<caller>> map(1);
  caller::ended = 0;
  const auto put = [&] { map.insert_or_assign(1, std::make_shared<caller>(map)); };
  put();
  put();
  EXPECT_EQ(caller::ended, 1);
  EXPECT_FALSE(map.insert(1, std::make_shared<caller>(map)));
  EXPECT_EQ(caller::ended, 2);
  EXPECT_TRUE(map.erase(1));
  put();
  EXPECT_TRUE(map.take(1).has_value());
  put();
  EXPECT_TRUE(map.compare_and_assign(1, map.get(1).value(), nullptr));
  EXPECT_EQ(caller::ended, 5);
  put();
  put();
  map.clear();
  EXPECT_EQ(caller::ended, 7);
  EXPECT_TRUE(map.contains(100));
}

// From within any function that it runs, whatever the stripe.
TEST(striped_map, refuses_to_be_called_from_within) {
  names map(16), other(16);
  for (int n = 0; n != 64; ++n) map.insert(std::to_string(n), n);
  const std::vector<std::function<void()>> calls = {
      [&] { (void)map.get("2"); },
      [&] { (void)map.contains("no"); },
      [&] { map.insert("2", 2); },
      [&] { map.insert_or_assign("2", 2); },
      [&] { map.erase("2"); },
      [&] { (void)map.take("2"); },
      [&] { map.clear(); },
      [&] { map.for_each([](const auto&, int) {}); },
      [&] { map.with("2", [](auto&) {}); },
      [&] { map.compare_and_assign("2", 2, 2); },
      [&] { other.with("1", [&](auto&) { map.erase("2"); }); },
  };
  for (const auto& call : calls) {
    for (int n = 0; n != 64; ++n) map.with(std::to_string(n), [&](auto&) { EXPECT_THROW(call(), std::logic_error); });
    int seen = 0;
    map.for_each([&](const auto&, int) {
      ++seen;
      EXPECT_THROW(call(), std::logic_error);
    });
    EXPECT_EQ(seen, 64);
    EXPECT_THROW(map.with("1", [&](auto&) { call(); }), std::logic_error) << "it passes";
  }
  EXPECT_EQ(map.get("2"), 2) << "and nothing has happened";
  map.with("1", [&](auto& value) {
    other.insert("1", *value);
    EXPECT_EQ(map.size(), 64U);
  });
  EXPECT_EQ(other.get("1"), 1) << "another map, and size(), may be asked";
  try {
    map.with("1", [&](auto&) { map.erase("2"); });
    ADD_FAILURE();
  } catch (const std::logic_error& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with("acqrel: striped_map: called inside")) << error.what();
  }
}

TEST(striped_map, passes_what_a_key_or_a_value_throws_and_changes_nothing) {
  struct fragile {
    explicit fragile(int n) : number(n) {}
    fragile(const fragile& from) : number(from.number) {
      if (number < 0) throw std::runtime_error("no copy");
    }
    fragile(fragile&& from) noexcept(false) : fragile(std::as_const(from)) {}
    fragile& operator=(const fragile&) = default;
    int number;
  };
  striped_map<int, fragile> map;
  fragile bad(1);
  EXPECT_TRUE(map.insert(1, bad));
  map.with(1, [](auto& value) { value->number = -1; });
  EXPECT_THROW((void)map.get(1), std::runtime_error);
  EXPECT_THROW((void)map.take(1), std::runtime_error);
  map.with(2, [](auto& value) { value.emplace(2); });
  EXPECT_EQ(map.size(), 1U) << "take() had unlinked it before the copy";
  EXPECT_EQ(map.get(2)->number, 2);
}

// Many keys one after the other, in strides whose low bits are all the same, as addresses and packed numbers have. 4,096 of
// them that fall on 4,096 stripes at random meet 2,589 of these, give or take 25, whatever the map's seed; all high bits come of the same two products,
// so this says as much of the buckets, which are told by the bits below.
TEST(striped_map, spreads_numbers_whatever_bits_they_differ_in) {
  struct the_number {
    std::size_t operator()(std::uint64_t key) const { return key; }
  };
  std::mt19937_64 seeds;
  for (int each = 0; each != 20; ++each) {
    const std::uint64_t seed = seeds();
    SCOPED_TRACE("seed " + std::to_string(seed));
    const striped_map<std::uint64_t, int, the_number> map(4096, seed);
    for (unsigned shift = 0; shift <= 52; ++shift) {
      std::vector<bool> met(map.stripes());
      for (std::uint64_t n = 0; n != 4096; ++n) met[map.stripe_of(n << shift)] = true;
      // Numbers in a row are spread more evenly than at random.
      EXPECT_GT(std::count(met.begin(), met.end(), true), 2'400) << "keys are multiples of 2^" << shift;
    }
  }
}

// The keys that meet in one map do not in the next.
TEST(striped_map, gives_each_map_stripes_of_its_own) {
  const striped_map<int, int> map(64), other(64), same(64, 7), again(64, 7);
  std::vector<int> aimed;
  for (int n = 0; aimed.size() != 64; ++n)
    if (map.stripe_of(n) == 0) aimed.push_back(n);
  std::vector<bool> met(64);
  for (const int n : aimed) met[other.stripe_of(n)] = true;
  EXPECT_GT(std::count(met.begin(), met.end(), true), 8);
  for (const int n : aimed) EXPECT_EQ(same.stripe_of(n), again.stripe_of(n));
}

// ---- against the reference ----
// A random sequence of all there is, with keys that come again and again; after each call both say the same.

struct one_hash {
  std::size_t operator()(const std::string&) const { return 42; }
};

struct tried {
  std::mt19937 random;
  int below(int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }
  // Makes one call of each map, and compares.
  template <class Map, class Oracle>
  void step(Map& map, Oracle& oracle, const std::string& key) {
    const int value = below(4);
    switch (below(9)) {
      case 0: EXPECT_EQ(map.insert(key, value), oracle.insert(key, value)); return;
      case 1: EXPECT_EQ(map.insert_or_assign(key, value), oracle.insert_or_assign(key, value)); return;
      case 2: EXPECT_EQ(map.compare_and_assign(key, 1, value), oracle.compare_and_assign(key, 1, value)); return;
      case 3: EXPECT_EQ(map.erase(key), oracle.erase(key)); return;
      case 4: EXPECT_EQ(map.take(key), oracle.take(key)); return;
      case 5:
      case 6: {
        const auto change = [value]<class V>(std::optional<V>& now) {
          const auto before = now;
          now = value == 0 ? std::nullopt : std::optional<V>(now.value_or(10) + value);
          return before;
        };
        EXPECT_EQ(map.with(key, change), oracle.with(key, change));
        return;
      }
      default: EXPECT_EQ(map.get(key), oracle.get(key)); return;
    }
  }
};

template <class Hash>
void is_as_the_reference(std::uint32_t seed, int steps, int keys) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  tried random{std::mt19937(seed)};
  striped_map<std::string, int, Hash> map(static_cast<std::size_t>(1 + random.below(20)));
  locked_map<std::string, int> oracle;
  for (int step = 0; step != steps && !testing::Test::HasFailure(); ++step) {
    random.step(map, oracle, std::to_string(random.below(keys)));
    ASSERT_EQ(map.size(), oracle.size());
    if (step % 100 != 0) continue;
    std::map<std::string, int> all, expected;
    map.for_each([&](const auto& key, int value) { EXPECT_TRUE(all.emplace(key, value).second); });
    oracle.for_each([&](const auto& key, int value) { expected.emplace(key, value); });
    ASSERT_EQ(all, expected);
    if (random.below(10) == 0) map.clear(), oracle.clear();
  }
}

TEST(striped_map, is_as_the_reference_in_random_sequences) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) is_as_the_reference<acqrel::flat_hash<std::string>>(seed, 3000, 200);
  is_as_the_reference<acqrel::flat_hash<std::string>>(11, 3000, 3);
}
TEST(striped_map, is_as_the_reference_where_all_keys_have_one_hash) { is_as_the_reference<one_hash>(1, 3000, 50); }

// ---- stress ----
// A thread is seldom interrupted where it matters, so here it sometimes lets others run where the map runs code of its user
// under a lock: as two keys are compared, a value is copied or moved, and in functions.

void perhaps_interrupted() {
  thread_local std::minstd_rand random;
  if (random() % 8 == 0) std::this_thread::yield();
}
struct interrupted {
  interrupted(int n) : number(n) {}
  interrupted(const interrupted& from) : number(from.number) { perhaps_interrupted(); }
  interrupted& operator=(const interrupted& from) {
    number = from.number;
    perhaps_interrupted();
    return *this;
  }
  operator int() const { return number; }
  int number;
};
struct interrupted_equal : std::equal_to<> {
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    perhaps_interrupted();
    return a == b;
  }
};
template <class K>
using interrupted_map = striped_map<K, interrupted, acqrel::flat_hash<K>, interrupted_equal>;

// Each thread has keys of its own, so that it knows what each call must answer, in stripes that all share.
TEST(striped_map_stress, keys_of_one_thread_are_as_if_it_were_alone) {
  const auto seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  for (const int threads : {1, 4}) {
    interrupted_map<std::string> map(4);
    std::vector<std::thread> workers;
    for (int worker = 0; worker != threads; ++worker) {
      workers.emplace_back([&, worker] {
        tried random{std::mt19937(seed + static_cast<unsigned>(worker))};
        locked_map<std::string, interrupted> oracle;
        const std::string mine = std::to_string(worker) + "/";
        for (int step = 0; step != rounds; ++step) random.step(map, oracle, mine + std::to_string(random.below(40)));
        oracle.for_each([&](const auto& key, int value) { EXPECT_EQ(map.take(key), value); });
      });
    }
    for (auto& worker : workers) worker.join();
    EXPECT_EQ(map.size(), 0U);
  }
}

// All count the same few keys up. Who makes it seven takes them away in the same step. What was taken and what is left is
// what was added, and nothing is ever above six.
TEST(striped_map_stress, a_step_is_one) {
  for (const int threads : {1, 4}) {
    interrupted_map<int> map(2);
    std::atomic<long> taken{0};
    std::vector<std::thread> workers;
    for (int worker = 0; worker != threads; ++worker) {
      workers.emplace_back([&, worker] {
        long mine = 0;
        for (int i = 0; i != rounds; ++i) {
          mine += map.with((i + worker) % 5, [](std::optional<interrupted>& value) {
            value = value.value_or(0) + 1;
            EXPECT_LE(*value, 7);
            if (*value < 7) return 0;
            value.reset();
            return 7;
          });
        }
        taken += mine;
      });
    }
    for (auto& worker : workers) worker.join();
    long left = 0;
    map.for_each([&](int, int value) { left += value; });
    EXPECT_EQ(taken + left, long{threads} * rounds);
  }
}

// A hundred keys stay; others come and go. A walk meets each of the hundred once, and nothing twice.
TEST(striped_map_stress, a_walk_meets_what_stays_once) {
  for (const int writers : {0, 2}) {
    interrupted_map<int> map(8);
    for (int n = 0; n != 100; ++n) map.insert(n, n);
    std::atomic<bool> done{false};
    std::vector<std::thread> workers;
    for (int worker = 1; worker <= writers; ++worker) {
      workers.emplace_back([&, worker] {
        std::minstd_rand random(static_cast<unsigned>(worker));
        while (!done) {
          const int key = 100 + static_cast<int>(random() % 400);
          if (!map.erase(key)) map.insert(key, key);
        }
      });
    }
    for (int walk = 0; walk != rounds / 50; ++walk) {
      std::vector<int> seen;
      map.for_each([&](int key, int value) {
        seen.push_back(key);
        perhaps_interrupted();
        EXPECT_EQ(key, value);
      });
      std::sort(seen.begin(), seen.end());
      EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
      ASSERT_GE(seen.size(), 100U);
      EXPECT_EQ(seen[99], 99);
    }
    done = true;
    for (auto& worker : workers) worker.join();
  }
}

// Short histories of all that changes one key, each key's held to a map of one thread. with() stands for what it is told to do.
struct of_two_stripes : interrupted_map<int> {
  of_two_stripes() : interrupted_map<int>(2) {}
};
void make(of_two_stripes& map, map_spec::operation& o, bool otherwise) {
  if (!otherwise) {
    map_spec::make(map, o);
  } else if (o.what == map_spec::find) {
    o.found = map.with(o.key, [](auto& value) { return value; });
  } else if (o.what == map_spec::assign) {
    o.did = map.with(o.key, [&](auto& value) { return !std::exchange(value, o.value).has_value(); });
  } else if (o.what == map_spec::erase) {
    o.did = map.take(o.key).has_value();
  } else {
    map_spec::make(map, o);
  }
}
TEST(striped_map_stress, is_linearizable) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  const auto call = [](of_two_stripes& map, auto& calls, std::size_t thread, auto& random) {
    const bool otherwise = random() % 4 == 0;
    calls.record(thread, map_spec::any(random), [&](auto& o) { make(map, o, otherwise); });
  };
  for (const unsigned threads : {1U, 3U}) {
    EXPECT_EQ((linearizable::find_broken<map_spec, of_two_stripes>(seed, 2'000 / static_cast<int>(fewer_when_sanitized),
                                                                   threads, 8, call)),
              "");
  }
}

// Histories catch a twin that compares in one step and assigns in the next.
TEST(striped_map_stress, a_comparison_that_is_a_step_before_the_change_is_not_linearizable) {
  of_two_stripes map;
  linearizable::history<map_spec> calls(2);
  const map_spec::operation change{.what = map_spec::compare_and_assign, .key = 1, .value = 2, .expected = 1};
  calls.record(0, {.what = map_spec::insert, .key = 1, .value = 1}, [&](auto& o) { make(map, o, false); });
  calls.record(0, change, [&](auto& o) {
    o.did = map.get(o.key) == std::optional<interrupted>(o.expected);
    calls.record(1, change, [&](auto& other) { make(map, other, false); });
    map.insert_or_assign(o.key, o.value);
  });
  EXPECT_NE(calls.broken(), "") << "both found 1";
}

}  // namespace
