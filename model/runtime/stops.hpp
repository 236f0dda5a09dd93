// What ends a run from within checked code: assert, abort, std::terminate, a signal, a loop without end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acqrel::model {

void stop_at_crash(int signal, void* address);
void stop_at_silence(const void* site);
[[noreturn]] void stop_at_terminate();

}  // namespace acqrel::model
