// See sites_traced.cpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace traced {

void run();
/// As if its source had been elsewhere, and is no more.
void run_what_is_gone();

}  // namespace traced
