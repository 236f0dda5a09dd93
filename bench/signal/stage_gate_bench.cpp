// SPDX-License-Identifier: Apache-2.0
// Asking whether a service is ready, as every request does.
#include <acqrel/signal/stage_gate.hpp>

#include <atomic>
#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

enum class stage { starting, ready };
constexpr acqrel::stage_table lifecycle{acqrel::stage_edge{stage::starting, stage::ready}};

template <class Gate>
void enter_gate(const char* contender) {
  enter({.type = "stage_gate",
         .operation = "at_least",
         .contender = contender,
         .variation = "read_only",
         .threads = 1,
         .environment = {}},
        [] {
          return [gate = std::make_shared<Gate>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 1024; ++i, ++done) keep(gate->ready());
            } while (now.running());
            now.end(done);
          };
        });
}

struct word {
  bool ready() const { return now.load(std::memory_order_acquire) >= 1; }
  std::atomic<std::uint32_t> now{0};
};
struct locked {
  bool ready() {
    const std::lock_guard lock(mutex);
    return now >= stage::ready;
  }
  std::mutex mutex{};
  stage now = stage::starting;
};
struct ours {
  bool ready() const { return gate.at_least(stage::ready); }
  acqrel::stage_gate<lifecycle> gate{stage::starting};
};

[[maybe_unused]] const bool entered = [] {
  enter_gate<word>("floor: one load");
  enter_gate<locked>("ref: mutex");
  enter_gate<ours>("acqrel");
  goal({.type = "stage_gate",
        .operation = "at_least",
        .variation = "read_only",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: one load",
        .at_most = 1.5});
  return true;
}();

}  // namespace
}  // namespace bench
