// SPDX-License-Identifier: Apache-2.0
// A cache of 1,000 strings of 20 characters, asked for those that are there in a random order.
#include <acqrel/keyed/loading_cache.hpp>

#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "bench/go.hpp"
#include "bench/harness.hpp"
#include "tests/keyed/traces.hpp"

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

struct mutex_and_map {
  mutex_and_map() {
    for (unsigned n = 0; n != entries; ++n) map.emplace(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) {
    const std::lock_guard lock(mutex);
    return map.find(wanted)->second;
  }
  std::mutex mutex;
  std::unordered_map<std::string, std::uint64_t> map;
};

struct mutex_and_lru {
  mutex_and_lru() {
    for (unsigned n = 0; n != entries; ++n) cache.insert(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) {
    const std::lock_guard lock(mutex);
    return *cache.find(wanted);
  }
  std::mutex mutex;
  traces::lru<std::string, std::uint64_t> cache{entries};
};

// Bounded, so that it notes each hit as any bounded cache must.
template <bool grows_old>
struct ours {
  using cache_type = acqrel::loading_cache<std::string, std::uint64_t>;
  ours() {
    for (unsigned times = 0; times != 4; ++times) {
      for (unsigned n = 0; n != entries; ++n) keep(cache.get(key(n)).is_known());
    }
  }
  std::uint64_t get(const std::string& wanted) {
    const auto found = cache.get(wanted);
    return *found;
  }
  cache_type cache{[](const std::string& wanted) { return std::uint64_t{wanted.size()}; },
                   {.most = entries, .time_to_live = grows_old ? std::chrono::hours(1) : cache_type::for_ever}};
};

template <class Cache>
void enter_hit(const char* contender, const char* variation) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "loading_cache",
           .operation = "hit",
           .contender = contender,
           .variation = variation,
           .threads = threads,
           .environment = {}},
          [] {
            return [cache = std::make_shared<Cache>()](turn& now) {
              std::minstd_rand random(now.thread() + 1);
              std::vector<std::string> asked(1024);
              for (auto& each : asked) each = key(static_cast<unsigned>(random() % entries));
              now.begin();
              std::uint64_t done = 0;
              do {
                for (const auto& each : asked) keep(cache->get(each));
                done += asked.size();
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  for (const char* const variation : {"read_only", "grows_old"}) {
    enter_hit<flat>("floor: flat_hash_map, unpublished", variation);
    enter_hit<mutex_and_map>("ref: std::mutex, unordered_map", variation);
    enter_hit<mutex_and_lru>("ref: std::mutex, list, unordered_map (LRU)", variation);
  }
  enter_hit<ours<false>>("acqrel", "read_only");
  enter_hit<ours<true>>("acqrel", "grows_old");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "loading_cache",
              .operation = "hit",
              .contender = "Go map under sync.Mutex",
              .variation = "read_only",
              .threads = threads},
             "cache_get");
    goal({.type = "loading_cache",
          .operation = "hit",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: flat_hash_map, unpublished",
          .at_most = 1.5});
    goal({.type = "loading_cache",
          .operation = "hit",
          .variation = "grows_old",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: flat_hash_map, unpublished",
          .at_most = 2});
  }
  return true;
}();

}  // namespace
}  // namespace bench
