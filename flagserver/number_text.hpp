// SPDX-License-Identifier: Apache-2.0
// flagserver/number_text.hpp - numbers from text and into text, as JavaScript does both.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "value.hpp"

namespace flagserver {

/// Room for any number's text.
struct number_buffer {
  char bytes[40];
};

/// JavaScript's Number::toString: the shortest text that reads back as the same number.
std::string_view number_text(const value& number, number_buffer& buffer);

/// The number as a double; integers beyond 2^53 are rounded.
double as_double(const value& number) noexcept;

/// The number that all of `text` spells: JavaScript's Number(text). NaN if it spells none; blank text is 0.
double number_from(std::string_view text);

/// The number that `text` begins with: JavaScript's parseFloat(text). NaN if it begins with none.
double number_prefix(std::string_view text);

}  // namespace flagserver
