// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/pulse.hpp>

#include "bench/signal/counting.hpp"

namespace bench {
namespace {

struct nobody_waits {
  void step() { given.notify(); }
  acqrel::pulse given;
};

[[maybe_unused]] const bool entered = [] {
  enter_counting<nobody_waits>("pulse", "notify");
  return true;
}();

}  // namespace
}  // namespace bench
