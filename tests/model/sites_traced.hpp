// See sites_traced.cpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace traced {

void run();

}  // namespace traced
