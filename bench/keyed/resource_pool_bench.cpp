// SPDX-License-Identifier: Apache-2.0
// An idle resource of one of 16 keys is taken and given back, as nearly always once all is dialled.
#include <acqrel/keyed/resource_pool.hpp>

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

using keys = std::array<std::string, 16>;
keys hosts() {
  keys all;
  for (std::size_t i = 0; i != all.size(); ++i) all[i] = "host-" + std::to_string(i) + ".example:443";
  return all;
}

struct ours {
  std::uint64_t use(const std::string& key) { return *pool.acquire(key); }
  acqrel::resource_pool<std::string, std::uint64_t> pool{
      [](const std::string& key, const std::stop_token&) -> std::uint64_t { return key.size(); }};
};

using idle_ones = std::vector<std::unique_ptr<std::uint64_t>>;
std::unique_ptr<std::uint64_t> take(idle_ones& from) {
  if (from.empty()) return std::make_unique<std::uint64_t>(1);
  auto one = std::move(from.back());
  from.pop_back();
  return one;
}

// It has one key, nobody can wait, nothing is bounded.
struct one_key {
  std::uint64_t use(const std::string&) {
    std::unique_lock lock(mutex);
    auto one = take(idle);
    lock.unlock();
    const std::uint64_t value = *one;
    lock.lock();
    idle.push_back(std::move(one));
    return value;
  }
  std::mutex mutex;
  idle_ones idle;
};

struct locked {
  std::uint64_t use(const std::string& key) {
    std::unique_lock lock(mutex);
    auto one = take(idle[key]);
    lock.unlock();
    const std::uint64_t value = *one;
    lock.lock();
    idle[key].push_back(std::move(one));
    return value;
  }
  std::mutex mutex;
  std::unordered_map<std::string, idle_ones> idle;
};

row lease_of(const char* contender, unsigned threads) {
  return {.type = "resource_pool",
          .operation = "lease",
          .contender = contender,
          .variation = "idle",
          .threads = threads,
          .environment = {}};
}

template <class Pool>
void enter_pool(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter(lease_of(contender, threads), [] {
      const auto pool = std::make_shared<Pool>();
      const auto names = std::make_shared<const keys>(hosts());
      for (const auto& name : *names) keep(pool->use(name));
      return [pool, names](turn& now) {
        now.begin();
        std::uint64_t done = 0;
        do {
          for (std::size_t i = 0; i != 64; ++i, ++done) keep(pool->use((*names)[i % names->size()]));
        } while (now.running());
        now.end(done);
      };
    });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_pool<one_key>("floor: one key, mutex, vector");
  enter_pool<locked>("ref: mutex, map of vectors");
  for (const unsigned threads : {1u, 2u}) enter_go(lease_of("Go sync.Map of channels", threads), "resource_pool");
  enter_pool<ours>("acqrel");
  // What that has not: bounds, a queue of waiters, idle times. They took 1.3 and 1.4 times as long where it was measured.
  for (const unsigned threads : {1u, 2u})
    goal({.type = "resource_pool",
          .operation = "lease",
          .variation = "idle",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: mutex, map of vectors",
          .at_most = 1.6});
  return true;
}();

}  // namespace
}  // namespace bench
