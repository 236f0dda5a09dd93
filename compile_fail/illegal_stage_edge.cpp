// A service goes from a stage to one that does not follow it.
//
// Document  X.3, where every Advance succeeds
// Refused   by the compiler
// Saying    the table has no edge from From to To
// Instead   a step of the table; where the stages are only known at run time, try_advance() says `illegal`.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/stage_gate.hpp>

enum class stage { starting, ready, stopped };
constexpr acqrel::stage_table life{acqrel::stage_edge{stage::starting, stage::ready},
                                   acqrel::stage_edge{stage::ready, stage::stopped}};

#if defined(WRONG)
bool stop(acqrel::stage_gate<life>& service) { return service.advance<stage::starting, stage::stopped>(); }
#else
bool stop(acqrel::stage_gate<life>& service) {
  service.wait(stage::ready);
  return service.advance<stage::ready, stage::stopped>();
}
#endif

int main() {
  acqrel::stage_gate<life> service(stage::starting);
  const bool started = service.advance<stage::starting, stage::ready>();
  return started && stop(service) ? 0 : 1;
}
