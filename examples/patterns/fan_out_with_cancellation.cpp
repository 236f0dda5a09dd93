// docs/patterns/fan-out-with-cancellation.md: one question to many, at most eight at once; the first failure ends it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>
#include <acqrel/task/task_group.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

// Looks at the token now and then, as everything that may take long has to.
int ask(const std::string& shard, const std::stop_token& stop) {
  if (stop.stop_requested()) return 0;
  if (shard.empty()) throw std::invalid_argument("a shard without a name");
  return static_cast<int>(shard.size());
}

}  // namespace

// [fan-out]
int total(const std::vector<std::string>& shards, const acqrel::cancel_token& request) {
  std::vector<int> parts(shards.size());
  acqrel::task_group group(8, request.stop_token());
  for (std::size_t i = 0; i != shards.size(); ++i) {
    if (!group.spawn([&, i](const std::stop_token& stop) { parts[i] = ask(shards[i], stop); })) break;
  }
  group.wait();
  request.throw_if_cancelled();
  int sum = 0;
  for (const int part : parts) sum += part;
  return sum;
}
// [/fan-out]

namespace wrong {

int total(const std::vector<std::string>& shards);

// [fan-out-wrong]
int total(const std::vector<std::string>& shards) {
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (const std::string& shard : shards) {
    threads.emplace_back([&] { sum += ask(shard, {}); });
  }
  for (std::thread& thread : threads) thread.join();
  return sum;
}
// [/fan-out-wrong]

}  // namespace wrong

int main() {
  const acqrel::cancel_source request({}, acqrel::deadline_after(2s));
  std::printf("%d\n", total({"north", "south", "east"}, request.token()));
  try {
    (void)total({"north", "", "east"}, request.token());
  } catch (const std::invalid_argument& failed) {
    std::printf("%s\n", failed.what());
  }
}
