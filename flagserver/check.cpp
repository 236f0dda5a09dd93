// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <algorithm>
#include <ostream>

#include "diagnostic_text.hpp"
#include "text_file.hpp"

namespace flagserver {

namespace {

std::string counted(std::size_t n, const std::string& what) {
  return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s");
}

}  // namespace

int check(const std::string& path, fractional_version version, std::ostream& out) {
  const std::string text = read_text_file(path);
  const auto [flags, diagnostics] = parse_flags(text, format_of(path), version, path);
  if (!diagnostics.empty()) out << describe(diagnostics, path, text) << '\n';
  const auto errors =
      static_cast<std::size_t>(std::count_if(diagnostics.begin(), diagnostics.end(), [](const diagnostic& d) {
        return d.level == diagnostic::severity::error;
      }));
  out << path << ": ";
  if (flags) out << counted(flags->size(), "flag") << ", revision " << flags->revision() << ", ";
  out << counted(errors, "error") << ", " << counted(diagnostics.size() - errors, "warning") << '\n';
  return flags ? 0 : 1;
}

}  // namespace flagserver
