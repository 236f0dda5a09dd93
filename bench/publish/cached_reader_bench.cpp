// SPDX-License-Identifier: Apache-2.0
// A reader that keeps its version and looks whether it is still the current one.
#include "bench/publish/acqrel.hpp"
#include "bench/publish/contest.hpp"
#include "bench/publish/raw_pointer.hpp"
#include "bench/publish/standard.hpp"

namespace bench {
namespace {

[[maybe_unused]] const bool entered = [] {
  const char* const operation = "cached_read";
  enter_readings<raw_pointer<plain_value>>(operation, "floor: raw pointer", read_one{});
  enter_readings<numbered_shared_pointer<plain_value>>(operation, "ref: shared_ptr and a version number", read_one{});
  enter_readings<acqrel_publish<plain_value>>(operation, "acqrel", read_one{});
  enter_readings<acqrel_cached<plain_value>>(operation, "acqrel cached_reader", read_one{});
  for (const unsigned threads : {1u, 2u})
    goal({.type = snapshot_source,
          .operation = operation,
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel cached_reader",
          .against = "floor: raw pointer",
          .at_most = 1.5});
  return true;
}();

}  // namespace
}  // namespace bench
