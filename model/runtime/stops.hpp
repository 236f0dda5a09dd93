// What ends a run from within checked code: assert, abort, std::terminate, a signal, expect().
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acqrel::model {

void stop_at_crash(int signal, void* address);
[[noreturn]] void stop_at_terminate();

}  // namespace acqrel::model
