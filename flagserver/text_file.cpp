// SPDX-License-Identifier: Apache-2.0
#include "text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

namespace flagserver {

std::string read_text_file(const std::string& path) {
  const auto failure = [&] { return std::system_error(errno, std::generic_category(), "cannot read " + path); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw failure();
  std::string text;
  char part[1 << 16];
  while (const std::size_t n = std::fread(part, 1, sizeof part, file.get())) text.append(part, n);
  if (std::ferror(file.get())) throw failure();
  return text;
}

text_format format_of(const std::string& path) {
  const std::string_view name = path;
  return name.ends_with(".yaml") || name.ends_with(".yml") ? text_format::yaml : text_format::json;
}

}  // namespace flagserver
