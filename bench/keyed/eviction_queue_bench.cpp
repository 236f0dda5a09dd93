// SPDX-License-Identifier: Apache-2.0
// What a hit costs that the order of eviction is to know of; and how often two traces hit, against least recently used.
#include <acqrel/keyed/eviction_queue.hpp>

#include <memory>
#include <mutex>

#include "bench/harness.hpp"
#include "tests/keyed/traces.hpp"

namespace bench {
namespace {

constexpr int entries = 1024;

struct node : acqrel::eviction_queue::node {
  explicit node(int n) : acqrel::eviction_queue::node(std::hash<int>()(n), 1), number(n) {}
  const int number;
};

struct s3_fifo {
  s3_fifo() {
    for (int n = 0; n != entries; ++n) {
      nodes.push_back(std::make_shared<node>(n));
      acqrel::eviction_queue::left out;
      (void)queue.enter(nodes.back(), nullptr, out);
    }
  }
  void use(std::size_t n) { nodes[n]->use(); }
  acqrel::eviction_queue queue{entries};
  std::vector<std::shared_ptr<node>> nodes;
};

// As large as a node, so that both are in the same cache.
struct loads {
  struct word {
    std::atomic<std::uint32_t> value{0};
    char rest[sizeof(node) - sizeof(value)];
  };
  void use(std::size_t n) { keep(words[n]->value.load(std::memory_order_relaxed)); }
  std::vector<std::shared_ptr<word>> words = [] {
    std::vector<std::shared_ptr<word>> made;
    for (int n = 0; n != entries; ++n) made.push_back(std::make_shared<word>());
    return made;
  }();
};

struct list_under_mutex {
  list_under_mutex() {
    for (int n = 0; n != entries; ++n) places.push_back(order.insert(order.end(), n));
  }
  void use(std::size_t n) {
    const std::lock_guard lock(mutex);
    order.splice(order.begin(), order, places[n]);
  }
  std::mutex mutex;
  std::list<int> order;
  std::vector<std::list<int>::iterator> places;
};

template <class Queue>
void enter_use(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "eviction_queue",
           .operation = "use",
           .contender = contender,
           .variation = "read_only",
           .threads = threads,
           .environment = {}},
          [] {
            return [queue = std::make_shared<Queue>()](turn& now) {
              for (std::size_t n = 0; n != 3 * entries; ++n) queue->use(n % entries);
              now.begin();
              std::uint64_t done = 0;
              do {
                for (std::size_t n = 0; n != entries; ++n) queue->use(n);
                done += entries;
              } while (now.running());
              now.end(done);
            };
          });
  }
}

template <class Trace>
double misses(Trace trace, int asked) {
  acqrel::eviction_queue queue(1000);
  std::unordered_map<int, std::shared_ptr<node>> there;
  return 1 - traces::hit_rate(trace, asked, [&](int number) {
           if (const auto found = there.find(number); found != there.end()) return found->second->use(), true;
           const auto one = there.emplace(number, std::make_shared<node>(number)).first->second;
           acqrel::eviction_queue::left out;
           (void)queue.enter(one, nullptr, out);
           while (const auto gone = out.take()) there.erase(static_cast<node&>(*gone).number);
           return false;
         });
}
template <class Trace>
double misses_of_lru(Trace trace, int asked) {
  traces::lru<int, int> lru(1000);
  return 1 - traces::hit_rate(trace, asked, [&](int number) {
           if (lru.find(number) != nullptr) return true;
           lru.insert(number, number);
           return false;
         });
}

template <class Misses>
std::vector<figure> of_both(double scale, Misses misses) {
  const int asked = 20'000 + static_cast<int>(scale * 480'000);
  const traces::zipf_with_churn zipf(10'000);
  return {{"zipf_with_churn", "% misses", 100 * misses(zipf, asked)},
          {"loop_of_1500", "% misses", 100 * misses(traces::loop(1500), asked)},
          {"loop_of_2000", "% misses", 100 * misses(traces::loop(2000), asked)}};
}

[[maybe_unused]] const bool entered = [] {
  enter_use<loads>("floor: a load");
  enter_use<list_under_mutex>("ref: std::mutex, std::list");
  enter_use<s3_fifo>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "eviction_queue",
          .operation = "use",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: a load",
          .at_most = 2});
  }
  const auto measurement = [](const char* contender, auto misses) {
    enter_measurement(
        {.type = "eviction_queue", .operation = "hit_rate", .contender = contender, .variation = "of_1000"},
        [misses](double scale) { return of_both(scale, misses); });
  };
  measurement("ref: least recently used", [](auto trace, int asked) { return misses_of_lru(trace, asked); });
  measurement("acqrel", [](auto trace, int asked) { return misses(trace, asked); });
  goal({"eviction_queue", "hit_rate", "acqrel", "zipf_with_churn", 40});
  goal({"eviction_queue", "hit_rate", "acqrel", "loop_of_1500", 60});
  goal({"eviction_queue", "hit_rate", "acqrel", "loop_of_2000", 60});
  return true;
}();

}  // namespace
}  // namespace bench
