// SPDX-License-Identifier: Apache-2.0
// A map of 1,000 strings of 20 characters, asked and changed in a random order: nobody writes; one call in a hundred, or ten,
// does; every other does. A write gives a key that is there another value.
#include <acqrel/keyed/concurrent_map.hpp>
#include <acqrel/keyed/striped_map.hpp>
#include <acqrel/publish/cow_map.hpp>

#include <tbb/concurrent_hash_map.h>

#include <memory>
#include <random>
#include <shared_mutex>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "tests/keyed/locked_map.hpp"

namespace bench {
namespace {

constexpr unsigned entries = 1000;

std::string key(unsigned number) {
  const std::string digits = std::to_string(number);
  return "service/feature/" + std::string(4 - digits.size(), '0') + digits;
}

// Each has get(key), for a key that is there, and set(key, value).
template <class Map>
struct filled {
  filled() {
    for (unsigned n = 0; n != entries; ++n) map.insert_or_assign(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return *map.get(wanted); }
  void set(const std::string& wanted, std::uint64_t value) { map.insert_or_assign(wanted, value); }
  Map map;
};
using striped = filled<acqrel::striped_map<std::string, std::uint64_t>>;
using locked = filled<locked_map<std::string, std::uint64_t>>;
using shared = filled<locked_map<std::string, std::uint64_t, std::hash<std::string>, std::shared_mutex,
                                 std::shared_lock<std::shared_mutex>>>;
struct concurrent : filled<acqrel::concurrent_map<std::string, std::uint64_t>> {
  std::uint64_t get(const std::string& wanted) const {
    const auto found = map.find(wanted);
    return *found;
  }
};
struct one_step : striped {
  void set(const std::string& wanted, std::uint64_t value) {
    map.with(wanted, [value](auto& now) { *now += value; });
  }
};
struct flat {
  flat() {
    for (unsigned n = 0; n != entries; ++n) map.upsert(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return *map.find(wanted); }
  void set(const std::string& wanted, std::uint64_t value) { const_cast<std::uint64_t&>(*map.find(wanted)) = value; }
  acqrel::flat_hash_map<std::string, std::uint64_t> map;
};
struct cow {
  std::uint64_t get(const std::string& wanted) const { return map.get(wanted).value_or(0); }
  void set(const std::string& wanted, std::uint64_t value) {
    map.update([&](auto& edit) { edit.upsert(wanted, value); });
  }
  acqrel::cow_map<std::string, std::uint64_t> map{flat().map};
};
struct tbb_map {
  using table = tbb::concurrent_hash_map<std::string, std::uint64_t>;
  tbb_map() {
    for (unsigned n = 0; n != entries; ++n) map.insert({key(n), n});
  }
  std::uint64_t get(const std::string& wanted) const {
    table::const_accessor found;
    (void)map.find(found, wanted);
    return found->second;
  }
  void set(const std::string& wanted, std::uint64_t value) {
    table::accessor found;
    (void)map.insert(found, wanted);
    found->second = value;
  }
  table map;
};

struct share {
  const char* variation;
  unsigned every;  // one call in so many writes; 0: none
};
constexpr share shares[] = {{"read_only", 0}, {"writes_1_in_100", 100}, {"writes_1_in_2", 2}, {"writes_1_in_10", 10}};

template <class Map>
void enter_map(const char* contender, unsigned threads, std::initializer_list<share> which) {
  for (const share part : which)
    enter({.type = "striped_map",
           .operation = "mixed",
           .contender = contender,
           .variation = part.variation,
           .threads = threads},
          [part] {
            return [part, map = std::make_shared<Map>()](turn& now) {
              struct call {
                std::string wanted;
                bool writes;
              };
              std::minstd_rand random(now.thread() + 1);
              std::vector<call> calls(1024);
              for (auto& each : calls)
                each = {key(static_cast<unsigned>(random() % entries)), part.every != 0 && random() % part.every == 0};
              now.begin();
              std::uint64_t done = 0;
              do {
                for (const auto& each : calls) {
                  if (each.writes)
                    map->set(each.wanted, done);
                  else
                    keep(map->get(each.wanted));
                }
                done += calls.size();
              } while (now.running());
              now.end(done);
            };
          });
}

[[maybe_unused]] const bool entered = [] {
  const auto all = {shares[0], shares[1], shares[2], shares[3]};
  for (const unsigned threads : {1u, 2u}) {
    enter_map<flat>(threads == 1 ? "floor: flat_hash_map, alone" : "floor: flat_hash_map, a race", threads,
                    threads == 1 ? std::initializer_list<share>(all) : std::initializer_list<share>{shares[0]});
    enter_map<locked>("ref: std::mutex, unordered_map", threads, all);
    enter_map<shared>("ref: std::shared_mutex, unordered_map", threads, all);
    enter_map<tbb_map>("tbb::concurrent_hash_map", threads, all);
    enter_map<cow>("acqrel cow_map", threads, all);
    enter_map<striped>("acqrel", threads, all);
    enter_map<concurrent>("acqrel concurrent_map", threads, all);
    enter_map<one_step>("acqrel, with()", threads, all);
    for (const share part : shares) {
      goal({.type = "striped_map",
            .operation = "mixed",
            .variation = part.variation,
            .threads = threads,
            .contender = "acqrel",
            .against = "ref: std::mutex, unordered_map",
            .at_most = threads == 1 ? 1.1 : 0.5});
      goal({.type = "striped_map",
            .operation = "mixed",
            .variation = part.variation,
            .threads = threads,
            .contender = "acqrel",
            .against = "tbb::concurrent_hash_map",
            .at_most = 1.0});
    }
  }
  return true;
}();

}  // namespace
}  // namespace bench
