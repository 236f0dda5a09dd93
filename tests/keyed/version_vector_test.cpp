// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/version_vector.hpp>

#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>

namespace {

using version = acqrel::version_vector<std::string>;
using text = acqrel::multi_value_register<std::string, int>;
using words = std::vector<std::string>;
constexpr auto before = std::partial_ordering::less, after = std::partial_ordering::greater,
               equal = std::partial_ordering::equivalent, apart = std::partial_ordering::unordered;

// ---- semantics: versions ----

TEST(version_vector, counts_the_writes_of_each_writer) {  // VV1
  version all;
  EXPECT_EQ(all["ada"], 0U);
  EXPECT_EQ(all.increment("ada"), 1U);
  EXPECT_EQ(all.increment("alan"), 1U);
  EXPECT_EQ(all.increment("ada"), 2U);
  EXPECT_EQ(all["ada"], 2U);
  EXPECT_EQ(all["alan"], 1U);
  EXPECT_EQ(all["grace"], 0U);
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all, (version{{"alan", 1}, {"ada", 1}, {"ada", 2}, {"grace", 0}}));
}

TEST(version_vector, tells_before_after_equal_and_changed_apart) {  // VV2
  const version none, ada{{"ada", 1}}, alan{{"alan", 1}}, both{{"ada", 1}, {"alan", 1}}, twice{{"ada", 2}};
  EXPECT_EQ(none <=> none, equal);
  EXPECT_EQ(none <=> ada, before);
  EXPECT_EQ(ada <=> none, after);
  EXPECT_EQ(ada <=> ada, equal);
  EXPECT_EQ(ada <=> twice, before);
  EXPECT_EQ(ada <=> both, before);
  EXPECT_EQ(both <=> alan, after);
  EXPECT_EQ(ada <=> alan, apart);
  EXPECT_EQ(twice <=> both, apart);
  EXPECT_TRUE(ada < both && both > ada && ada <= both && ada != both);
  EXPECT_FALSE(ada < alan || ada > alan || ada == alan || ada <= alan);
  EXPECT_EQ((version{{"b", 1}} <=> version{{"a", 1}, {"b", 1}, {"c", 1}}), before);
  EXPECT_EQ((version{{"b", 2}} <=> version{{"a", 1}, {"b", 1}, {"c", 1}}), apart);
}

TEST(version_vector, refuses_to_count_beyond_its_end) {
  version all{{"ada", UINT64_MAX - 1}};
  EXPECT_EQ(all.increment("ada"), UINT64_MAX);
  EXPECT_THROW(all.increment("ada"), std::overflow_error);
  EXPECT_EQ(all["ada"], UINT64_MAX);
  EXPECT_EQ(all.increment("alan"), 1U);
}

TEST(version_vector, is_read_from_what_was_stored) {
  const version all{{"alan", 7}, {"ada", 3}};
  version again;
  for (const auto& [writer, count] : all) again.raise(writer, count);
  EXPECT_EQ(again, all);
  EXPECT_EQ(all.begin()->first, "ada") << "in the order of writers";
  again.raise("ada", 2);
  EXPECT_EQ(again, all) << "never down";
}

// Small vectors of few writers, so that all four answers are frequent. What one knows as a set of writes says the truth.
using knowledge = std::set<std::pair<int, std::uint64_t>>;
using small = acqrel::version_vector<int>;
small any(std::mt19937& random) {
  small one;
  for (int writer = 0; writer != 4; ++writer) one.raise(writer, random() % 3);
  return one;
}
knowledge writes(const small& of) {
  knowledge all;
  for (const auto& [writer, count] : of)
    for (std::uint64_t n = 1; n <= count; ++n) all.emplace(writer, n);
  return all;
}
std::partial_ordering by_sets(const knowledge& a, const knowledge& b) {
  const bool in_b = std::includes(b.begin(), b.end(), a.begin(), a.end());
  const bool in_a = std::includes(a.begin(), a.end(), b.begin(), b.end());
  return in_b ? in_a ? equal : before : in_a ? after : apart;
}
small merged(small a, const small& b) {
  a.merge(b);
  return a;
}

TEST(version_vector, is_a_partial_order_with_a_least_upper_bound) {  // VV2, VV4
  const auto seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  std::map<int, int> met;
  for (int round = 0; round != 20'000; ++round) {
    const small a = any(random), b = any(random), c = any(random);
    const auto order = a <=> b;
    ++met[order == before ? 0 : order == after ? 1 : order == equal ? 2 : 3];
    ASSERT_EQ(order, by_sets(writes(a), writes(b)));
    ASSERT_EQ(a == b, order == equal);
    ASSERT_EQ(b <=> a, order == before ? after : order == after ? before : order) << "antisymmetric";
    if (a <= b && b <= c) {
      ASSERT_TRUE(a <= c) << "transitive";
    }
    const small ab = merged(a, b);
    auto both = writes(a);
    both.merge(writes(b));
    ASSERT_EQ(writes(ab), both);
    ASSERT_TRUE(ab >= a && ab >= b) << "dominates";
    ASSERT_EQ(ab, merged(b, a)) << "commutative";
    ASSERT_EQ(merged(ab, c), merged(a, merged(b, c))) << "associative";
    ASSERT_EQ(merged(a, a), a) << "idempotent";
    ASSERT_EQ(merged(ab, b), ab);
    if (a <= c && b <= c) {
      ASSERT_TRUE(ab <= c) << "the least";
    }
    small next = a;
    next.increment(round % 4);
    ASSERT_TRUE(next > a);
  }
  for (int order = 0; order != 4; ++order) EXPECT_GT(met[order], 100) << order;
}

// ---- semantics: a value in several places ----

TEST(multi_value_register, keeps_or_resolves_what_was_written_apart) {  // VV3
  text here, there;
  EXPECT_FALSE(here.resolve(1, [](const words&) { return "nothing to do"; }));
  here.write(1, "base");
  there.merge(here);
  EXPECT_EQ(here, there);
  here.write(1, "here");
  there.write(2, "there");
  EXPECT_EQ(here.version() <=> there.version(), apart);
  auto met = here;
  met.merge(there);
  EXPECT_EQ(met.values(), (words{"here", "there"})) << "both, and the base is gone";
  EXPECT_EQ(met.version() <=> here.version(), after);
  there.merge(here);
  EXPECT_EQ(there, met);
  EXPECT_TRUE(there.resolve(2, [](const words& all) { return all[0] + " and " + all[1]; }));
  EXPECT_EQ(there.values(), words{"here and there"});
  met.merge(there);
  here.merge(there);
  EXPECT_EQ(met, there);
  EXPECT_EQ(here, there) << "what is resolved replaces both everywhere";
}

TEST(multi_value_register, keeps_two_writes_of_one_place_that_knew_the_same) {  // VV3
  text one;
  one.write(1, "base");
  const auto read = one.version();  // by two
  EXPECT_FALSE(one.write(1, "first", read));
  EXPECT_TRUE(one.write(1, "second", read)) << "there is another";
  EXPECT_EQ(one.values(), (words{"first", "second"}));
  EXPECT_EQ(one.version()[1], 3U);
  EXPECT_FALSE(one.write(1, "third", one.version()));
  EXPECT_EQ(one.values(), words{"third"});
}

TEST(multi_value_register, writes_after_what_was_read) {  // VV5
  text here, there;
  here.write(1, "a");
  for (int i = 0; i != 5; ++i) {
    there.merge(here);
    const auto read = there.version();
    there.write(2, "b");
    EXPECT_EQ(there.version() <=> read, after);
    here.merge(there);
    EXPECT_EQ(here.values(), words{"b"}) << "nothing beside it";
    here.write(1, "a");
    EXPECT_EQ(here.version() <=> there.version(), after);
  }
  // Read in one place, written in another, where what was read never came.
  text third;
  EXPECT_FALSE(third.write(3, "c", here.version()));
  here.merge(third);
  EXPECT_EQ(here.values(), words{"c"});
}

TEST(multi_value_register, erases_what_is_known_also_where_it_comes_late) {  // VV6
  text here, there, late;
  here.write(1, "old");
  const text old = here;
  there.merge(here);
  there.erase(2);
  EXPECT_TRUE(there.values().empty());
  EXPECT_EQ(there.version() <=> old.version(), after);
  there.merge(old);
  EXPECT_TRUE(there.values().empty()) << "an older write comes again";
  late.merge(there);
  late.merge(old);
  EXPECT_TRUE(late.values().empty()) << "or for the first time";
  here.merge(there);
  EXPECT_TRUE(here.values().empty());
  text changed = old;
  changed.write(1, "new");
  EXPECT_EQ(changed.version() <=> there.version(), apart);
  there.merge(changed);
  EXPECT_EQ(there.values(), words{"new"}) << "written apart from the erasure";
}

TEST(multi_value_register, counts_on_when_an_erased_value_is_written_again) {  // VV6
  text one;
  one.write(1, "a");
  const text then = one;
  one.erase(1);
  one.write(1, "a");
  EXPECT_EQ(one.version()[1], 3U);
  EXPECT_EQ(one.version() <=> then.version(), after) << "who read the first one sees that it is another";
  one.merge(then);
  EXPECT_EQ(one.entries().size(), 1U);
  EXPECT_EQ(one.entries()[0].count, 3U);
}

TEST(multi_value_register, is_as_it_was_if_a_write_or_a_merge_throws) {
  struct fragile {
    int n = 0;
    bool throws = false;
    fragile(int number, bool then) : n(number), throws(then) {}
    fragile(const fragile& from) : n(from.n), throws(from.throws) {
      if (throws) throw std::runtime_error("no copy");
    }
    fragile& operator=(const fragile&) = default;
    bool operator==(const fragile&) const = default;
  };
  acqrel::multi_value_register<fragile, int> one;
  one.write(1, fragile(1, false));
  const auto was = one.version();
  fragile bad(2, false);
  bad.throws = true;
  EXPECT_THROW(one.write(2, bad), std::runtime_error);
  EXPECT_EQ(one.version(), was);
  EXPECT_EQ(one.entries().size(), 1U);
}

// ---- against the truth ----
// Some places write, erase, resolve and meet at random. The truth is kept for each as the set of writes that it knows, and
// for each write as the set that its writer knew: a value stands unless some write that is known knew it.

struct event {
  knowledge knew;
  bool is_value;
};
struct place {
  text kept;
  knowledge known;
  std::pair<text, knowledge> read;  // some time ago
};

// `most` is how many values stood side by side at most.
void is_what_was_written(std::uint32_t seed, int steps, std::size_t& most) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<std::pair<int, std::uint64_t>, event> events;
  std::array<place, 3> places;
  for (int step = 0; step != steps; ++step) {
    const int writer = static_cast<int>(random() % places.size());
    place& one = places[static_cast<std::size_t>(writer)];
    const auto wrote = [&](const knowledge& knew, bool is_value) {
      one.known.insert(knew.begin(), knew.end());
      const std::pair<int, std::uint64_t> id(writer, one.kept.version()[writer]);
      EXPECT_TRUE(one.known.insert(id).second) << "a count was used before";
      events[id] = {knew, is_value};
    };
    const auto knew = one.known;
    switch (random() % 8) {
      case 0: one.kept.write(writer, std::to_string(step)), wrote(knew, true); break;
      case 1: one.kept.erase(writer), wrote(knew, false); break;
      case 2: {  // by who read here or in another place some time ago
        const auto& reader = places[random() % places.size()].read;
        const auto its = reader.second;
        one.kept.write(writer, std::to_string(step), reader.first.version()), wrote(its, true);
        break;
      }
      case 3:
        if (one.kept.resolve(writer,
                             [](const words& all) { return std::accumulate(all.begin(), all.end(), std::string()); }))
          wrote(knew, true);
        break;
      case 4: one.read = {one.kept, one.known}; break;
      default: {
        const place& other = places[random() % places.size()];
        const auto order = one.kept.version() <=> other.kept.version();
        ASSERT_EQ(order, by_sets(one.known, other.known));
        text back = other.kept;
        back.merge(one.kept);
        one.kept.merge(other.kept);
        one.known.insert(other.known.begin(), other.known.end());
        ASSERT_EQ(one.kept, back) << "commutative";
        back.merge(other.kept);
        ASSERT_EQ(one.kept, back) << "idempotent";
      }
    }
    for (const place& each : places) {
      knowledge standing;
      for (const auto& id : each.known)
        if (events[id].is_value && std::none_of(each.known.begin(), each.known.end(),
                                                [&](const auto& by) { return events[by].knew.contains(id); }))
          standing.insert(id);
      knowledge kept;
      for (const auto& entry : each.kept.entries()) kept.emplace(entry.writer, entry.count);
      ASSERT_EQ(kept, standing) << "after step " << step;
      ASSERT_EQ(kept.size(), each.kept.entries().size());
      ASSERT_EQ(writes(each.kept.version()), each.known);
      most = std::max(most, kept.size());
    }
    if (step % 10 != 9) continue;
    text abc = places[0].kept, cba = places[2].kept, bc = places[1].kept;
    abc.merge(places[1].kept), abc.merge(places[2].kept);
    cba.merge(places[1].kept), cba.merge(places[0].kept);
    bc.merge(places[2].kept);
    text grouped = places[0].kept;
    grouped.merge(bc);
    ASSERT_EQ(abc, cba) << "in any order";
    ASSERT_EQ(abc, grouped) << "associative";
  }
}

TEST(multi_value_register, is_what_was_written_whoever_met_whom) {
  std::size_t most = 0;
  for (std::uint32_t seed = 1; seed <= 20 && !HasFailure(); ++seed) is_what_was_written(seed, 60, most);
  EXPECT_GT(most, 2U);
}

// ---- stress, model: none. It is a value as std::vector is one; nothing of it is shared.

}  // namespace
