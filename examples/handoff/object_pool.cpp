// Lines that are built and thrown away all day, in strings that keep their memory.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/object_pool.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

std::string make_line() {
  std::string line;
  line.reserve(4096);
  return line;
}

acqrel::object_pool<std::string> lines([] { return make_line(); }, [](std::string& line) { line.clear(); });

void ask_for(const char* path) {
  {
    const acqrel::pooled<std::string> line = lines.get();  // any thread: one that was returned, or a new one
    line->append("GET /").append(path);
    std::puts(line->c_str());
  }  // emptied, and returned: by whichever thread it is on
}

}  // namespace

int main() {
  std::thread other([] {
    for (const char* path : {"one", "two", "three"}) ask_for(path);
  });
  other.join();
  ask_for("four");
  std::printf("%llu made\n", static_cast<unsigned long long>(lines.counts().made));
}
