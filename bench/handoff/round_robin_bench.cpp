// SPDX-License-Identifier: Apache-2.0
// The next of three items, of a list that can be replaced.
#include <acqrel/handoff/round_robin.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "bench/harness.hpp"

namespace bench {
namespace {

using items = std::vector<std::uint64_t>;
items three() { return {1, 2, 3}; }

// A list that cannot be replaced.
struct counter {
  std::uint64_t next() { return list[count.fetch_add(1, std::memory_order_relaxed) % list.size()]; }
  const items list = three();
  alignas(128) std::atomic<std::uint64_t> count{0};
};

struct locked {
  std::uint64_t next() {
    const std::lock_guard lock(mutex);
    const std::uint64_t item = list[count];
    if (++count == list.size()) count = 0;
    return item;
  }
  std::mutex mutex;
  items list = three();
  std::size_t count = 0;
};

struct shared {
  std::uint64_t next() {
    const std::shared_lock lock(mutex);
    return list[count.fetch_add(1, std::memory_order_relaxed) % list.size()];
  }
  std::shared_mutex mutex;
  items list = three();
  alignas(128) std::atomic<std::uint64_t> count{0};
};

struct counted {
  std::uint64_t next() {
    const auto now = list.load(std::memory_order_acquire);
    return (*now)[count.fetch_add(1, std::memory_order_relaxed) % now->size()];
  }
  std::atomic<std::shared_ptr<const items>> list{std::make_shared<const items>(three())};
  alignas(128) std::atomic<std::uint64_t> count{0};
};

struct ours {
  std::uint64_t next() {
    const auto item = turns.next();
    return item ? *item : 0;
  }
  acqrel::round_robin<std::uint64_t> turns{three()};
};

template <class Turns>
void enter_turns(const char* contender) {
  for (const unsigned threads : {1u, 2u})
    enter({.type = "round_robin",
           .operation = "next",
           .contender = contender,
           .variation = "read_only",
           .threads = threads,
           .environment = {}},
          [] {
            return [all = std::make_shared<Turns>()](turn& now) {
              keep(all->next());
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 64; ++i, ++done) keep(all->next());
              } while (now.running());
              now.end(done);
            };
          });
}

[[maybe_unused]] const bool entered = [] {
  enter_turns<counter>("floor: fetch_add, fixed list");
  enter_turns<locked>("ref: std::mutex");
  enter_turns<shared>("std::shared_mutex");
  enter_turns<counted>("std::atomic<shared_ptr>");
  enter_turns<ours>("acqrel");
  for (const unsigned threads : {1u, 2u})
    goal({.type = "round_robin",
          .operation = "next",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: fetch_add, fixed list",
          .at_most = 1.5});
  return true;
}();

}  // namespace
}  // namespace bench
