// A stock that is filled by one thread and looked into by another.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/synchronized.hpp>

#include <cstdio>
#include <map>
#include <string>
#include <thread>

int main() {
  using namespace std::chrono_literals;
  acqrel::synchronized<std::map<std::string, int>> stock;
  std::thread supplier([&] { stock.with_lock([](auto& map) { map["tea"] += 2; }); });
  const int tea = stock.with_lock_when([](const auto& map) { return map.count("tea") != 0; },  // waits until it holds
                                       [](auto& map) { return map["tea"]; });
  std::printf("%d tea\n", tea);
  if (!stock.try_with_lock_for(20ms, [](auto& map) { map.clear(); })) std::puts("busy");
  supplier.join();
}
