// SPDX-License-Identifier: Apache-2.0
// A thousand values by strings of 20 characters, all made, asked for in a random order.
#include <acqrel/keyed/keyed_once.hpp>

#include <memory>
#include <string>

#include "bench/go.hpp"
#include "bench/strings.hpp"
#include "tests/keyed/locked_once.hpp"

namespace bench {
namespace {

using namespace strings;

std::uint64_t length(const std::string& of) { return of.size(); }

struct ours {
  std::uint64_t get(const std::string& wanted) {
    const auto found = once.get(wanted, length);
    return *found;
  }
  acqrel::keyed_once<std::string, std::uint64_t> once;
};
struct locked_calls {
  std::uint64_t get(const std::string& wanted) { return once.get(wanted, length); }
  locked_once<std::string, std::uint64_t> once;
};

// All are made, and asked for often enough that nothing is left to be noted of them.
template <class Once>
std::shared_ptr<Once> made() {
  const auto once = std::make_shared<Once>();
  for (unsigned times = 0; times != 4; ++times) {
    for (unsigned n = 0; n != entries; ++n) keep(once->get(key(n)));
  }
  return once;
}

template <class Once>
void enter_hit(const char* contender) {
  for (const unsigned threads : {1u, 2u})
    enter_asked<Once>({.type = "keyed_once",
                       .operation = "hit",
                       .contender = contender,
                       .variation = "read_only",
                       .threads = threads},
                      made<Once>);
}

[[maybe_unused]] const bool entered = [] {
  enter_hit<flat>("floor: flat_hash_map, unpublished");
  enter_hit<locked_calls>("ref: std::mutex, unordered_map, once_flag");
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
