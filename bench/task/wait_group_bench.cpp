// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/wait_group.hpp>

#include "bench/go.hpp"
#include "bench/signal/counting.hpp"

namespace bench {
namespace {

// One that enters and leaves, of a group that nobody waits for yet.
struct in_and_out {
  void step() { group.enter().leave(); }
  acqrel::wait_group group;
  acqrel::wait_group::member host = group.enter();
};

[[maybe_unused]] const bool entered = [] {
  enter_counting<in_and_out>("wait_group", "enter_leave");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "wait_group",
              .operation = "enter_leave",
              .contender = "Go sync.WaitGroup",
              .variation = "nobody_waits",
              .threads = threads},
             "wait_group");
  }
  return true;
}();

}  // namespace
}  // namespace bench
