// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/countdown.hpp>

#include "bench/signal/counting.hpp"

namespace bench {
namespace {

struct nobody_waits {
  void step() {
    if (!left.down()) (void)left.reset(acqrel::countdown::max);
  }
  acqrel::countdown left{acqrel::countdown::max};
};

[[maybe_unused]] const bool entered = [] {
  enter_counting<nobody_waits>("countdown", "down");
  return true;
}();

}  // namespace
}  // namespace bench
