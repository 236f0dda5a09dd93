// SPDX-License-Identifier: Apache-2.0
#include "selector.hpp"

namespace flagserver {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<selector> selector::parse(std::string_view header, std::string& error) {
  header = trimmed(header);
  selector result;
  if (header.empty()) return result;
  if (header.find('=') == std::string_view::npos) {
    result.source_ = header;
    return result;
  }
  while (true) {
    const std::size_t comma = header.find(',');
    const std::string_view pair = trimmed(header.substr(0, comma));
    const std::size_t equals = pair.find('=');
    const std::string_view key = trimmed(pair.substr(0, equals));
    std::optional<std::string>* target = key == "flagSetId" ? &result.flag_set_id_
                                         : key == "source"  ? &result.source_
                                                            : nullptr;
    if (target == nullptr || equals == std::string_view::npos) {
      error = "Flagd-Selector: `" + std::string(pair) + "` is neither flagSetId=... nor source=...";
      return std::nullopt;
    }
    if (target->has_value()) {
      error = "Flagd-Selector: " + std::string(key) + " is given twice";
      return std::nullopt;
    }
    *target = trimmed(pair.substr(equals + 1));
    if (comma == std::string_view::npos) return result;
    header.remove_prefix(comma + 1);
  }
}

}  // namespace flagserver
