// A worker's loop that reads its limit at every request.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cached_reader.hpp>

#include <cstdio>

namespace {

struct config {
  int limit;
};
struct request {
  int size;
};

const request* next() {
  static const request requests[] = {{10}, {200}, {30}};
  static std::size_t n = 0;
  return n < std::size(requests) ? &requests[n++] : nullptr;
}

void handle(const request& r, int limit) { std::printf("%d %s\n", r.size, r.size <= limit ? "taken" : "refused"); }

}  // namespace

int main() {
  acqrel::snapshot_source<config> current{std::make_unique<config>(config{100})};
  acqrel::cached_reader<config> reader{current};  // one for each thread, kept for long
  while (const request* r = next()) {
    handle(*r, reader.read()->limit);  // one load and a compare while nothing changes
  }
  reader.release();
}
