// SPDX-License-Identifier: Apache-2.0
// A thousand values by strings of 20 characters, all made, asked for in a random order.
#include <acqrel/keyed/keyed_once.hpp>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/go.hpp"
#include "bench/harness.hpp"
#include "tests/keyed/locked_once.hpp"

namespace bench {
namespace {

constexpr unsigned entries = 1000;

std::string key(unsigned number) {
  const std::string digits = std::to_string(number);
  return "service/feature/" + std::string(4 - digits.size(), '0') + digits;
}
std::uint64_t length(const std::string& of) { return of.size(); }

struct flat {
  flat() {
    for (unsigned n = 0; n != entries; ++n) map.upsert(key(n), n);
  }
  std::uint64_t get(const std::string& wanted) const { return *map.find(wanted); }
  acqrel::flat_hash_map<std::string, std::uint64_t> map;
};
struct ours {
  std::uint64_t get(const std::string& wanted) {
    const auto found = once.get(wanted, length);
    return *found;
  }
  acqrel::keyed_once<std::string, std::uint64_t> once;
};
struct locked {
  std::uint64_t get(const std::string& wanted) { return once.get(wanted, length); }
  locked_once<std::string, std::uint64_t> once;
};

template <class Once>
void enter_hit(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "keyed_once",
           .operation = "hit",
           .contender = contender,
           .variation = "read_only",
           .threads = threads,
           .environment = {}},
          [] {
            const auto once = std::make_shared<Once>();
            for (unsigned times = 0; times != 4; ++times) {
              for (unsigned n = 0; n != entries; ++n) keep(once->get(key(n)));
            }
            return [once](turn& now) {
              std::minstd_rand random(now.thread() + 1);
              std::vector<std::string> asked(1024);
              for (auto& each : asked) each = key(static_cast<unsigned>(random() % entries));
              now.begin();
              std::uint64_t done = 0;
              do {
                for (const auto& each : asked) keep(once->get(each));
                done += asked.size();
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_hit<flat>("floor: flat_hash_map, unpublished");
  enter_hit<locked>("ref: std::mutex, unordered_map, once_flag");
  enter_hit<ours>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "keyed_once",
              .operation = "hit",
              .contender = "Go sync.Map, sync.Once",
              .variation = "read_only",
              .threads = threads,
              .environment = {}},
             "keyed_once");
    goal({.type = "keyed_once",
          .operation = "hit",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: flat_hash_map, unpublished",
          .at_most = 2.0});
  }
  return true;
}();

}  // namespace
}  // namespace bench
