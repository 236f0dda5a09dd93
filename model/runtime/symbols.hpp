// Names of global objects.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace acqrel::model {

/// "global `ready`", "byte 8 of global `queue`"; empty if no symbol of the program is there.
std::string global_at(const void* p);

}  // namespace acqrel::model
