// SPDX-License-Identifier: Apache-2.0
// A map of 1,000 strings of 20 characters: asked for those that are there, in a random order; and changed.
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "bench/go.hpp"
#include "bench/strings.hpp"

namespace bench {
namespace {

using namespace strings;

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

struct cow_changed : cow {
  void update(std::uint64_t value) { set(key(0), value); }
};

template <class Map>
void enter_get(const char* contender) {
  for (const unsigned threads : {1u, 2u})
    enter_asked<Map>(
        {.type = "cow_map", .operation = "get", .contender = contender, .variation = "read_only", .threads = threads});
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
  enter_get<locked>("ref: std::mutex, unordered_map");
  enter_get<shared>("ref: std::shared_mutex, unordered_map");
  enter_get<tbb_hash>("tbb::concurrent_hash_map");
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
  enter_update<cow_changed>("acqrel");
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
