// SPDX-License-Identifier: Apache-2.0
// The two sides of the pair, and what both would cost without membarrier.
#include <acqrel/base/asymmetric_fence.hpp>

#include <memory>

#include "bench/harness.hpp"

namespace bench {
namespace {

// A store, the fence, a load: one side of store buffering.
template <class Fence>
void enter_side(const char* operation, const char* contender, const char* variation, unsigned helpers, Fence fence,
                const char* environment = "") {
  enter({.type = "asymmetric_fence",
         .operation = operation,
         .contender = contender,
         .variation = variation,
         .threads = 1,
         .helpers = helpers,
         .environment = environment},
        [fence] {
          struct words {
            alignas(64) std::atomic<std::uint64_t> mine{0};
            alignas(64) std::atomic<std::uint64_t> yours{0};
          };
          return [fence, shared = std::make_shared<words>()](turn& now) {
            if (now.thread() != 0) {  // a thread that membarrier has to interrupt
              now.begin();
              while (now.running()) keep(now.thread());
              return;
            }
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 16; ++i, ++done) {
                shared->mine.store(done, std::memory_order_relaxed);
                fence();
                keep(shared->yours.load(std::memory_order_relaxed));
              }
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  const auto none = [] {};
  const auto light = [] { acqrel::asymmetric_thread_fence_light(); };
  const auto heavy = [] { acqrel::asymmetric_thread_fence_heavy(); };
  const auto seq_cst = [] { std::atomic_thread_fence(std::memory_order_seq_cst); };
  enter_side("light", "floor: no fence", "alone", 0, none);
  enter_side("light", "ref: seq_cst fence", "alone", 0, seq_cst);
  enter_side("light", "acqrel", "alone", 0, light);
  enter_side("light", "acqrel full fences", "alone", 0, light, "ACQREL_FENCES=full");
  for (const unsigned helpers : {0u, 1u}) {
    const char* const variation = helpers == 0 ? "alone" : "beside_spinner";
    enter_side("heavy", "floor: no fence", variation, helpers, none);
    enter_side("heavy", "ref: seq_cst fence", variation, helpers, seq_cst);
    enter_side("heavy", "acqrel", variation, helpers, heavy);
  }
  return true;
}();

}  // namespace
}  // namespace bench
