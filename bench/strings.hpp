// SPDX-License-Identifier: Apache-2.0
// bench/strings.hpp - a map of 1,000 strings of 20 characters, asked and changed in a random order: the maps that several
// benchmarks compare with, and the loops that all of them share.
//
//   bench::strings::enter_asked<bench::strings::flat>({.type = "cow_map", .operation = "get", .contender = "floor: ...", ...});
#pragma once

#include <acqrel/publish/cow_map.hpp>

#include <tbb/concurrent_hash_map.h>

#include <memory>
#include <random>
#include <shared_mutex>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "tests/keyed/locked_map.hpp"

namespace bench::strings {

inline constexpr unsigned entries = 1000;

inline std::string key(unsigned number) {
  const std::string digits = std::to_string(number);
  return "service/feature/" + std::string(4 - digits.size(), '0') + digits;
}
inline std::string any_key(std::minstd_rand& random) { return key(static_cast<unsigned>(random() % entries)); }

// Each has get(key), for a key that is there, and set(key, value).
template <class Map>
struct filled {
  filled() {
    for (unsigned n = 0; n != entries; ++n) map.insert_or_assign(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return *map.get(wanted); }
  void set(const std::string& wanted, std::uint64_t value) { map.insert_or_assign(wanted, value); }
  Map map{};
};
using locked = filled<locked_map<std::string, std::uint64_t>>;
using shared = filled<locked_map<std::string, std::uint64_t, std::hash<std::string>, std::shared_mutex,
                                 std::shared_lock<std::shared_mutex>>>;
// For one thread, or for readers only.
struct flat {
  flat() {
    for (unsigned n = 0; n != entries; ++n) map.upsert(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return *map.find(wanted); }
  void set(const std::string& wanted, std::uint64_t value) { const_cast<std::uint64_t&>(*map.find(wanted)) = value; }
  acqrel::flat_hash_map<std::string, std::uint64_t> map{};
};
struct cow {
  std::uint64_t get(const std::string& wanted) const {
    const auto found = map.get(wanted);
    return *found;
  }
  void set(const std::string& wanted, std::uint64_t value) {
    map.update([&](auto& edit) { edit.upsert(wanted, value); });
  }
  acqrel::cow_map<std::string, std::uint64_t> map{flat().map};
};
struct tbb_hash {
  using table = tbb::concurrent_hash_map<std::string, std::uint64_t>;
  tbb_hash() {
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
  table map{};
};

/// Asked only; each thread in an order of its own.
template <class Map>
void enter_asked(
    row description, std::shared_ptr<Map> (*make)() = [] { return std::make_shared<Map>(); }) {
  enter(std::move(description), [make] {
    return [map = make()](turn& now) {
      std::minstd_rand random(now.thread() + 1);
      std::vector<std::string> asked(1024);
      for (auto& each : asked) each = any_key(random);
      now.begin();
      std::uint64_t done = 0;
      do {
        for (const auto& each : asked) keep(map->get(each));
        done += asked.size();
      } while (now.running());
      now.end(done);
    };
  });
}

struct share {
  const char* variation;
  unsigned every;  // one call in so many writes; 0: none
};

/// Asked, and changed: a write gives a key that is there another value.
template <class Map>
void enter_mixed(row description, unsigned every) {
  enter(std::move(description), [every] {
    return [every, map = std::make_shared<Map>()](turn& now) {
      struct call {
        std::string wanted;
        bool writes;
      };
      std::minstd_rand random(now.thread() + 1);
      std::vector<call> calls(1024);
      for (auto& each : calls) each = {any_key(random), every != 0 && random() % every == 0};
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

}  // namespace bench::strings
