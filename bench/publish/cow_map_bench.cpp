// SPDX-License-Identifier: Apache-2.0
// A map of 1,000 strings of 20 characters: asked for those that are there, in a random order; and changed.
#include <acqrel/publish/cow_map.hpp>

#include <tbb/concurrent_hash_map.h>

#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

constexpr unsigned entries = 1000;

std::string key(unsigned number) {
  const std::string digits = std::to_string(number);
  return "service/feature/" + std::string(4 - digits.size(), '0') + digits;
}

struct flat {
  flat() {
    for (unsigned n = 0; n != entries; ++n) map.upsert(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return *map.find(wanted); }
  acqrel::flat_hash_map<std::string, std::uint64_t> map;
};

struct cow {
  std::uint64_t get(const std::string& wanted) const {
    const auto found = map.get(wanted);
    return *found;
  }
  void update(std::uint64_t value) {
    map.update([&](auto& edit) { edit.upsert(key(0), value); });
  }
  acqrel::cow_map<std::string, std::uint64_t> map{flat().map};
};

template <class Mutex, template <class> class ReadLock>
struct under {
  under() {
    for (unsigned n = 0; n != entries; ++n) map.emplace(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) {
    const ReadLock<Mutex> lock(mutex);
    return map.find(wanted)->second;
  }
  Mutex mutex;
  std::unordered_map<std::string, std::uint64_t> map;
};

struct tbb_map {
  tbb_map() {
    for (unsigned n = 0; n != entries; ++n) map.insert({key(n), n});
  }
  std::uint64_t get(const std::string& wanted) const {
    decltype(map)::const_accessor found;
    (void)map.find(found, wanted);
    return found->second;
  }
  tbb::concurrent_hash_map<std::string, std::uint64_t> map;
};

struct flat_copied : flat {
  void update(std::uint64_t value) {
    decltype(map) next = map;
    next.upsert(key(0), value);
    map = std::move(next);
  }
};

struct unordered_copied {
  void update(std::uint64_t value) {
    const std::lock_guard lock(mutex);
    auto next = std::make_shared<std::unordered_map<std::string, std::uint64_t>>(*map);
    next->insert_or_assign(key(0), value);
    map = std::move(next);
  }
  std::mutex mutex;
  std::shared_ptr<const std::unordered_map<std::string, std::uint64_t>> map = [] {
    const flat from;
    return std::make_shared<std::unordered_map<std::string, std::uint64_t>>(from.map.begin(), from.map.end());
  }();
};

template <class Map>
void enter_get(const char* contender) {
  for (const unsigned threads : {1u, 2u})
    enter({.type = "cow_map", .operation = "get", .contender = contender, .variation = "read_only", .threads = threads},
          [] {
            return [map = std::make_shared<Map>()](turn& now) {
              std::minstd_rand random(now.thread() + 1);
              std::vector<std::string> asked(1024);
              for (auto& each : asked) each = key(static_cast<unsigned>(random() % entries));
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

template <class Map>
void enter_update(const char* contender) {
  enter({.type = "cow_map", .operation = "update", .contender = contender, .variation = "one_of_1000"}, [] {
    return [map = std::make_shared<Map>()](turn& now) {
      now.begin();
      std::uint64_t done = 0;
      do map->update(done);
      while (++done, now.running());
      now.end(done);
    };
  });
}

[[maybe_unused]] const bool entered = [] {
  enter_get<flat>("floor: flat_hash_map, unpublished");
  enter_get<under<std::mutex, std::lock_guard>>("ref: std::mutex, unordered_map");
  enter_get<under<std::shared_mutex, std::shared_lock>>("ref: std::shared_mutex, unordered_map");
  enter_get<tbb_map>("tbb::concurrent_hash_map");
  enter_get<cow>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "cow_map",
              .operation = "get",
              .contender = "Go sync.Map",
              .variation = "read_only",
              .threads = threads},
             "map_get");
    goal({.type = "cow_map",
          .operation = "get",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: flat_hash_map, unpublished",
          .at_most = 1.2});
  }
  enter_update<flat_copied>("floor: flat_hash_map copied");
  enter_update<unordered_copied>("ref: std::mutex, unordered_map copied");
  enter_update<cow>("acqrel");
  goal({.type = "cow_map",
        .operation = "update",
        .variation = "one_of_1000",
        .contender = "acqrel",
        .against = "floor: flat_hash_map copied",
        .at_most = 1.2});
  return true;
}();

}  // namespace
}  // namespace bench
