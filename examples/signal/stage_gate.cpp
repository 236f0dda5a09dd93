// The life of a service: nobody asks it before it is ready, and whoever ends it does so once.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/stage_gate.hpp>

#include <cstdio>
#include <thread>

namespace {

enum class stage { starting, ready, draining, stopped };
constexpr acqrel::stage_table lifecycle{
    acqrel::stage_edge{stage::starting, stage::ready}, acqrel::stage_edge{stage::ready, stage::draining},
    acqrel::stage_edge{stage::draining, stage::stopped}, acqrel::stage_edge{stage::starting, stage::stopped}};

void announce() { std::puts("ready"); }

}  // namespace

int main() {
  acqrel::stage_gate<lifecycle> service(stage::starting);
  std::thread drain([&] {
    service.wait(stage::ready);
    if (service.advance<stage::ready, stage::draining>()) std::puts("draining");
  });
  if (service.advance<stage::starting, stage::ready>()) announce();  // true for one caller
  service.wait(stage::draining);                                     // until it is there, or beyond
  drain.join();
  const bool refused = service.try_advance(stage::stopped, stage::starting) == acqrel::stage_result::illegal;
  return service.advance<stage::draining, stage::stopped>() && refused ? 0 : 1;
}
