// SPDX-License-Identifier: Apache-2.0
#include "ofrep_route.hpp"

namespace flagserver {

namespace {

constexpr std::string_view flags_path = "/ofrep/v1/evaluate/flags";

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

std::string_view path_of(std::string_view target) noexcept {
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return target;
    const std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  return target.substr(0, target.find_first_of("?#"));
}

ofrep_route route_ofrep(std::string_view path) {
  if (!path.starts_with(flags_path)) return {};
  path.remove_prefix(flags_path.size());
  if (path.empty() || path == "/") return {ofrep_route::kind::bulk, {}};
  if (path.front() != '/') return {};
  return {ofrep_route::kind::single, decode(path.substr(1))};
}

}  // namespace flagserver
