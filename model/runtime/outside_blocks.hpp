// Blocks of the C library's heap that checked code has got outside of runs: what its globals own when a check begins.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "modules.hpp"

namespace acqrel::model {

/// Checked code got `p`; from any thread.
void note_outside_block(void* p);
/// Somebody frees `p`, noted or not.
void forget_outside_block(void* p);
/// All that were noted and not freed, by address.
std::vector<range> outside_blocks();

}  // namespace acqrel::model
