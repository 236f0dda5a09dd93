// Teaches a built-in litmus test: what it is, where it bites, and what each ordering makes of it. Verdicts, counts and
// reasons are computed when asked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace acqrel::model::litmus {

/// The text for a shape ("MP"), one of its variants ("MP+ra"), a discriminator or a quiz ("B.4"). Throws
/// std::invalid_argument, with the names that come near, if there is none.
std::string explain(std::string_view name);

}  // namespace acqrel::model::litmus
