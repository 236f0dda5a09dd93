// Draws an execution: threads as columns, events with their orders, and who reads from whom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "enumerate.hpp"
#include "program.hpp"

namespace acqrel::model::litmus {

/// Events by thread in columns, then one arrow a line: rf, sw, mo, rb, and the race if there is one.
std::string draw_text(const program&, const execution&);
/// The same as a picture of its own: no style sheet, no script, its own background. `caption` stands below the title.
std::string draw_svg(const program&, const execution&, std::string_view caption = {});

// ---- what is drawn
enum class relation : std::uint8_t { rf, sw, mo, rb, race };
const char* text(relation);   ///< "rf"
const char* about(relation);  ///< "reads from"

struct drawing {
  /// A read-modify-write is one box.
  struct box {
    std::string letter, text;
    unsigned thread = 0, row = 0;
  };
  struct line {
    relation what = relation::rf;
    int from = -1, to = -1;  ///< boxes; from -1: the initial value
    std::string says;        ///< "c reads y=1 from b"
  };
  std::vector<box> boxes;
  std::vector<int> box_of;  ///< by event; -1: an initial write
  std::vector<line> lines;  ///< left out: mo from initial writes, and what other lines or program order say already
  std::string outcome;      ///< "0:r0=1; [x]=2": what the program shows of its end
};
drawing lay_out(const program&, const execution&);

}  // namespace acqrel::model::litmus
