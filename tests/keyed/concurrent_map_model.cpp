// An entry is whole or not there, a key that is there is found while its bucket is split, and no change is lost, in both
// fence modes. Below, what goes wrong without each of the steps.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/concurrent_map.hpp>

#include "../reclaim/model_version.hpp"
#include "map_spec.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

namespace {

using namespace heart;

constexpr fence_mode asymmetric = fence_mode::asymmetric, full = fence_mode::full;

// A value that lies elsewhere: a thread reads what another wrote.
struct letter {
  explicit letter(int n) : number(new int(n)) {}
  letter(letter&& other) noexcept : number(std::exchange(other.number, nullptr)) {}
  ~letter() { delete number; }
  int* number;
};

// The tag is the key, but for the highest bit: bucket and child are chosen by the test.
struct as_it_is {
  std::size_t operator()(int key) const {  // the map folds it back, multiplies, and has key << 32
    const std::uint64_t spread = (static_cast<std::uint64_t>(key) << 32) * 0xF1DE83E19937733D;
    return spread ^ spread >> 32;
  }
};

// The map with its buckets within reach.
template <class V>
struct opened : acqrel::concurrent_map<int, V, as_it_is> {
  using table = acqrel::concurrent_map_table;
  using node = table::node;
  using table::add_segment, table::cell, table::empty, table::home, table::mask, table::split, table::unsplit;
  acqrel::concurrent_map_table& all() { return *this; }

  // Without the second look.
  bool contains_at_first_look(int key) const {
    const std::uint32_t tag = static_cast<std::uint32_t>(key) | 0x80000000;
    std::uint32_t bucket = tag & mask();
    if (cell(bucket).current.load(std::memory_order_acquire) == &unsplit) bucket -= std::bit_floor(bucket);
    const hazard_protection held = acqrel::hazard_protect(cell(bucket));
    bool there = false;
    for (const node* n = static_cast<const node*>(held.object); n != nullptr; n = n->next) there |= n->tag == tag;
    acqrel::hazard_release(held);
    return there;
  }
  // Of a parent whose one entry goes: cleared before the child is filled.
  void split_in_the_wrong_order(std::uint32_t bucket) {
    hazard_object* const all = acqrel::hazard_take(cell(bucket - std::bit_floor(bucket)), &empty);
    (void)acqrel::hazard_take(cell(bucket), all);
  }
  // Of a bucket with one entry.
  void free_at_once(std::uint32_t bucket) { acqrel::hazard_take(cell(bucket), &empty)->drop_reference(); }
};

constexpr int stays = 3, goes = 3 + 16;  // keys of bucket 3, and of 19 when it is split off
constexpr std::uint32_t bucket = 3, child = 19;

// A thread scans when it has taken something out; `late`: when it ends only.
void start(fence_mode mode, bool late = false) {
  setenv("ACQREL_PARK", "futex", 1);
  begin(mode, 1, late ? 100 : 1);
}

// ---- an entry and its readers

void insert_and_find(fence_mode mode) {
  start(mode);
  opened<letter> map;
  std::thread other([&] { map.insert(stays, letter(7)); });
  if (const auto found = map.find(stays)) expect(*found->number == 7, "it is whole");
  other.join();
  expect(map.contains(stays), "it is there");
}
MODEL(concurrent_map, insert_and_find_asymmetric, .shows = {"hazard.publish"}) { insert_and_find(asymmetric); }
MODEL(concurrent_map, insert_and_find_full) { insert_and_find(full); }

void erase_and_find(fence_mode mode) {
  start(mode);
  opened<letter> map;
  map.insert(stays, letter(7));
  std::thread other([&] { expect(map.erase(stays), "it was there"); });
  if (const auto found = map.find(stays)) expect(*found->number == 7, "it is alive");
  other.join();
  expect(!map.contains(stays), "it is gone");
}
MODEL(concurrent_map, erase_and_find_asymmetric) { erase_and_find(asymmetric); }
MODEL(concurrent_map, erase_and_find_full, .shows = {"hazard.protect"}) { erase_and_find(full); }

MODEL_FAILS(concurrent_map, the_twin_that_frees_at_once, "use after free") {
  start(asymmetric);
  opened<letter> map;
  map.insert(stays, letter(7));
  std::thread other([&] { map.free_at_once(bucket); });
  if (const auto found = map.find(stays)) expect(*found->number == 7, "it is alive");
  other.join();
}

// The one behind it in its bucket is found, while that in front is taken out.
void erase_in_front(fence_mode mode) {
  start(mode);
  opened<letter> map;
  map.insert(stays, letter(7));
  map.insert(goes, letter(8));
  std::thread other([&] { map.erase(goes); });
  {
    const auto found = map.find(stays);
    expect(found && *found->number == 7, "it is there all the time");
  }
  other.join();
}
MODEL(concurrent_map, erase_in_front_asymmetric) { erase_in_front(asymmetric); }
MODEL(concurrent_map, erase_in_front_full) { erase_in_front(full); }

// An entry with two nodes, its own and a copy, whose ends come on two threads: one has read the entry to its end.
MODEL(concurrent_map, two_nodes_of_one_entry, .shows = {"concurrent_map.users"}) {
  start(asymmetric);
  opened<letter> map;
  map.insert(stays, letter(7));
  map.insert(goes, letter(8));
  const hazard_protection held = acqrel::hazard_protect(map.cell(bucket));
  hazard_object* const own = held.object;
  const letter* const read = map.find(goes).operator->();
  own->add_reference();
  acqrel::hazard_release(held);
  map.erase(stays);  // what was in front of it is a copy now
  acqrel::drain();
  std::thread other([&] {
    expect(*read->number == 8, "it is alive");
    own->drop_reference();
  });
  map.free_at_once(bucket);
  other.join();
}

// ---- a bucket that is split

void split_and_find(fence_mode mode, int key) {
  start(mode);
  opened<letter> map;
  map.insert(goes, letter(8));
  map.insert(stays, letter(7));
  std::thread other([&] {
    map.add_segment();
    map.split(child);
  });
  {
    const auto found = map.find(key);
    expect(found && *found->number == (key == stays ? 7 : 8), "it is there all the time");
  }
  other.join();
  expect(map.contains(stays) && map.contains(goes), "both are there");
  expect(map.home(goes) == child && map.home(stays) == bucket, "each has a bucket");
}
MODEL(concurrent_map, split_and_find_who_goes_asymmetric, .shows = {"concurrent_map.grown"}) {
  split_and_find(asymmetric, goes);
}
MODEL(concurrent_map, split_and_find_who_goes_full) { split_and_find(full, goes); }
MODEL(concurrent_map, split_and_find_who_stays_asymmetric) { split_and_find(asymmetric, stays); }
MODEL(concurrent_map, split_and_find_who_stays_full) { split_and_find(full, stays); }

MODEL_FAILS(concurrent_map, the_twin_that_clears_before_it_fills, "assertion") {
  start(asymmetric);
  opened<int> map;
  map.insert(goes, 8);
  map.add_segment();
  std::thread other([&] { map.split_in_the_wrong_order(child); });
  expect(map.contains(goes), "it is there all the time");
  other.join();
}

template <bool again>
void look_while_it_is_split() {
  start(asymmetric);
  opened<int> map;
  map.insert(goes, 8);
  map.add_segment();
  std::thread other([&] { map.split(child); });
  expect(again ? map.contains(goes) : map.contains_at_first_look(goes), "it is there all the time");
  other.join();
}
MODEL(concurrent_map, looks_again_where_it_misses) { look_while_it_is_split<true>(); }
MODEL_FAILS(concurrent_map, the_twin_that_looks_once, "assertion") { look_while_it_is_split<false>(); }

// Of an entry that is put into a bucket which is being split: it is refused, or it is found. It comes out of another map.
MODEL(concurrent_map, split_and_insert) {
  start(asymmetric, true);
  opened<int> map, other_map;
  map.add_segment();
  other_map.insert(goes, 8);
  auto* const entry = static_cast<opened<int>::node*>(acqrel::hazard_take(other_map.cell(bucket), &map.empty));
  std::thread other([&] { map.split(child); });
  const bool put = map.all().exchange(entry->tag, bucket, &map.empty, nullptr, entry);
  other.join();
  expect(map.contains(goes) == put, "it is found, if it was put in");
  if (!put) entry->drop_reference();
}

// Each key once, whenever the bucket is split.
void split_and_iterate(fence_mode mode) {
  start(mode);
  opened<int> map;
  map.insert(goes, 8);
  map.insert(stays, 7);
  std::thread other([&] {
    map.add_segment();
    map.split(child);
  });
  {
    acqrel::concurrent_map_family family(map.all(), 15);
    family.hold(bucket);
    int of[2] = {0, 0};
    family.for_each([&](const acqrel::concurrent_map_node& n) { ++of[(n.tag & 31) == child]; });
    expect(of[0] == 1 && of[1] == 1, "each is seen once");
  }
  other.join();
}
MODEL(concurrent_map, split_and_iterate_asymmetric) { split_and_iterate(asymmetric); }
MODEL(concurrent_map, split_and_iterate_full) { split_and_iterate(full); }

// ---- two who change

template <class Insert>
void two_inserts(Insert insert) {
  start(asymmetric, true);
  opened<int> map;
  bool mine = false, others = false;
  std::thread other([&] { others = insert(map, 1); });
  mine = insert(map, 2);
  other.join();
  expect(mine != others, "one of them was first");
  expect(map.get(stays) == (mine ? 2 : 1), "and its value is there");
}
MODEL(concurrent_map, two_inserts_of_one_key) {
  two_inserts([](auto& map, int value) { return map.insert(stays, value); });
}
MODEL_FAILS(concurrent_map, the_twin_that_asks_and_then_assigns, "assertion") {
  two_inserts([](auto& map, int value) {
    if (map.contains(stays)) return false;
    map.insert_or_assign(stays, value);
    return true;
  });
}

MODEL(concurrent_map, two_inserts_into_one_bucket) {
  start(asymmetric, true);
  opened<int> map;
  std::thread other([&] { map.insert(goes, 8); });
  map.insert(stays, 7);
  other.join();
  expect(map.get(goes) == 8 && map.get(stays) == 7 && map.size() == 2, "both are there");
}

MODEL(concurrent_map, two_updates_of_one_key) {
  start(asymmetric, true);
  opened<int> map;
  const auto next = [](const int* old) { return std::optional(old != nullptr ? *old + 1 : 1); };
  std::thread other([&] { map.update(stays, next); });
  map.update(stays, next);
  other.join();
  expect(map.get(stays) == 2, "both count");
}

// In every execution the history of these calls is linearizable.
void histories(map_spec::operation others, std::initializer_list<map_spec::operation> mine) {
  start(asymmetric, true);
  opened<int> map;
  linearizable::history<map_spec> calls(2);
  const auto make = [&](auto& o) { map_spec::make(map, o); };
  map.insert(stays, 1);
  std::thread other([&] { calls.record(1, others, make); });
  for (const auto& each : mine) calls.record(0, each, make);
  other.join();
  expect(calls.broken(1).empty(), "linearizable");
}
MODEL(concurrent_map, is_linearizable_while_one_erases) {
  histories({.what = map_spec::erase, .key = stays},
            {{.what = map_spec::find, .key = stays}, {.what = map_spec::find, .key = stays}});
}
MODEL(concurrent_map, is_linearizable_while_one_assigns) {
  histories({.what = map_spec::assign, .key = stays, .value = 2},
            {{.what = map_spec::find, .key = stays}, {.what = map_spec::find, .key = stays}});
}

}  // namespace
