// A flame graph of folded stacks: SVG without scripts, of one rectangle with a text for each function in a stack.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/contention.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string_view>

namespace acqrel {
namespace {

struct frame {
  std::int64_t waited = 0;
  std::map<std::string, frame, std::less<>> above;

  std::size_t height() const {
    std::size_t most = 0;
    for (const auto& [name, each] : above) most = std::max(most, each.height());
    return most + 1;
  }
};

constexpr double width = 1200, row = 18, letter = 6.6, narrowest = 0.5;

std::string escaped(std::string_view text) {
  std::string all;
  for (const char each : text) {
    if (each == '<')
      all += "&lt;";
    else if (each == '&')
      all += "&amp;";
    else
      all += each;
  }
  return all;
}

void draw(std::string& to, const std::string& name, const frame& of, double x, double y, std::int64_t in_all) {
  const double size = width * static_cast<double>(of.waited) / static_cast<double>(in_all);
  if (size < narrowest) return;
  char line[256];
  std::snprintf(line, sizeof line,
                ": %.3f s, %.1f %%</title><rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\" ",
                static_cast<double>(of.waited) / 1e9,
                100 * static_cast<double>(of.waited) / static_cast<double>(in_all), x, y, size, row - 1);
  to += "<g><title>" + escaped(name) + line;
  // A warm colour that is the function's wherever it stands.
  const std::size_t hash = std::hash<std::string>()(name);
  std::snprintf(line, sizeof line, "fill=\"rgb(%zu,%zu,%zu)\"/>", 215 + hash % 40, 110 + hash / 64 % 100,
                50 + hash / 8192 % 30);
  to += line;
  const auto letters = static_cast<std::size_t>((size - 6) / letter);
  if (size > 6 + 3 * letter) {
    std::snprintf(line, sizeof line, "<text x=\"%.1f\" y=\"%.0f\">", x + 3, y + row - 6);
    to += line + escaped(name.size() <= letters ? name : name.substr(0, letters - 2) + "..") + "</text>";
  }
  to += "</g>\n";
  for (const auto& [callee, each] : of.above) {
    draw(to, callee, each, x, y - row, in_all);
    x += width * static_cast<double>(each.waited) / static_cast<double>(in_all);
  }
}

}  // namespace

std::string contention::flame_graph() const {
  frame all;
  const std::string lines = folded();
  for (std::string_view rest = lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    const std::size_t number = line.rfind(' ');
    const std::int64_t waited = std::stoll(std::string(line.substr(number + 1)));
    all.waited += waited;
    frame* at = &all;
    for (std::size_t begin = 0, end = 0; end != number; begin = end + 1) {
      end = std::min(line.find(';', begin), number);
      at = &at->above[std::string(line.substr(begin, end - begin))];
      at->waited += waited;
    }
  }
  const double height = row * static_cast<double>(all.height());
  char line[256];
  std::snprintf(line, sizeof line,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"monospace\" "
                "font-size=\"11\">\n",
                width, height);
  std::string picture = line;
  if (all.waited != 0) draw(picture, "all", all, 0, height - row, all.waited);
  return picture + "</svg>\n";
}

}  // namespace acqrel
