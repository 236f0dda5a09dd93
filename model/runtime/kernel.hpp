// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acqrel::model {

/// Before every run.
void begin_kernel(bool membarrier_offered);

}  // namespace acqrel::model
