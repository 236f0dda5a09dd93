// SPDX-License-Identifier: Apache-2.0
// Two threads want one lock, which one of them holds for long: where that is, by name.
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/observe/contention.hpp>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

namespace {

acqrel::fair_mutex orders;

[[gnu::noinline]] void insert_order(std::chrono::milliseconds how_long) {
  const std::lock_guard lock(orders);
  std::this_thread::sleep_for(how_long);
}

bool save(const std::string& path, const std::string& bytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return (std::fclose(file) == 0) && whole;
}

}  // namespace

int main(int argc, char** argv) {
  acqrel::contention::observe();  // any thread, any time: from now on
  std::thread other([] {
    for (int i = 0; i != 20; ++i) insert_order(std::chrono::milliseconds(2));
  });
  for (int i = 0; i != 20; ++i) insert_order(std::chrono::milliseconds(1));
  other.join();
  acqrel::contention seen = acqrel::contention::so_far();
  std::fputs(seen.table().c_str(), stderr);  // the worst place first
  bool saved = true;
  if (argc > 1) saved = save(argv[1], seen.only({acqrel::probe::lock}).pprof());  // go tool pprof -top that file
  acqrel::contention::ignore();
  return saved && !seen.sites.empty() ? 0 : 1;
}
