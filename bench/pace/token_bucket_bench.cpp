// SPDX-License-Identifier: Apache-2.0
// A take that succeeds, from a bucket that fills slower than it is emptied; and one that is refused.
#include <acqrel/base/padded.hpp>
#include <acqrel/pace/token_bucket.hpp>

#include <algorithm>
#include <memory>
#include <mutex>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::int64_t plenty = 1'000'000'000'000'000;  // more than a run can take
constexpr double a_second = 1e6;

struct ours {
  explicit ours(std::int64_t capacity) : bucket(a_second, std::chrono::seconds(1), capacity) {}
  bool take(clock::time_point now) { return bucket.try_take(1, now); }
  bool take() { return bucket.try_take(); }
  acqrel::token_bucket bucket;
};

struct locked {
  explicit locked(std::int64_t most) : capacity(static_cast<double>(most)), tokens(capacity) {}
  bool take(clock::time_point now) {
    const std::lock_guard lock(mutex);
    if (now > last) {
      tokens = std::min(capacity, tokens + std::chrono::duration<double>(now - last).count() * a_second);
      last = now;
    }
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  }
  bool take() { return take(clock::now()); }
  std::mutex mutex{};
  double capacity, tokens;
  clock::time_point last = clock::now();
};

// One word that is loaded, compared and exchanged: what any bucket without a lock does at least. It never refills.
struct exchange {
  explicit exchange(std::int64_t most) : left(most) {}
  bool take(clock::time_point now) {
    std::int64_t seen = left.load(std::memory_order_relaxed);
    do {
      if (seen < 1 || now.time_since_epoch().count() == 0) return false;
    } while (!left.compare_exchange_weak(seen, seen - 1, std::memory_order_relaxed, std::memory_order_relaxed));
    return true;
  }
  bool take() { return take(clock::now()); }
  std::atomic<std::int64_t> left;
};

template <class Bucket>
void enter_bucket(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    for (const bool reads_clock : {false, true}) {
      for (const bool refused : {false, true}) {
        enter({.type = "token_bucket",
               .operation = refused ? "refused" : "take",
               .contender = contender,
               .variation = reads_clock ? "reads_clock" : "time_given",
               .threads = threads,
               .environment = {}},
              [reads_clock, refused] {
                const auto bucket = std::make_shared<acqrel::padded<Bucket>>(std::in_place, refused ? 1 : plenty);
                return [bucket, reads_clock](turn& now) {
                  const auto time = clock::now();
                  keep((*bucket)->take(time));
                  now.begin();
                  std::uint64_t done = 0;
                  do {
                    if (reads_clock) {
                      for (int i = 0; i != 256; ++i, ++done) keep((*bucket)->take());
                    } else {
                      for (int i = 0; i != 256; ++i, ++done) keep((*bucket)->take(time));
                    }
                  } while (now.running());
                  now.end(done);
                };
              });
      }
    }
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_bucket<exchange>("floor: load, exchange");
  enter_bucket<locked>("ref: mutex");
  enter_bucket<ours>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "token_bucket",
              .operation = "take",
              .contender = "Go mutex",
              .variation = "reads_clock",
              .threads = threads},
             "token_bucket");
  }
  goal({.type = "token_bucket",
        .operation = "take",
        .variation = "time_given",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: load, exchange",
        .at_most = 1.07});
  goal({.type = "token_bucket",
        .operation = "take",
        .variation = "reads_clock",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: load, exchange",
        .at_most = 1.1});
  goal({.type = "token_bucket",
        .operation = "take",
        .variation = "reads_clock",
        .threads = 1,
        .contender = "acqrel",
        .against = "Go mutex",
        .at_most = 0.5});
  for (const unsigned threads : {1u, 2u}) {
    goal({.type = "token_bucket",
          .operation = "take",
          .variation = "time_given",
          .threads = threads,
          .contender = "acqrel",
          .against = "ref: mutex",
          .at_most = 0.8});
  }
  return true;
}();

}  // namespace
}  // namespace bench
