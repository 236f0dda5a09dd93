// SPDX-License-Identifier: Apache-2.0
// A map of 1,000 strings of 20 characters, asked and changed in a random order: nobody writes; one call in a hundred does; every
// other does. A write gives a key that is there another value. And what ten million entries take.
#include <acqrel/keyed/concurrent_map.hpp>
#include <acqrel/keyed/striped_map.hpp>

#include <libcuckoo/cuckoohash_map.hh>
#include <tbb/concurrent_unordered_map.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "bench/go.hpp"
#include "bench/strings.hpp"

namespace bench {
namespace {

using namespace strings;

struct ours : filled<acqrel::concurrent_map<std::string, std::uint64_t>> {
  std::uint64_t get(const std::string& wanted) const {
    const auto found = map.find(wanted);
    return *found;
  }
};
using striped = filled<acqrel::striped_map<std::string, std::uint64_t>>;
// It can not erase beside readers; a value is changed in place, so it is an atomic.
struct tbb_unordered {
  tbb_unordered() {
    for (unsigned n = 0; n != entries; ++n) map[key(n)].store(n, std::memory_order_relaxed);
  }
  std::uint64_t get(const std::string& wanted) const {
    return map.find(wanted)->second.load(std::memory_order_acquire);
  }
  void set(const std::string& wanted, std::uint64_t value) {
    map.find(wanted)->second.store(value, std::memory_order_release);
  }
  tbb::concurrent_unordered_map<std::string, std::atomic<std::uint64_t>> map;
};
struct cuckoo {
  cuckoo() {
    for (unsigned n = 0; n != entries; ++n) map.insert(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return map.find(wanted); }
  void set(const std::string& wanted, std::uint64_t value) { map.insert_or_assign(wanted, value); }
  libcuckoo::cuckoohash_map<std::string, std::uint64_t> map;
};

constexpr share shares[] = {{"read_only", 0}, {"writes_1_in_100", 100}, {"writes_1_in_2", 2}};

template <class Map>
void enter_map(const char* contender, unsigned threads, std::initializer_list<share> which) {
  for (const share part : which)
    enter_mixed<Map>({.type = "concurrent_map",
                      .operation = "mixed",
                      .contender = contender,
                      .variation = part.variation,
                      .threads = threads},
                     part.every);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Ten million numbers, put in and then asked for in another order, by one thread.
template <class Map>
void enter_many(const char* contender) {
  enter_measurement(
      {.type = "concurrent_map", .operation = "ten_million", .contender = contender, .variation = "numbers"},
      [](double scale) {
        using clock = std::chrono::steady_clock;
        const auto many = static_cast<std::uint64_t>(1e7 * scale) + 1;
        const auto each = [many](clock::time_point from) {
          return std::chrono::duration<double, std::nano>(clock::now() - from).count() / static_cast<double>(many);
        };
        const double before = resident_bytes();
        Map map;
        const auto start = clock::now();
        for (std::uint64_t n = 0; n != many; ++n) map.insert(n, n);
        const double insert = each(start), bytes = (resident_bytes() - before) / static_cast<double>(many);
        const auto found = clock::now();
        for (std::uint64_t n = 0; n != many; ++n) keep(map.contains(n * 0x9E3779B97F4A7C15 % many));
        return std::vector<figure>{
            {"bytes an entry", "B", bytes}, {"insert", "ns", insert}, {"contains", "ns", each(found)}};
      });
}
struct standard {
  void insert(std::uint64_t key, std::uint64_t value) {
    const std::lock_guard lock(mutex);
    map.emplace(key, value);
  }
  bool contains(std::uint64_t key) {
    const std::lock_guard lock(mutex);
    return map.contains(key);
  }
  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::uint64_t> map;
};

[[maybe_unused]] const bool entered = [] {
  const auto all = {shares[0], shares[1], shares[2]};
  for (const unsigned threads : {1u, 2u}) {
    enter_map<flat>(threads == 1 ? "floor: flat_hash_map, alone" : "floor: flat_hash_map, a race", threads,
                    threads == 1 ? std::initializer_list<share>(all) : std::initializer_list<share>{shares[0]});
    enter_map<locked>("ref: std::mutex, unordered_map", threads, all);
    enter_map<shared>("ref: std::shared_mutex, unordered_map", threads, all);
    enter_map<tbb_hash>("tbb::concurrent_hash_map", threads, all);
    enter_map<tbb_unordered>("tbb::concurrent_unordered_map", threads, all);
    enter_map<cuckoo>("libcuckoo::cuckoohash_map", threads, all);
    enter_map<cow>("acqrel cow_map", threads, all);
    enter_map<striped>("acqrel striped_map", threads, all);
    enter_map<ours>("acqrel", threads, all);
    const char* const tasks[] = {"map_get", "map_writes_1_in_100", "map_writes_1_in_2"};
    for (std::size_t i = 0; i != 3; ++i) {
      enter_go({.type = "concurrent_map",
                .operation = "mixed",
                .contender = "Go sync.Map",
                .variation = shares[i].variation,
                .threads = threads},
               tasks[i]);
    }
    goal({.type = "concurrent_map",
          .operation = "mixed",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = threads == 1 ? "floor: flat_hash_map, alone" : "floor: flat_hash_map, a race",
          .at_most = 2.0});
    if (have_go) {
      for (const char* variation : {"read_only", "writes_1_in_100"})
        goal({.type = "concurrent_map",
              .operation = "mixed",
              .variation = variation,
              .threads = threads,
              .contender = "acqrel",
              .against = "Go sync.Map",
              .at_most = 1.0});
    }
  }
  enter_many<standard>("ref: std::mutex, unordered_map");
  enter_many<acqrel::concurrent_map<std::uint64_t, std::uint64_t>>("acqrel");
  return true;
}();

}  // namespace
}  // namespace bench
