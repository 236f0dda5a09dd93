// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace acqrel::model::litmus {

/// Paragraphs about a shape. They state no verdict: verdicts are computed.
struct note {
  std::string_view shape;
  std::string_view bites;   ///< where it stands in real code
  std::string_view remedy;  ///< what to write, and what acqrel has for it
};
const note* find_note(std::string_view shape);

}  // namespace acqrel::model::litmus
