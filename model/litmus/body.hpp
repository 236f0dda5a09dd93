// The statements of a thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lex.hpp"
#include "parse.hpp"

namespace acqrel::model::litmus {

/// Reads `{ ... }` into p.threads[thread].body. Loads within an expression become instructions of their own, left to
/// right; && || and ?: around them become branches, loops become nested branches.
void read_body(token_stream&, program& p, unsigned thread, const parse_options&);

}  // namespace acqrel::model::litmus
