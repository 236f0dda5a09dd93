// SPDX-License-Identifier: Apache-2.0
// A pointer is read and exchanged for another, by each thread: with a generation beside it, within it, and without one.
#include <acqrel/reclaim/tagged_ptr.hpp>

#include <array>
#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct unguarded {
  bool exchange(int* to) {
    int* seen = held.load(std::memory_order_acquire);
    return held.compare_exchange_strong(seen, to, std::memory_order_acq_rel, std::memory_order_acquire);
  }
  alignas(64) std::atomic<int*> held{nullptr};
};

struct locked {
  bool exchange(int* to) {
    const std::lock_guard lock(mutex);
    held = {to, held.generation + 1};
    return true;
  }
  alignas(64) std::mutex mutex;
  acqrel::tagged_ptr<int> held;
};

template <class Held>
struct ours {
  bool exchange(int* to) {
    acqrel::tagged_ptr<int> seen = held.load();
    return held.compare_exchange(seen, to);
  }
  alignas(64) Held held;
};

template <class Shared>
void enter_exchange(const char* contender) {
  for (const unsigned threads : {1u, 2u})
    enter({.type = "tagged_ptr",
           .operation = "exchange",
           .contender = contender,
           .variation = "in_turn",
           .threads = threads},
          [] {
            return [all = std::make_shared<Shared>()](turn& now) {
              std::array<int, 64> numbers{};
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int& each : numbers) keep(all->exchange(&each));
                done += numbers.size();
              } while (now.running());
              now.end(done);
            };
          });
}

[[maybe_unused]] const bool entered = [] {
  enter_exchange<unguarded>("floor: one word, no generation");
  enter_exchange<locked>("ref: std::mutex");
  enter_exchange<ours<acqrel::atomic_tagged_ptr<int>>>("acqrel");
  enter_exchange<ours<acqrel::atomic_packed_ptr<int>>>("acqrel packed");
  return true;
}();

}  // namespace
}  // namespace bench
