// A table of stages that leads back to an earlier one: whoever waited for the later may have missed it.
//
// Document  X.3, where Stopped leads to Init
// Refused   by the compiler
// Saying    an edge must lead to a higher stage
// Instead   what comes again is a generation; a second life is a second gate.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/stage_gate.hpp>

enum class stage { starting, ready };

#if defined(WRONG)
constexpr acqrel::stage_table life{acqrel::stage_edge{stage::starting, stage::ready},
                                   acqrel::stage_edge{stage::ready, stage::starting}};
#else
constexpr acqrel::stage_table life{acqrel::stage_edge{stage::starting, stage::ready}};
#endif

int main() {
  acqrel::stage_gate<life> service(stage::starting);
  return service.advance<stage::starting, stage::ready>() ? 0 : 1;
}
