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

/// Index of the location of this name, or -1.
int find_location(const program&, std::string_view name);
/// Index of the thread's register of this name, or -1.
int find_register(const thread&, std::string_view name);
/// The same, made if need be.
unsigned make_register(thread&, std::string_view name);
/// Whether the word belongs to a type: int, const, atomic_int, uint32_t, ...
bool is_type_word(std::string_view word);

}  // namespace acqrel::model::litmus
