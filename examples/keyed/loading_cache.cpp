// Pages, fetched when they are asked for.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/loading_cache.hpp>

#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

struct page {
  std::string text;
};
page fetch(const std::string& path) { return {"what stands at " + path}; }
void send(const page& what) { std::puts(what.text.c_str()); }

}  // namespace

int main() {
  // [pages]
  acqrel::loading_cache<std::string, page> pages(fetch, {.most = 10'000, .time_to_live = 10min});
  const auto home = pages.get("/");  // any thread; on a miss one fetches, and all get what it got
  send(*home);
  pages.invalidate("/");  // also what is being fetched now: it is not kept
  // [/pages]
  send(*home);  // what one holds stays
  const auto again = pages.get("/");
  const auto seen = pages.statistics();
  std::printf("%llu loads\n", static_cast<unsigned long long>(seen.loads));
  return seen.loads == 2 && again->text == home->text ? 0 : 1;
}
