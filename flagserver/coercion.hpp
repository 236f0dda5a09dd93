// SPDX-License-Identifier: Apache-2.0
// flagserver/coercion.hpp - values as JavaScript bends them: JsonLogic is defined by its comparisons and conversions.
#pragma once

#include <string>

#include "value.hpp"

namespace flagserver {

/// False for nothing, false, 0, NaN, "" and, unlike JavaScript, the empty array.
bool truthy(const value&) noexcept;

/// JavaScript's Number(v).
double number_of(const value&);
/// JavaScript's parseFloat(v).
double parsed_number_of(const value&);
/// Appends JavaScript's String(v). Throws limit_exceeded where values nest too deep.
void append_text(const value&, std::string& out);
/// The same, but nothing for null and missing, as join() does.
void append_joined_text(const value&, std::string& out);

/// JavaScript's ===; arrays and objects equal only themselves. Integers are exact at any size.
bool strictly_equal(const value&, const value&) noexcept;
/// JavaScript's ==. `buffer` is scratch.
bool loosely_equal(const value&, const value&, std::string& buffer);
/// JavaScript's a < b and a <= b. `buffer` is scratch.
bool less(const value& a, const value& b, std::string& buffer);
bool less_or_equal(const value& a, const value& b, std::string& buffer);

}  // namespace flagserver
