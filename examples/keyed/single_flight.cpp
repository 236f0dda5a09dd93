// Many requests for one page at a time are one fetch.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/single_flight.hpp>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct page {
  std::string text;
};
page fetch(const std::string& url) { return {"the page at " + url}; }
page fetch_until(const std::string& url, const std::stop_token& stop) {
  return stop.stop_requested() ? page{} : fetch(url);
}
void show(const page& what, bool shared) { std::printf("%s%s\n", what.text.c_str(), shared ? ", for several" : ""); }
void show_old() { std::puts("what we had"); }

acqrel::single_flight<std::string, page> fetches;

void answer(const std::string& url) {
  auto got = fetches.run(url, fetch);  // any thread: fetch(url), or the one under way
  show(*got.value, got.shared);        // or it threw what fetch threw, in every caller
  got =
      fetches.run_for(url, 50ms, [](const std::string& from, std::stop_token stop) { return fetch_until(from, stop); });
  if (!got) return show_old();  // not within 50 ms; others wait on
  show(*got, got.shared);
}

}  // namespace

int main() {
  std::vector<std::thread> requests;
  for (int i = 0; i != 4; ++i) requests.emplace_back(answer, "https://example.org/");
  for (auto& request : requests) request.join();
}
