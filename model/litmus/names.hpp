// Names in a litmus file: what they mean, and the values that may be written as one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lex.hpp"

namespace acqrel::model::litmus {

/// Index of the location of this name, or -1. An array's name is that of its first element.
int find_location(const program&, std::string_view name);
/// Index of the thread's register of this name, or -1.
int find_register(const thread&, std::string_view name);
/// The same, made if need be.
unsigned make_register(thread&, std::string_view name);

/// Reads a number and returns true, or the name of a location (with or without &) and returns false.
bool read_number(token_stream&, number& value, token& name);
/// The address of the location that the token names.
number address_named(const token_stream&, const program&, const token& name);
/// 0, or P0.
int read_thread_number(token_stream&);

}  // namespace acqrel::model::litmus
