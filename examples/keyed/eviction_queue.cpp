// Pages of a file, read once and kept; of those, the queue says which to forget. By one thread: several share a map as well.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/eviction_queue.hpp>

#include <cstdio>
#include <unordered_map>

namespace {

// [page]
struct page : acqrel::eviction_queue::node {
  explicit page(int n) : node(std::hash<int>()(n), 1), number(n) {}  // a hash, a weight
  const int number;
};

acqrel::eviction_queue queue(1000);  // the weight of all
std::unordered_map<int, std::shared_ptr<page>> pages;

std::shared_ptr<page> get(int number) {
  if (const auto found = pages.find(number); found != pages.end()) {
    found->second->use();  // a hit: any thread, no lock
    return found->second;
  }
  const auto read = std::make_shared<page>(number);
  acqrel::eviction_queue::left out;
  if (queue.enter(read, nullptr, out)) pages[number] = read;  // a miss
  while (const auto gone = out.take()) pages.erase(static_cast<page&>(*gone).number);
  return read;
}
// [/page]

}  // namespace

int main() {
  for (int round = 0; round != 5; ++round) {
    for (int number = 0; number != 1500; ++number) get(number);
  }
  std::printf("%zu of 1500 pages kept\n", pages.size());
  return pages.size() == 1000 ? 0 : 1;
}
