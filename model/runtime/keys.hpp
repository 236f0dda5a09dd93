// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acqrel::model {

/// Before every run: no thread has anything to take down (see leave_thread in sync.hpp).
void begin_keys();

}  // namespace acqrel::model
