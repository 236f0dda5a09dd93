// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/generation.hpp>

#include "bench/signal/counting.hpp"

namespace bench {
namespace {

struct nobody_waits {
  void step() { fired.fire(); }
  acqrel::generation fired;
};

[[maybe_unused]] const bool entered = [] {
  enter_counting<nobody_waits>("generation", "fire");
  return true;
}();

}  // namespace
}  // namespace bench
