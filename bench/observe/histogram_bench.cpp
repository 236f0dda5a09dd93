// SPDX-License-Identifier: Apache-2.0
// A value into one of eleven buckets; and finding a series of a registry by its name.
#include <acqrel/observe/registry.hpp>

#include <algorithm>
#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

const std::vector<double> bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

// Finds the bucket, and counts in variables of the thread: nobody can add them up.
struct thread_local_buckets {
  void observe(double value) {
    static constinit thread_local std::uint64_t buckets[12] = {};
    static constinit thread_local double sum = 0;
    std::size_t bucket = 0;
    while (bucket != bounds.size() && value > bounds[bucket]) ++bucket;
    ++buckets[bucket];
    sum += value;
    keep(&buckets[bucket]);
    keep(sum);
  }
};
struct locked {
  void observe(double value) {
    const std::lock_guard lock(mutex);
    const auto at = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    ++buckets[static_cast<std::size_t>(at)];
    sum += value;
  }
  std::mutex mutex{};
  std::uint64_t buckets[12] = {};
  double sum = 0;
};
// What clients of Prometheus do in many languages.
struct shared_atomics {
  void observe(double value) {
    const auto at = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    buckets[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    sum.fetch_add(value, std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t> buckets[12]{};
  std::atomic<double> sum{0};
};
struct ours {
  void observe(double value) { one.observe(value); }
  acqrel::histogram one{bounds};
};

template <class Histogram>
void enter_histogram(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "histogram",
           .operation = "observe",
           .contender = contender,
           .variation = "all_count",
           .threads = threads,
           .environment = {}},
          [] {
            return [one = std::make_shared<Histogram>()](turn& now) {
              constexpr double values[] = {0.004, 0.02, 0.3, 0.007, 0.03, 0.004, 6, 0.07};
              one->observe(1);
              now.begin();
              std::uint64_t done = 0;
              do {
                for (unsigned i = 0; i != 256; ++i, ++done) one->observe(values[i % 8]);
              } while (now.running());
              now.end(done);
            };
          });
  }
}

// A registry of 100 names with 10 series each.
struct filled {
  filled() {
    for (int n = 0; n != 100; ++n) {
      names.push_back("planted_" + std::to_string(n) + "_total");
      for (int s = 0; s != 10; ++s) numbers.counter(names.back(), "", {{"code", std::to_string(s)}});
    }
  }
  acqrel::registry numbers{};
  std::vector<std::string> names{};
  acqrel::registry::labels labels{{"code", "5"}};
};

template <class Find>
void enter_find(const char* contender, Find find) {
  enter({.type = "registry",
         .operation = "find",
         .contender = contender,
         .variation = "read_only",
         .threads = 1,
         .environment = {}},
        [find] {
          return [one = std::make_shared<filled>(), find](turn& now) {
            auto& kept = one->numbers.counter(one->names[5], "", one->labels);
            now.begin();
            std::uint64_t done = 0;
            do {
              for (unsigned i = 0; i != 64; ++i, ++done) find(*one, kept, i % 100);
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  enter_histogram<thread_local_buckets>("floor: thread_local");
  enter_histogram<locked>("ref: std::mutex");
  enter_histogram<shared_atomics>("ref: shared atomics");
  enter_histogram<ours>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "histogram",
          .operation = "observe",
          .variation = "all_count",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: shared atomics",
          .at_most = 0.8});
  }
  enter_find("floor: a kept handle", [](filled&, acqrel::sharded_counter& kept, unsigned) { kept.add(); });
  enter_find("acqrel", [](filled& one, acqrel::sharded_counter&, unsigned i) {
    one.numbers.counter(one.names[i], "", one.labels).add();
  });
  return true;
}();

}  // namespace
}  // namespace bench
