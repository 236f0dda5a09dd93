// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace acqrel::tools {

/// `acqrel litmus`; returns the exit status.
int litmus(const std::vector<std::string>& arguments);

}  // namespace acqrel::tools
