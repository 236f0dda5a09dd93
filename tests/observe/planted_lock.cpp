// A program with three locks, of which one is hot: pprof_check.py looks whether the profile says which.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/observe/contention.hpp>

#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

acqrel::profiled<std::mutex> hot;
acqrel::fair_mutex warm;
acqrel::fair_mutex cold;
constexpr int rounds = 30;

[[gnu::noinline]] void count_orders() {
  const std::lock_guard lock(hot);
  std::this_thread::sleep_for(1ms);
}

[[gnu::noinline]] void count_visits() {
  const std::lock_guard lock(warm);
  std::this_thread::sleep_for(100us);
}

[[gnu::noinline]] void count_errors() { const std::lock_guard lock(cold); }

}  // namespace

// planted_lock NAME: writes NAME.pb, NAME.folded and NAME.txt.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: planted_lock NAME\n", stderr);
    return 2;
  }
  acqrel::contention::observe({.every = 1us, .retries = 1});
  std::vector<std::thread> all;
  for (int i = 0; i != 4; ++i) {
    all.emplace_back([] {
      for (int round = 0; round != rounds; ++round) {
        count_errors();
        count_visits();
        count_orders();
      }
    });
  }
  for (std::thread& each : all) each.join();
  acqrel::contention::ignore();
  const acqrel::contention locks = acqrel::contention::so_far().only({acqrel::probe::lock});
  const std::string name = argv[1];
  std::ofstream(name + ".pb", std::ios::binary) << locks.pprof();
  std::ofstream(name + ".folded") << locks.folded();
  std::ofstream(name + ".txt") << locks.table();
}
