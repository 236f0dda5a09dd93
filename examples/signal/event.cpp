// Threads that serve from a table once another has loaded it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/event.hpp>

#include <cstdio>
#include <thread>

namespace {

int load() { return 42; }
void serve(int table) { std::printf("serving %d\n", table); }

int table = 0;
acqrel::event ready;

}  // namespace

int main() {
  std::thread loader([] {
    table = load();  // one thread
    ready.notify();  // true: it was the first
  });
  ready.wait();  // other threads; at once from then on
  serve(table);
  loader.join();
}
