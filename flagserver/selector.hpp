// SPDX-License-Identifier: Apache-2.0
// flagserver/selector.hpp - which flags a request is about: the header Flagd-Selector.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flagserver {

class selector {
 public:
  /// "flagSetId=x", "source=y", both with a comma between, "y" (a source), or "" (everything). `flagSetId=` selects
  /// the flags without a set. Anything else is nothing, and `error` says why.
  static std::optional<selector> parse(std::string_view header, std::string& error);

  const std::optional<std::string>& flag_set_id() const noexcept { return flag_set_id_; }
  const std::optional<std::string>& source() const noexcept { return source_; }
  bool selects_all() const noexcept { return !flag_set_id_ && !source_; }

 private:
  std::optional<std::string> flag_set_id_, source_;
};

}  // namespace flagserver
