// SPDX-License-Identifier: Apache-2.0
// A map of 1,000 strings of 20 characters, asked and changed in a random order: nobody writes; one call in a hundred, or ten,
// does; every other does. A write gives a key that is there another value.
#include <acqrel/keyed/concurrent_map.hpp>
#include <acqrel/keyed/striped_map.hpp>

#include "bench/strings.hpp"

namespace bench {
namespace {

using namespace strings;

using striped = filled<acqrel::striped_map<std::string, std::uint64_t>>;
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
constexpr share shares[] = {{"read_only", 0}, {"writes_1_in_100", 100}, {"writes_1_in_2", 2}, {"writes_1_in_10", 10}};

template <class Map>
void enter_map(const char* contender, unsigned threads, std::initializer_list<share> which) {
  for (const share part : which)
    enter_mixed<Map>({.type = "striped_map",
                      .operation = "mixed",
                      .contender = contender,
                      .variation = part.variation,
                      .threads = threads},
                     part.every);
}

[[maybe_unused]] const bool entered = [] {
  const auto all = {shares[0], shares[1], shares[2], shares[3]};
  for (const unsigned threads : {1u, 2u}) {
    enter_map<flat>(threads == 1 ? "floor: flat_hash_map, alone" : "floor: flat_hash_map, a race", threads,
                    threads == 1 ? std::initializer_list<share>(all) : std::initializer_list<share>{shares[0]});
    enter_map<locked>("ref: std::mutex, unordered_map", threads, all);
    enter_map<shared>("ref: std::shared_mutex, unordered_map", threads, all);
    enter_map<tbb_hash>("tbb::concurrent_hash_map", threads, all);
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
