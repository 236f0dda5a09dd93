// SPDX-License-Identifier: Apache-2.0
// Reading what was set once, beside one load and beside what the standard library offers.
#include <acqrel/publish/one_shot.hpp>

#include <memory>
#include <mutex>
#include <optional>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct raw_pointer {
  raw_pointer() : value(1), pointer(&value) {}
  const int* get() const { return pointer.load(std::memory_order_acquire); }
  int value;
  std::atomic<const int*> pointer;
};
struct under_call_once {  // the caller's every look runs the flag's fast path
  const int* get() {
    std::call_once(flag, [this] { value = 1; });
    return &value;
  }
  std::once_flag flag;
  int value = 0;
};
struct under_mutex {
  const int* get() {
    const std::lock_guard lock(mutex);
    return value ? &*value : nullptr;
  }
  std::mutex mutex;
  std::optional<int> value{1};
};
struct acqrel_cell {
  acqrel_cell() { cell.publish(1); }
  const int* get() const { return cell.get(); }
  acqrel::one_shot<int> cell;
};

template <class Contender>
void enter_get(const char* contender, unsigned threads) {
  enter({.type = "one_shot",
         .operation = "get",
         .contender = contender,
         .variation = "read_only",
         .threads = threads,
         .environment = {}},
        [] {
          return [shared = std::make_shared<Contender>()](turn& now) {
            auto& cell = *shared;
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 1024; ++i, ++done) keep(*cell.get());
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  for (const unsigned threads : {1u, 2u}) {
    enter_get<raw_pointer>("floor: raw pointer", threads);
    enter_get<under_call_once>("ref: call_once", threads);
    enter_get<under_mutex>("ref: mutex", threads);
    enter_get<acqrel_cell>("acqrel", threads);
    goal({.type = "one_shot",
          .operation = "get",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: raw pointer",
          .at_most = 1.2});
  }
  return true;
}();

}  // namespace
}  // namespace bench
