// A service gives its work to four threads, and ends in order.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/worker_pool.hpp>

#include <cstdio>
#include <string>

namespace {

long measure(const std::string& path) { return static_cast<long>(path.size()); }
void archive(const std::string& path) { std::printf("archived %s\n", path.c_str()); }
void refuse(const std::string& path) { std::printf("no room for %s\n", path.c_str()); }
void use(long size) { std::printf("%ld\n", size); }

}  // namespace

int main() {
  using namespace std::chrono_literals;
  const std::string path = "letters";
  acqrel::worker_pool pool(4, {.queue = 1000});
  auto size = pool.submit([path] { return measure(path); });  // a task_result<long>
  if (!pool.post([path] { archive(path); })) refuse(path);    // nobody asks how it ended
  use(size.get());                                            // or throws what measure() threw
  auto end = pool.stop(acqrel::stop_mode::drain, acqrel::deadline_after(5s));
  for (auto& job : end.undone) job();  // what was not begun by then
}
