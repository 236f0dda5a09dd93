// Short names for what an execution shows: objects, orders, values; and the setting of text in columns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report.hpp"

namespace acqrel::model {

/// A name for each object, short enough for a column, no two alike: as the source calls it (`tail_` in `q->tail_.load()`),
/// else as the checker knows it, else a letter.
class labels {
 public:
  labels(const graph&, const telling&);
  const std::string& of(std::uint16_t object) const { return short_[object]; }
  /// All that is known of it.
  const std::string& full(std::uint16_t object) const { return full_[object]; }

 private:
  std::vector<std::string> short_, full_;
};

/// What a source line applies its only atomic operation to; empty if it has none or several, or is no member call.
std::string named_in(std::string_view source_line);

const char* order_text(order);
const char* update_text(update);
/// In decimal, from 100,000 on in hexadecimal.
std::string value_text(value);

std::string padded(std::string text, unsigned width);
std::string trimmed(std::string text);
/// In lines of at most `width`, broken at a blank, else after a `(`, where there is one; those after the first are indented.
std::vector<std::string> wrapped(const std::string& text, unsigned width);

}  // namespace acqrel::model
