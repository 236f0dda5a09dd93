// What stands after the threads: locations [...], filter (...), exists (...).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lex.hpp"

namespace acqrel::model::litmus {

/// Reads it into the program, to the end of the file.
void read_conclusion(token_stream&, program&);

}  // namespace acqrel::model::litmus
