// Draws an execution: threads as columns, events with their orders, and who reads from whom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "enumerate.hpp"
#include "program.hpp"

namespace acqrel::model::litmus {

/// Events by thread in columns, then one arrow a line: rf, mo, rb, sw, and the race if there is one.
std::string draw_text(const program&, const execution&);
/// The same as a picture of its own: no style sheet, no script, its own background. `caption` stands below the title.
std::string draw_svg(const program&, const execution&, std::string_view caption = {});

}  // namespace acqrel::model::litmus
