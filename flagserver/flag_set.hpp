// SPDX-License-Identifier: Apache-2.0
// flagserver/flag_set.hpp - the flags of one source, parsed, checked and compiled: one immutable snapshot.
//
//   auto [flags, diagnostics] = parse_flags(text, text_format::json, fractional_version::v2);
//   if (!flags) report(diagnostics);                // nothing of a file with an error is used
//   else current.publish(std::move(flags));
//
// A flag_set never changes after parse_flags returned it: any number of threads may evaluate it at once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostic.hpp"
#include "fractional.hpp"
#include "selector.hpp"

namespace flagserver {

struct flag;
class flag_set_builder;

enum class text_format : unsigned char { json, yaml };

class flag_set {
 public:
  flag_set(const flag_set&) = delete;
  flag_set& operator=(const flag_set&) = delete;
  ~flag_set();

  /// A hex hash of the content: equal text and options have equal revisions.
  const std::string& revision() const noexcept;
  std::size_t size() const noexcept;
  /// Where the text is from, as given to parse_flags.
  const std::string& source() const noexcept;
  fractional_version fractional() const noexcept;

  /// Every flag, ordered by flag set, then key.
  std::span<const flag> flags() const noexcept;
  /// The flag that answers for `key`, or nullptr. Where several sets have it, the last in the file.
  const flag* find(std::string_view key, const selector&) const noexcept;
  bool selects(const selector&, const flag&) const noexcept;
  /// Some selected rule may read the time of day.
  bool reads_time(const selector&) const noexcept;

 private:
  friend class flag_set_builder;
  struct content;
  explicit flag_set(std::unique_ptr<content>) noexcept;
  std::unique_ptr<const content> content_;
};

struct parse_result {
  std::unique_ptr<flag_set> flags;      ///< null if there is an error
  std::vector<diagnostic> diagnostics;  ///< in the order of the file
};

/// Never throws for what the text says. `source` names where the text is from, for selectors with `source=`.
parse_result parse_flags(std::string_view text, text_format, fractional_version, std::string_view source = {});

}  // namespace flagserver
