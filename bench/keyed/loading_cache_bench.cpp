// SPDX-License-Identifier: Apache-2.0
// A cache of 1,000 strings of 20 characters, asked for those that are there in a random order.
#include <acqrel/keyed/loading_cache.hpp>

#include <mutex>
#include <string>

#include "bench/go.hpp"
#include "bench/strings.hpp"
#include "tests/keyed/traces.hpp"

namespace bench {
namespace {

using namespace strings;

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
  for (const unsigned threads : {1u, 2u})
    enter_asked<Cache>({.type = "loading_cache",
                        .operation = "hit",
                        .contender = contender,
                        .variation = variation,
                        .threads = threads});
}

[[maybe_unused]] const bool entered = [] {
  for (const char* const variation : {"read_only", "grows_old"}) {
    enter_hit<flat>("floor: flat_hash_map, unpublished", variation);
    enter_hit<locked>("ref: std::mutex, unordered_map", variation);
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
